//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_EXAMPLE_CONTENT_WRITER_HPP
#define KAIO_EXAMPLE_CONTENT_WRITER_HPP

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write_at.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <kaio/random_access_file.hpp>
#include <string>
#include <utility>
#include <vector>

#include "aligned_memory.hpp"
#include "file_content.hpp"

/// Fills a file with recognisable content, with many writes outstanding.
class content_writer
{
public:
    static constexpr std::size_t block_size = 65536;

    content_writer(boost::asio::io_context& context, const std::string& path,
                   kaio::random_access_file::flags flags, const bench::file_content& content,
                   std::size_t depth)
      : content_(content), memory_(allocate(depth)), file_(context, path, flags),
        size_(file_.size())
    {
    }

    /// Start writing; progress is called with the bytes written so far.
    void start(std::function<void(std::uint64_t)> progress)
    {
        progress_ = std::move(progress);
        for (const bench::aligned_memory& memory : memory_)
            write_next(memory);
    }

    /// Once all is written: have it on the disk. Throws what went wrong first, if anything did.
    void finish()
    {
        if (failure_)
            throw boost::system::system_error(failure_, "cannot write the new file at offset " +
                                                            std::to_string(failed_at_));
        file_.sync_all();
    }

private:
    static std::vector<bench::aligned_memory> allocate(std::size_t depth)
    {
        std::vector<bench::aligned_memory> result;
        for (std::size_t i = 0; i != depth; ++i)
            result.emplace_back(block_size);
        return result;
    }

    void write_next(const bench::aligned_memory& memory)
    {
        if (failure_ || next_ == size_)
            return;
        const std::uint64_t offset = next_;
        const std::size_t length = std::min<std::uint64_t>(block_size, size_ - offset);
        next_ += length;

        content_.fill(offset, memory.data(), length);
        boost::asio::async_write_at(
            file_, offset, boost::asio::buffer(memory.data(), length),
            [this, offset, &memory](boost::system::error_code ec, std::size_t written) {
                if (ec)
                    fail(ec, offset + written);
                written_ += written;
                progress_(written_);
                write_next(memory);
            });
    }

    void fail(boost::system::error_code ec, std::uint64_t offset)
    {
        if (failure_)
            return;
        failure_ = ec;
        failed_at_ = offset;
    }

    bench::file_content content_;
    std::vector<bench::aligned_memory> memory_;
    kaio::random_access_file file_;
    std::uint64_t size_;
    std::uint64_t next_ = 0;
    std::uint64_t written_ = 0;
    std::function<void(std::uint64_t)> progress_;
    boost::system::error_code failure_;
    std::uint64_t failed_at_ = 0;
};

#endif // KAIO_EXAMPLE_CONTENT_WRITER_HPP
