//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_ENGINE_SERVICE_COUNTERS_HPP
#define KAIO_ENGINE_SERVICE_COUNTERS_HPP

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>

#include <kaio/detail/operation/operation_record.hpp>
#include <kaio/service_statistics.hpp>

#include "policy/attempt_end.hpp"

namespace kaio {
namespace detail {

/// Counts what operations do, for service_statistics: one function for each step that counts.
class service_counters
{
public:
    /// All figures of this moment.
    service_statistics read(std::size_t queued) const
    {
        service_statistics result = counted_;
        result.queued = queued;
        result.operations_started = result.operations_completed + result.outstanding;
        result.bytes_read = sums_[static_cast<std::size_t>(operation_kind::read)];
        result.bytes_written = sums_[static_cast<std::size_t>(operation_kind::write)];
        result.would_block_fallbacks =
            result.refused_fallbacks + result.unknown_flag_fallbacks + result.short_fallbacks;
        return result;
    }

    /// Whether there is an AIO context, and if not, why.
    void set_up(bool kernel_aio, const char* error) noexcept
    {
        counted_.kernel_aio = kernel_aio;
        try
        {
            counted_.setup_error = error;
        }
        catch (const std::bad_alloc&)
        {
            counted_.setup_error.clear();
        }
    }

    // The first and the last step of an operation.

    void started() noexcept
    {
        if (++counted_.outstanding > counted_.outstanding_high_water)
            counted_.outstanding_high_water = counted_.outstanding;
    }

    void completed(operation_kind kind, std::int64_t result) noexcept
    {
        --counted_.outstanding;
        ++counted_.operations_completed;
        if (result >= 0)
            sums_[static_cast<std::size_t>(kind)] += static_cast<std::uint64_t>(result);
        else if (result == -ECANCELED)
            ++counted_.operations_cancelled;
        else
            ++counted_.operations_failed;
    }

    /// An operation completes without being started. By -1, one that was counted does not.
    void completed_at_once(bool failed, int how_many) noexcept
    {
        const auto n = static_cast<std::uint64_t>(static_cast<std::int64_t>(how_many));
        counted_.operations_completed += n;
        counted_.immediate_completions += n;
        counted_.operations_failed += failed ? n : 0;
    }

    void completed_while_queued() noexcept
    {
        ++counted_.completed_while_queued;
    }

    // Submissions. They are counted beforehand: what is submitted may complete before the call returns.

    void submitting(bool on_loop, std::size_t count) noexcept
    {
        submissions(on_loop) += count;
    }

    void not_submitted(bool on_loop, std::size_t count) noexcept
    {
        submissions(on_loop) -= count;
    }

    /// A call of io_submit has returned, while the kernel had other operations.
    void submitted(std::size_t accepted, std::size_t others) noexcept
    {
        ++counted_.submit_calls;
        counted_.largest_batch = std::max(counted_.largest_batch, accepted);
        counted_.in_flight_high_water = std::max(counted_.in_flight_high_water, others + accepted);
    }

    void harvested(bool from_ring, std::size_t count) noexcept
    {
        (from_ring ? counted_.events_from_ring : counted_.events_from_syscall) += count;
        // A thread whose io_submit has not returned yet has not counted them.
        counted_.in_flight_high_water = std::max(counted_.in_flight_high_water, count);
    }

    // System calls, and helpers.

    void trying(std::size_t count) noexcept
    {
        counted_.loop_tries += count;
    }

    void not_tried() noexcept
    {
        --counted_.loop_tries;
    }

    void carrying_out() noexcept
    {
        ++counted_.helper_operations;
    }

    void prefetching() noexcept
    {
        ++counted_.prefetched_reads;
    }

    // Ways that were not taken, and ways that were taken in vain.

    void skipped_attempt() noexcept
    {
        ++counted_.skipped_attempts;
    }

    void retried_on_loop() noexcept
    {
        ++counted_.loop_retries;
    }

    void retried_off_loop(retry_reason reason) noexcept
    {
        switch (reason)
        {
        case retry_reason::would_wait:
            ++counted_.refused_fallbacks;
            break;
        case retry_reason::unknown_flag:
            ++counted_.unknown_flag_fallbacks;
            break;
        case retry_reason::cut_short:
            ++counted_.short_fallbacks;
            break;
        case retry_reason::none:
        case retry_reason::unsupported:
            ++counted_.unsupported_fallbacks;
            break;
        }
    }

    // What the loop has seen.

    void loop_was_held_up(std::chrono::nanoseconds duration, bool too_long) noexcept
    {
        counted_.longest_submit = std::max(counted_.longest_submit, duration);
        counted_.slow_submissions += too_long;
    }

    void queue_was(std::size_t size) noexcept
    {
        counted_.queued_high_water = std::max(counted_.queued_high_water, size);
    }

private:
    std::uint64_t& submissions(bool on_loop) noexcept
    {
        return on_loop ? counted_.loop_submissions : counted_.helper_submissions;
    }

    // Without what read() makes of it.
    service_statistics counted_;

    // The results of what succeeded, added up for each kind of operation: for transfers, bytes.
    std::array<std::uint64_t, operation_kinds> sums_{};
};

} // namespace detail
} // namespace kaio

#endif // KAIO_ENGINE_SERVICE_COUNTERS_HPP
