//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_CONTROL_BLOCK_HPP
#define KAIO_DETAIL_OPERATION_CONTROL_BLOCK_HPP

#include <cstdint>

#include <kaio/detail/config.hpp>

namespace kaio {
namespace detail {

/// What the kernel is to do, by its numbers.
enum class kernel_command : std::uint16_t
{
    read = 0,
    write = 1,
    sync_all = 2,
    sync_data = 3,
    read_to_several = 7,
    write_from_several = 8
};

/// What io_submit is given for an operation: the kernel's iocb.
/**
 * The kernel reads it, and writes its key, during the call. The name iocb is taken by <libaio.h>
 * and <linux/aio_abi.h>, which programs may include.
 */
struct control_block
{
    static constexpr std::uint32_t signals_descriptor = 1;
    static constexpr std::uint32_t has_priority = 2;

    std::uint64_t data;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    std::uint32_t rw_flags;
    std::uint32_t key;
#else
    std::uint32_t key;
    std::uint32_t rw_flags;
#endif
    kernel_command command;
    std::uint16_t priority;
    std::int32_t file_descriptor;

    // The address and the size of a buffer, or of an array of iovecs.
    std::uint64_t buffer;
    std::uint64_t length;

    std::int64_t offset;
    std::uint64_t reserved;
    std::uint32_t flags;
    std::int32_t wake_descriptor;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_CONTROL_BLOCK_HPP
