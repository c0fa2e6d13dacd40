//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_OFFLOAD_FILE_POSITION_HPP
#define KAIO_OFFLOAD_FILE_POSITION_HPP

#include <unistd.h>

#include <kaio/detail/operation_record.hpp>

namespace kaio {
namespace detail {

// A transfer at the position is given that as its offset, since Linux AIO knows nothing else, and a
// thread that left it to the system call would have a seek wait for the transfer.
//
// A seek waits as long as somebody else holds the position: another process or another thread that reads
// or writes at it, by this descriptor or a duplicate. Nothing tells beforehand, and no flag keeps from
// waiting. So these are never called with the engine's lock. A loop that was made to wait leaves the next
// transfers of the file to threads; what remains is its first wait, also for what it took in the same turn.

/// Have a transfer begin at the position of the file. Where there is none, the offset stays -1.
inline void find_position(operation_record& record, int descriptor) noexcept
{
    record.block_.offset = ::lseek(descriptor, 0, SEEK_CUR);
    record.position_due_ = record.block_.offset != -1;
}

/// Move the position behind what a transfer has transferred.
inline void move_position(operation_record& record, int descriptor, std::int64_t result) noexcept
{
    if (result > 0 && record.block_.offset != -1)
        ::lseek(descriptor, record.block_.offset + result, SEEK_SET);
    record.position_due_ = false;
}

} // namespace detail
} // namespace kaio

#endif // KAIO_OFFLOAD_FILE_POSITION_HPP
