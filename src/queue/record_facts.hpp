//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_QUEUE_RECORD_FACTS_HPP
#define KAIO_QUEUE_RECORD_FACTS_HPP

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>

#include <kaio/detail/operation/kernel_options.hpp>

#include "policy/attempt_end.hpp"
#include "policy/path.hpp"
#include "queue/open_file.hpp"

namespace kaio {
namespace detail {

inline bool is_transfer(const operation_record& record)
{
    return record.request().kind == operation_kind::read ||
           record.request().kind == operation_kind::write;
}

/// Whether a transfer waits, although the kernel is asked not to.
inline bool ignores_nowait(const operation_record& record)
{
    const open_file& file = record.file();
    const bool writes_through = (record.request().rw_flags & (rwf_dsync | rwf_sync)) != 0;
    return record.request().kind == operation_kind::write &&
           (file.writes_wait() || (!file.is_direct() && writes_through));
}

/// Whether a transfer is a write to the end of its file, whatever its offset.
inline bool appends(const operation_record& record)
{
    return record.request().kind == operation_kind::write &&
           (record.file().appends() || (record.request().rw_flags & rwf_append) != 0);
}

/// Whether the kernel does a transfer as a whole. If it was cut short it must not be continued, as others
/// could get between.
inline bool is_indivisible(const operation_record& record)
{
    return appends(record) || (record.request().rw_flags & rwf_atomic) != 0;
}

/// Whether the user has asked the kernel not to wait, and wants to see what it says.
inline bool wants_no_wait(const operation_record& record)
{
    return (record.request().rw_flags & rwf_nowait) != 0;
}

/// Whether a transfer doesn't go through io_submit: the page cache has the data, or a helper gets it.
/// Only io_submit takes a priority.
inline bool goes_without_submission(const operation_record& record)
{
    return is_transfer(record) && record.file().is_cached() && record.block().priority == 0;
}

/// Whether the user has set a flag that the file may not know.
inline bool has_flags_of_the_user(const operation_record& record)
{
    return (record.request().rw_flags & (rwf_atomic | rwf_dontcache)) != 0;
}

/// The facts that decide the path of an operation, as far as it and its file know them.
inline path_facts facts_of(const operation_record& record) noexcept
{
    path_facts facts{};
    facts.transfers = is_transfer(record);
    facts.at_position = record.request().at_position && !record.progress().seeks;
    facts.seeks = record.progress().seeks;
    facts.direct = record.file().is_direct();
    facts.direct_to_device = record.file().is_direct_to_device();
    facts.cached = goes_without_submission(record);
    facts.waits_anyway = ignores_nowait(record);
    facts.user_nowait = wants_no_wait(record);
    facts.appends = appends(record);
    return facts;
}

/// The number of bytes that one call of the kernel transfers at most: 2 GiB less a page.
inline std::uint64_t largest_call() noexcept
{
    // Not a guarded static: a fork may copy its guard while a thread holds it.
    static std::atomic<std::uint64_t> known{0};
    std::uint64_t result = known.load(std::memory_order_relaxed);
    if (result == 0)
    {
        result = static_cast<std::uint64_t>(std::numeric_limits<int>::max()) -
                 static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + 1;
        known.store(result, std::memory_order_relaxed);
    }
    return result;
}

/// The number of bytes of a transfer, but no more than one call transfers.
/** The synchronous functions make one call. An asynchronous transfer moves no more than they do. */
inline std::uint64_t most_of_one_call(const operation_record& record) noexcept
{
    std::uint64_t total = record.request().vector_count == 0 ? record.block().length : 0;
    for (std::uint32_t i = 0; i != record.request().vector_count; ++i)
        total += record.buffers()[i].iov_len;
    return std::min(total, largest_call());
}

/// Whether a transfer would end behind the largest offset there is.
inline bool ends_beyond_all_files(const operation_record& record)
{
    constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::uint64_t>(record.block().offset) > largest - most_of_one_call(record);
}

/// Whether a transfer that was cut short has reached the end of the file.
inline bool ends_inside_sector(const operation_record& record, std::int64_t result)
{
    constexpr std::int64_t smallest_sector = 512;
    return record.file().is_direct() && result % smallest_sector != 0;
}

/// The facts that decide what the end of an attempt means, as far as the operation and its file know them.
inline attempt_facts facts_of_end(const operation_record& record, attempt made,
                                  std::int64_t result) noexcept
{
    const open_file& file = record.file();
    attempt_facts facts{};
    facts.made = made;
    facts.result = result;
    facts.wanted = most_of_one_call(record);
    facts.transfers = is_transfer(record);
    facts.added_nowait = record.progress().nowait_added;
    facts.user_nowait = wants_no_wait(record);
    facts.user_flags = has_flags_of_the_user(record);
    facts.has_priority = record.block().priority != 0;
    facts.indivisible = is_indivisible(record);
    // A try goes through the page cache, even if the file has been made direct since.
    facts.at_end_of_file = made != attempt::loop_try && ends_inside_sector(record, result);
    facts.beyond_all_files = facts.transfers && ends_beyond_all_files(record);
    facts.direct_to_device = record.file().is_direct_to_device();
    facts.others_in_flight = file.usage().in_flight() != 0;
    facts.seeks = record.progress().seeks;
    facts.closed = file.is_detached();
    return facts;
}

} // namespace detail
} // namespace kaio

#endif // KAIO_QUEUE_RECORD_FACTS_HPP
