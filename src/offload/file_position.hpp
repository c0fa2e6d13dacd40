//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_OFFLOAD_FILE_POSITION_HPP
#define KAIO_OFFLOAD_FILE_POSITION_HPP

#include <unistd.h>

#include <kaio/detail/operation/operation_record.hpp>

namespace kaio {
namespace detail {

// A transfer at the position of a file gets the position as its offset. Linux AIO takes only offsets. And
// if a helper left the position to the system call, a seek would wait for that call.
//
// A seek waits as long as somebody else holds the position: another process or thread that reads or writes
// at it, by this descriptor or a duplicate. The kernel can't be asked beforehand, and there is no flag
// against the wait. So these functions are never called with the engine's lock held. When a seek has made
// the loop wait, the next transfers of that file go to helpers. The first wait remains, also for what was
// taken in the same turn.

/// Have a transfer begin at the position of the file. Where there is none, the offset stays -1.
inline void find_position(operation_record& record, int descriptor) noexcept
{
    record.block().offset = ::lseek(descriptor, 0, SEEK_CUR);
    record.progress().position_due = record.block().offset != -1;
}

/// Move the position behind what a transfer has transferred.
inline void move_position(operation_record& record, int descriptor, std::int64_t result) noexcept
{
    if (result > 0 && record.block().offset != -1)
        ::lseek(descriptor, record.block().offset + result, SEEK_SET);
    record.progress().position_due = false;
}

} // namespace detail
} // namespace kaio

#endif // KAIO_OFFLOAD_FILE_POSITION_HPP
