//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_SERVICE_STATISTICS_HPP
#define KAIO_SERVICE_STATISTICS_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>

#include <kaio/detail/config.hpp>

namespace kaio {

/// What an aio_service has done so far, and what it is doing.
/**
 * @c operations_started is always the sum of @c operations_completed and @c outstanding;
 * @c operations_failed and @c operations_cancelled are parts of @c operations_completed.
 */
struct service_statistics
{
    /// Asynchronous operations started.
    std::uint64_t operations_started = 0;

    /// Operations handed to their executor for completion.
    std::uint64_t operations_completed = 0;

    /// Operations completed with an error other than @c operation_aborted and @c eof.
    std::uint64_t operations_failed = 0;

    /// Operations completed with @c operation_aborted.
    std::uint64_t operations_cancelled = 0;

    /// Operations started and not yet completed.
    std::size_t outstanding = 0;

    /// Those of them that wait in kaio, because the kernel holds as many as it may.
    std::size_t queued = 0;

    /// The largest number of outstanding operations seen.
    std::size_t outstanding_high_water = 0;

    /// The largest number of operations seen in the kernel at once.
    std::size_t in_flight_high_water = 0;

    /// The largest number of queued operations seen.
    std::size_t queued_high_water = 0;

    /// Calls of io_submit, on the loop and on threads of kaio.
    std::uint64_t submit_calls = 0;

    /// The largest number of operations accepted by one call of io_submit.
    std::size_t largest_batch = 0;

    /// Completions read from the ring in user space.
    std::uint64_t events_from_ring = 0;

    /// Completions fetched by io_getevents.
    std::uint64_t events_from_syscall = 0;

    /// Operations that an attempt on the loop would have made wait, and that went on elsewhere.
    std::uint64_t would_block_fallbacks = 0;

    /// Operations carried out by helper threads.
    std::uint64_t helper_operations = 0;

    /// Operations handed to the kernel by threads of kaio.
    std::uint64_t thread_submissions = 0;

    /// The longest call of io_submit on the loop.
    std::chrono::nanoseconds longest_submit{0};

    /// Bytes read by completed operations.
    std::uint64_t bytes_read = 0;

    /// Bytes written by completed operations.
    std::uint64_t bytes_written = 0;

    /// Whether the kernel granted an AIO context. If not, helper threads do all the work.
    bool kernel_aio = false;

    /// Why it didn't.
    std::string setup_error;
};

/// Print statistics for people, one figure a line.
KAIO_DECL std::ostream& operator<<(std::ostream& os, const service_statistics& statistics);

} // namespace kaio

#endif // KAIO_SERVICE_STATISTICS_HPP
