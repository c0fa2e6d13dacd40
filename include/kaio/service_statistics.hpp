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
 * All figures are those of one moment. So these hold whenever they are asked for:
 *
 * @li <tt>operations_started == operations_completed + outstanding</tt>; @c operations_failed and
 * @c operations_cancelled are parts of @c operations_completed that exclude each other.
 *
 * @li <tt>would_block_fallbacks == refused_fallbacks + unknown_flag_fallbacks +
 * short_fallbacks</tt>.
 *
 * @li The paths add up. Each operation completes at once, or while it is queued, or by an answer of
 * the kernel or of a helper thread. Each answer but the last has sent it on elsewhere:
 * @code
 * operations_started + would_block_fallbacks + unsupported_fallbacks + loop_retries ==
 *     immediate_completions + completed_while_queued + queued +
 *     loop_submissions + loop_tries + helper_submissions + helper_operations
 * @endcode
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

    /// Operations completed without being queued: there was nothing to transfer, or no file.
    std::uint64_t immediate_completions = 0;

    /// Operations completed while they were queued: cancelled there, or no thread could be made.
    std::uint64_t completed_while_queued = 0;

    /// Operations started and not yet completed.
    std::size_t outstanding = 0;

    /// Those of them that wait in kaio: for the end of the turn, for room in the kernel, for a helper.
    std::size_t queued = 0;

    /// The largest number of outstanding operations seen.
    std::size_t outstanding_high_water = 0;

    /// The largest number of operations seen in the kernel at once.
    std::size_t in_flight_high_water = 0;

    /// The largest number of queued operations seen.
    std::size_t queued_high_water = 0;

    /// Calls of io_submit, on the loop and by helpers.
    std::uint64_t submit_calls = 0;

    /// The largest number of operations accepted by one call of io_submit.
    std::size_t largest_batch = 0;

    /// The mean number of operations that one call of io_submit disposed of; 0 without a call.
    double mean_batch() const noexcept
    {
        if (submit_calls == 0)
            return 0;
        return static_cast<double>(loop_submissions + helper_submissions) /
               static_cast<double>(submit_calls);
    }

    /// Operations handed to the kernel on the loop, with what it refused by an error.
    std::uint64_t loop_submissions = 0;

    /// Transfers that the loop tried by a system call that doesn't wait: what the page cache has needs
    /// no submission.
    std::uint64_t loop_tries = 0;

    /// Operations handed to the kernel by helpers, with what it refused by an error.
    std::uint64_t helper_submissions = 0;

    /// Operations carried out by helper threads.
    std::uint64_t helper_operations = 0;

    /// Reads that were prefetched (posix_fadvise) while they waited for a helper, so that a device has
    /// more to do than there are helpers.
    std::uint64_t prefetched_reads = 0;

    /// Completions read from the ring in user space.
    std::uint64_t events_from_ring = 0;

    /// Completions fetched by io_getevents.
    std::uint64_t events_from_syscall = 0;

    /// Operations that would have made the loop wait, and that went on elsewhere.
    std::uint64_t would_block_fallbacks = 0;

    /// Those of them that the kernel refused to do without waiting (EAGAIN).
    std::uint64_t refused_fallbacks = 0;

    /// Those whose file or kernel doesn't know RWF_NOWAIT (EOPNOTSUPP; of a call also EINVAL, ENOSYS).
    std::uint64_t unknown_flag_fallbacks = 0;

    /// Those that transferred a part without waiting, and the rest elsewhere.
    std::uint64_t short_fallbacks = 0;

    /// Operations that went off the loop without an attempt: their file has refused others, has made
    /// the loop wait, or doesn't know RWF_NOWAIT.
    std::uint64_t skipped_attempts = 0;

    /// Operations for which the kernel has no asynchronous function, and which went to a helper.
    std::uint64_t unsupported_fallbacks = 0;

    /// Operations that a block device got once more: its queue was full, or the flag unknown.
    std::uint64_t loop_retries = 0;

    /// How often io_submit took more than a millisecond on the loop, or a batch of tries more than that
    /// and more than 50 microseconds for each.
    std::uint64_t slow_submissions = 0;

    /// The longest time on the loop of one io_submit, or of one batch of tries.
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
