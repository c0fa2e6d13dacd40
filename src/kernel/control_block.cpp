//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Compares the control block with the kernel's. Nothing else here, as the header of the kernel and
// that of libaio can't be included together.

#include <kaio/detail/operation/control_block.hpp>

#include <linux/aio_abi.h>

#include <cstddef>

namespace kaio {
namespace detail {

static_assert(sizeof(control_block) == sizeof(::iocb) &&
                  offsetof(control_block, data) == offsetof(::iocb, aio_data) &&
                  offsetof(control_block, key) == offsetof(::iocb, aio_key) &&
                  offsetof(control_block, rw_flags) == offsetof(::iocb, aio_rw_flags) &&
                  offsetof(control_block, command) == offsetof(::iocb, aio_lio_opcode) &&
                  offsetof(control_block, priority) == offsetof(::iocb, aio_reqprio) &&
                  offsetof(control_block, file_descriptor) == offsetof(::iocb, aio_fildes) &&
                  offsetof(control_block, buffer) == offsetof(::iocb, aio_buf) &&
                  offsetof(control_block, length) == offsetof(::iocb, aio_nbytes) &&
                  offsetof(control_block, offset) == offsetof(::iocb, aio_offset) &&
                  offsetof(control_block, flags) == offsetof(::iocb, aio_flags) &&
                  offsetof(control_block, wake_descriptor) == offsetof(::iocb, aio_resfd),
              "the layout of the kernel's control block");

static_assert(control_block::signals_descriptor == IOCB_FLAG_RESFD &&
                  control_block::has_priority == IOCB_FLAG_IOPRIO,
              "the flags of the kernel's control block");

static_assert(static_cast<int>(kernel_command::read) == IOCB_CMD_PREAD &&
                  static_cast<int>(kernel_command::write) == IOCB_CMD_PWRITE &&
                  static_cast<int>(kernel_command::sync_all) == IOCB_CMD_FSYNC &&
                  static_cast<int>(kernel_command::sync_data) == IOCB_CMD_FDSYNC &&
                  static_cast<int>(kernel_command::read_to_several) == IOCB_CMD_PREADV &&
                  static_cast<int>(kernel_command::write_from_several) == IOCB_CMD_PWRITEV,
              "the commands of the kernel");

} // namespace detail
} // namespace kaio
