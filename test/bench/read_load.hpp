//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_READ_LOAD_HPP
#define KAIO_BENCH_READ_LOAD_HPP

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "page_cache.hpp"
#include "random_offsets.hpp"
#include "read_check.hpp"

namespace bench {

using clock = std::chrono::steady_clock;

/// What every contender does: read a file at the same random offsets, so many reads outstanding at
/// a time, and check each.
struct read_load
{
    std::string path;
    int open_flags = O_RDONLY | O_DIRECT;
    std::uint64_t file_size = 0;
    std::size_t block_size = 4096;
    std::size_t depth = 32;
    clock::duration duration = std::chrono::seconds(3);
    random_offsets offsets;
    const read_check& check;

    /// Called before each measurement: reads through the page cache shall not find the file there.
    void start_cold() const
    {
        if ((open_flags & O_DIRECT) == 0)
            drop_page_cache(path);
    }

    /// Throws unless the read with this index was complete and right.
    void verify(std::uint64_t index, const unsigned char* data, std::size_t size) const
    {
        const std::uint64_t offset = offsets[index];
        const std::uint64_t expected = std::min<std::uint64_t>(block_size, file_size - offset);
        if (size != expected)
            throw std::runtime_error("read " + std::to_string(size) + " bytes instead of " +
                                     std::to_string(expected) + " at offset " +
                                     std::to_string(offset));
        check.verify(index, offset, data, size);
    }

    /// Throws: the read with this index failed.
    [[noreturn]] void fail(std::uint64_t index, const std::string& message) const
    {
        throw std::runtime_error("cannot read at offset " + std::to_string(offsets[index]) + ": " +
                                 message);
    }
};

} // namespace bench

#endif // KAIO_BENCH_READ_LOAD_HPP
