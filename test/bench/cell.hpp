//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_CELL_HPP
#define KAIO_BENCH_CELL_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/// What the operations do.
enum class access
{
    read,       ///< at random offsets
    write,      ///< at random offsets of blocks that exist
    mixed,      ///< seven reads to three writes
    extend,     ///< writes one behind the other, from an empty file on
    write_sync, ///< a write, then async_sync_data: together one operation
};

/// Where the data of the operations is.
enum class cache
{
    direct, ///< on the device: O_DIRECT
    warm,   ///< in the page cache
    cold,   ///< not in the page cache, though read through it
};

/// One measurement: who does what.
struct cell
{
    std::string contender;
    bench::access access = bench::access::read;
    bench::cache cache = bench::cache::direct;
    std::vector<std::string> paths;
    std::uint64_t file_size = 0;
    std::size_t block_size = 4096;

    /// Operations outstanding, on all loops together.
    std::size_t depth = 32;

    /// Threads, and event loops that they run. More threads than loops share one.
    std::size_t threads = 1;
    std::size_t loops = 1;

    /// The end: after so long or, if that isn't 0, after so many operations.
    std::chrono::nanoseconds duration = std::chrono::seconds(1);
    std::uint64_t operations = 0;
    std::uint64_t warm_up_operations = 0;

    /// Start all operations at once and wait for all, again and again, instead of chains.
    bool waves = false;

    /// Of what is written: another in each run, so that the writes of an earlier one don't count.
    std::uint64_t content_seed = 0;

    bool count_allocations = false;

    /// Each slot repeats one operation, neither checked nor timed: for those who count what a
    /// contender itself does.
    bool bare = false;

    /// What else the loop does, where the contender is one on an Asio loop.
    std::size_t echo_sessions = 0;
    bool ticker = false;

    /// 0: kaio's default.
    std::size_t max_in_flight = 0;
    std::size_t max_batch = 0;

    /// An open file object isn't for several threads at once: each operation has one of its own.
    bool one_handle_per_slot() const noexcept
    {
        return threads > loops;
    }
};

} // namespace bench

#endif // KAIO_BENCH_CELL_HPP
