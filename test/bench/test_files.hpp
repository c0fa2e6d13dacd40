//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_TEST_FILES_HPP
#define KAIO_BENCH_TEST_FILES_HPP

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "aligned_memory.hpp"
#include "cell.hpp"
#include "descriptor.hpp"
#include "page_cache.hpp"
#include "workload.hpp"

namespace bench {

/// Fills a file or a block device with what a workload expects to find.
inline void create_test_file(const std::string& path, std::uint64_t size)
{
    constexpr std::size_t step = 1024 * 1024;
    const descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (file.get() < 0)
        throw_errno("cannot create " + path);
    const aligned_memory block(std::min<std::uint64_t>(step, size));
    const file_content content(workload::seed);
    for (std::uint64_t at = 0; at < size; at += step)
    {
        const std::size_t length = std::min<std::uint64_t>(step, size - at);
        content.fill(at, block.data(), length);
        if (::pwrite(file.get(), block.data(), length, static_cast<off_t>(at)) !=
            static_cast<ssize_t>(length))
            throw_errno("cannot write " + path);
    }
    if (::fsync(file.get()) != 0)
        throw_errno("cannot write " + path);
}

/// The files of a cell, before and after the operations.
class test_files
{
public:
    explicit test_files(const cell& c) : cell_(c)
    {
        reset();
    }

    /// To the state that the operations start from.
    void reset() const
    {
        const aligned_memory block(cell_.cache == cache::warm ? read_size : 0);
        for (const std::string& path : cell_.paths)
        {
            if (cell_.access == access::extend)
                empty(path);
            else if (cell_.cache == cache::cold)
                drop_page_cache(path);
            else if (cell_.cache == cache::warm)
                read_all(path, block);
        }
    }

    /// Throws if the first of so many blocks that were written, a thousand of them, aren't there.
    void verify_written(std::uint64_t written) const
    {
        if (cell_.access == access::read || cell_.access == access::mixed)
            return;
        const workload work(cell_);
        const aligned_memory block(cell_.block_size);
        std::vector<descriptor> files;
        for (const std::string& path : cell_.paths)
        {
            drop_page_cache(path);
            files.push_back(open_file(path, O_RDONLY));
        }
        for (std::uint64_t i = 0; i != std::min<std::uint64_t>(written, 1000); ++i)
        {
            const operation op = work[work.first_measured() + i];
            if (::pread(files[op.file].get(), block.data(), cell_.block_size,
                        static_cast<off_t>(op.offset)) != static_cast<ssize_t>(cell_.block_size))
                throw_errno("cannot read what was written");
            if (!work.verify(op.offset, block.data()))
                throw std::runtime_error("wrong data was written at offset " +
                                         std::to_string(op.offset));
        }
    }

private:
    static void empty(const std::string& path)
    {
        const descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        if (file.get() < 0 || ::fsync(file.get()) != 0)
            throw_errno("cannot create " + path);
    }

    static void read_all(const std::string& path, const aligned_memory& block)
    {
        const descriptor file = open_file(path, O_RDONLY);
        ssize_t n = 0;
        do
            n = ::read(file.get(), block.data(), read_size);
        while (n > 0);
        if (n < 0)
            throw_errno("cannot read " + path);
    }

    static constexpr std::size_t read_size = 1024 * 1024;

    const cell& cell_;
};

} // namespace bench

#endif // KAIO_BENCH_TEST_FILES_HPP
