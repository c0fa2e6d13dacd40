//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "offload/carry_out.hpp"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include <kaio/detail/file/descriptor.hpp>

#include "offload/file_position.hpp"
#include "queue/record_facts.hpp"

namespace kaio {
namespace detail {
namespace {

// Gives the calling thread an I/O priority for a while.
class thread_priority
{
public:
    explicit thread_priority(int priority) noexcept
      : wanted_(priority), before_(priority != 0 ? ::syscall(SYS_ioprio_get, who_process, 0) : 0)
    {
        if (wanted_ != 0 && set(wanted_) == -1)
            error_ = errno;
    }

    thread_priority(const thread_priority&) = delete;
    thread_priority& operator=(const thread_priority&) = delete;

    ~thread_priority()
    {
        // A process that has given up its privileges can't give a thread back its real-time class. The
        // class that follows the nice value is allowed to all.
        if (wanted_ != 0 && error_ == 0 && set(before_) == -1)
            set(no_priority);
    }

    int error() const noexcept
    {
        return error_;
    }

private:
    static constexpr int who_process = 1;
    static constexpr long no_priority = 0;

    static long set(long priority) noexcept
    {
        return ::syscall(SYS_ioprio_set, who_process, 0, priority);
    }

    const int wanted_;
    const long before_;
    int error_ = 0;
};

// The buffers of a transfer, without what has been transferred already.
class remaining_buffers
{
public:
    explicit remaining_buffers(const operation_record& record) noexcept
      : only_(record.buffer()), first_(&only_), count_(1)
    {
        if (record.request().vector_count != 0)
        {
            first_ = record.buffers();
            count_ = record.request().vector_count;
        }
        const std::size_t done = record.progress().transferred;
        if (done == 0)
            return; // The kernel knows how much it does by one call.
        const auto most = static_cast<std::size_t>(most_of_one_call(record));
        skip(done);
        limit(most - done);
    }

    remaining_buffers(const remaining_buffers&) = delete;
    remaining_buffers& operator=(const remaining_buffers&) = delete;

    const ::iovec* first() const noexcept
    {
        return first_;
    }

    std::size_t count() const noexcept
    {
        return count_;
    }

private:
    void skip(std::size_t bytes) noexcept
    {
        for (; bytes >= first_->iov_len && count_ > 1; ++first_, --count_)
            bytes -= first_->iov_len;
        first_->iov_base = static_cast<char*>(first_->iov_base) + bytes;
        first_->iov_len -= bytes;
    }

    void limit(std::size_t bytes) noexcept
    {
        ::iovec* last = first_;
        for (; last->iov_len < bytes; ++last)
            bytes -= last->iov_len;
        last->iov_len = bytes;
        count_ = static_cast<std::size_t>(last - first_) + 1;
    }

    ::iovec only_;
    ::iovec* first_;
    std::size_t count_;
};

std::int64_t transfer(operation_record& record, int descriptor) noexcept
{
    const thread_priority priority(record.block().priority);
    if (priority.error() != 0)
        return -priority.error();

    if (record.progress().seeks && record.block().offset == -1)
        find_position(record, descriptor);
    const std::int64_t before = record.progress().transferred;
    const remaining_buffers buffers(record);
    int error = 0;
    const auto transfer_at = [&](std::int64_t offset) {
        return descriptor::transfer(descriptor, record.request().kind, buffers.first(),
                                    buffers.count(), offset, record.request().rw_flags, error);
    };
    std::size_t bytes = transfer_at(record.block().offset + before);
    if (error == ESPIPE && record.progress().seeks && before == 0)
    {
        // Writable files of procfs may be written at their position, but not at an offset.
        record.block().offset = -1;
        bytes = transfer_at(-1);
    }
    const std::int64_t result = before + static_cast<std::int64_t>(bytes);
    if (record.progress().seeks)
        move_position(record, descriptor, result);
    return error != 0 && before == 0 ? -error : result;
}

} // namespace

std::int64_t carry_out(operation_record& record, int descriptor) noexcept
{
    int error = 0;
    switch (record.request().kind)
    {
    case operation_kind::read:
    case operation_kind::write:
        return transfer(record, descriptor);
    case operation_kind::sync_all:
        descriptor::sync_all(descriptor, error);
        return -error;
    case operation_kind::sync_data:
        descriptor::sync_data(descriptor, error);
        return -error;
    case operation_kind::job:
        return record.call_job(descriptor);
    }
    return -EINVAL;
}

} // namespace detail
} // namespace kaio
