//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_RECORD_FACTS_HPP
#define KAIO_RECORD_FACTS_HPP

#include <cstdint>
#include <limits>

#include <kaio/detail/kernel_options.hpp>

#include "open_file.hpp"

namespace kaio {
namespace detail {

inline bool is_transfer(const operation_record& record)
{
    return record.kind_ == operation_kind::read || record.kind_ == operation_kind::write;
}

/// Whether a write completes only when its data is on stable storage.
inline bool writes_through(const operation_record& record)
{
    return record.file_->sync_writes_ || (record.rw_flags_ & (rwf_dsync | rwf_sync)) != 0;
}

/// Whether the user wants to see what the kernel says when it isn't to wait.
inline bool wants_no_wait(const operation_record& record)
{
    return (record.rw_flags_ & rwf_nowait) != 0;
}

/// Whether a flag may be unknown to the file that the user set, and not the engine.
inline bool has_flags_of_the_user(const operation_record& record)
{
    return (record.rw_flags_ & (rwf_atomic | rwf_dontcache)) != 0;
}

/// Whether an operation goes from a block device to memory, or back, past the page cache.
inline bool is_direct_to_device(const operation_record& record)
{
    return record.file_->type_ == file_type::block_device && record.file_->direct_;
}

/// The number of bytes that a transfer is to move.
inline std::uint64_t requested(const operation_record& record)
{
    std::uint64_t total = record.buffers_->iov_len;
    for (std::uint32_t i = 1; i < record.buffer_count_; ++i)
        total += record.buffers_[i].iov_len;
    return total;
}

/// Whether a transfer would end behind the largest offset there is, which no file takes.
inline bool ends_beyond_all_files(const operation_record& record)
{
    constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
    const std::uint64_t length = requested(record);
    return length > largest || static_cast<std::uint64_t>(record.offset_) > largest - length;
}

/// Whether a transfer that was cut short has reached the end of the file.
inline bool ends_inside_sector(const operation_record& record, std::int64_t result)
{
    constexpr std::int64_t smallest_sector = 512;
    return record.file_->direct_ && result % smallest_sector != 0;
}

} // namespace detail
} // namespace kaio

#endif // KAIO_RECORD_FACTS_HPP
