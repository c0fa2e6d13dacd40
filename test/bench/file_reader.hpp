//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_FILE_READER_HPP
#define KAIO_BENCH_FILE_READER_HPP

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <utility>
#include <vector>

#include "aligned_memory.hpp"
#include "cpu_time.hpp"
#include "read_load.hpp"
#include "read_result.hpp"

namespace bench {

/// The load on a file of Asio's interface: kaio::random_access_file or
/// boost::asio::random_access_file. The handler of a read checks it and starts the next.
template <typename File>
class file_reader
{
public:
    file_reader(boost::asio::io_context& context, const read_load& load)
      : load_(load), file_(context, load.path, static_cast<typename File::flags>(load.open_flags))
    {
        slots_.reserve(load.depth);
        for (std::size_t i = 0; i != load.depth; ++i)
            slots_.emplace_back(load.block_size);
    }

    /// Start reading; done is called when the last read has completed.
    void start(std::function<void()> done)
    {
        done_ = std::move(done);
        cpu_at_start_ = cpu_time();
        started_ = clock::now();
        for (slot& s : slots_)
            read(s);
    }

    /// Throws what went wrong first, if anything did.
    const read_result& result() const
    {
        if (failure_)
            std::rethrow_exception(failure_);
        return result_;
    }

private:
    struct slot
    {
        explicit slot(std::size_t block_size) : memory(block_size)
        {
        }

        aligned_memory memory;
        std::uint64_t index = 0;
        clock::time_point started;
    };

    void read(slot& s)
    {
        s.index = next_++;
        s.started = clock::now();
        ++outstanding_;
        file_.async_read_some_at(
            load_.offsets[s.index], boost::asio::buffer(s.memory.data(), load_.block_size),
            [this, &s](boost::system::error_code ec, std::size_t size) { completed(s, ec, size); });
    }

    void completed(slot& s, boost::system::error_code ec, std::size_t size)
    {
        const clock::time_point now = clock::now();
        result_.latency.record(now - s.started);
        --outstanding_;
        verify(s, ec, size);
        if (!failure_ && now - started_ < load_.duration)
            read(s);
        else if (outstanding_ == 0)
            finish(now);
    }

    void verify(const slot& s, boost::system::error_code ec, std::size_t size)
    {
        try
        {
            if (ec)
                load_.fail(s.index, ec.message());
            load_.verify(s.index, s.memory.data(), size);
        }
        catch (...)
        {
            if (!failure_)
                failure_ = std::current_exception();
        }
    }

    void finish(clock::time_point now)
    {
        result_.elapsed = now - started_;
        result_.cpu = cpu_time() - cpu_at_start_;
        done_();
    }

    const read_load& load_;
    std::vector<slot> slots_;
    File file_;
    std::function<void()> done_;
    clock::time_point started_;
    std::chrono::microseconds cpu_at_start_{};
    std::uint64_t next_ = 0;
    std::size_t outstanding_ = 0;
    read_result result_;
    std::exception_ptr failure_;
};

} // namespace bench

#endif // KAIO_BENCH_FILE_READER_HPP
