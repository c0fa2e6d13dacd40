//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "aio_context.hpp"

#include <libaio.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fstream>
#include <string>

#include <kaio/detail/kernel_options.hpp>
#include <kaio/detail/setup_failure.hpp>

#include "submission_batch.hpp"

namespace kaio {
namespace detail {
namespace {

static_assert(sizeof(::io_event) == sizeof(completion_event),
              "the event of libaio is the kernel's");

// libaio.h doesn't name the flags of a control block.
constexpr unsigned flag_resfd = 1;
constexpr unsigned flag_priority = 2;

constexpr std::size_t most_events_at_once = 64;

// By kind of operation, for one buffer and for several.
constexpr short opcodes[][2] = {{IO_CMD_PREAD, IO_CMD_PREADV},
                                {IO_CMD_PWRITE, IO_CMD_PWRITEV},
                                {IO_CMD_FSYNC, IO_CMD_FSYNC},
                                {IO_CMD_FDSYNC, IO_CMD_FDSYNC}};

static_assert(static_cast<int>(operation_kind::read) == 0 &&
                  static_cast<int>(operation_kind::write) == 1 &&
                  static_cast<int>(operation_kind::sync_all) == 2 &&
                  static_cast<int>(operation_kind::sync_data) == 3,
              "in the order of the table");

std::string limit(const char* name)
{
    std::string value = "unknown";
    std::ifstream(std::string("/proc/sys/fs/") + name) >> value;
    return value;
}

[[noreturn]] void throw_refused(int error, std::size_t needed)
{
    throw setup_failure(error, "io_setup for " + std::to_string(needed) +
                                   " operations, fs.aio-nr " + limit("aio-nr") +
                                   " of fs.aio-max-nr " + limit("aio-max-nr"));
}

} // namespace

struct submission_batch::control_blocks
{
    explicit control_blocks(std::size_t size) : blocks(size), pointers(size)
    {
        for (std::size_t i = 0; i != size; ++i)
            pointers[i] = &blocks[i];
    }

    std::vector<::iocb> blocks;
    std::vector<::iocb*> pointers;
};

submission_batch::submission_batch(std::size_t capacity)
  : records_(capacity), control_blocks_(std::make_unique<control_blocks>(capacity))
{
    users_.reserve(capacity);
}

submission_batch::~submission_batch() = default;

void submission_batch::add(operation_record& record, int wake_descriptor) noexcept
{
    open_file& file = *record.file_;
    if (file.batch_number_ != number_)
    {
        file.batch_number_ = number_;
        file.batch_user_ = users_.size();
        users_.push_back({&file, false, false});
    }
    user& u = users_[file.batch_user_];
    u.reads |= record.kind_ == operation_kind::read;
    u.writes |= record.kind_ == operation_kind::write;

    ::iocb& block = control_blocks_->blocks[size_];
    records_[size_++] = &record;

    const bool several = record.buffer_count_ > 1;
    const bool has_priority = record.priority_ != 0;
    block.data = &record;
    block.aio_rw_flags = record.rw_flags_ | (record.nowait_added_ ? rwf_nowait : 0);
    block.aio_lio_opcode = opcodes[static_cast<std::size_t>(record.kind_)][several];
    block.aio_reqprio = static_cast<short>(record.priority_);
    block.aio_fildes = file.descriptor_;
    block.u.c.flags = has_priority ? flag_resfd | flag_priority : flag_resfd;
    block.u.c.resfd = static_cast<unsigned>(wake_descriptor);
    block.u.c.buf = several ? record.buffers_ : nullptr;
    block.u.c.nbytes = record.buffer_count_;
    block.u.c.offset = record.offset_;
    if (record.buffer_count_ == 1)
    {
        block.u.c.buf = record.buffers_->iov_base;
        block.u.c.nbytes = record.buffers_->iov_len;
    }
}

aio_context::aio_context(std::size_t operations)
  : capacity_(operations), events_(std::min<std::size_t>(operations, most_events_at_once))
{
    ::io_context_t context = nullptr;
    for (;;)
    {
        const std::size_t events = std::min<std::size_t>(capacity_, INT_MAX);
        const int result = ::io_setup(static_cast<int>(events), &context);
        if (result == 0)
            break;
        const bool fewer_may_do = result == -EAGAIN || result == -ENOMEM || result == -EINVAL;
        if (!fewer_may_do || capacity_ <= 1)
            throw_refused(-result, operations);
        capacity_ = events / 2;
    }
    context_ = context;
    ring_ = completion_ring(context_);
}

aio_context::~aio_context()
{
    if (context_)
        ::io_destroy(static_cast<::io_context_t>(context_));
}

submission aio_context::submit(const submission_batch& batch, std::size_t first) noexcept
{
    const int result =
        ::io_submit(static_cast<::io_context_t>(context_), static_cast<long>(batch.size() - first),
                    batch.control_blocks_->pointers.data() + first);
    if (result > 0)
        return {static_cast<std::size_t>(result), 0};
    return {0, result < 0 ? -result : EAGAIN};
}

std::size_t aio_context::get_events(long minimum) noexcept
{
    ::timespec now = {0, 0};
    const int result = ::io_getevents(
        static_cast<::io_context_t>(context_), minimum, static_cast<long>(events_.size()),
        reinterpret_cast<::io_event*>(events_.data()), minimum == 0 ? &now : nullptr);
    return result > 0 ? static_cast<std::size_t>(result) : 0;
}

} // namespace detail
} // namespace kaio
