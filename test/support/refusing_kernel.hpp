//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_REFUSING_KERNEL_HPP
#define KAIO_TEST_SUPPORT_REFUSING_KERNEL_HPP

#include <stdlib.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <ostream>
#include <set>

#include "environment_variable.hpp"
#include "interposed_io.hpp"

namespace kaio {
namespace test {

/// How a kernel says that it would have to wait.
enum class refusal
{
    event_eagain,
    event_eopnotsupp,
    submit_eopnotsupp,
    half
};

inline std::ostream& operator<<(std::ostream& os, refusal r)
{
    return os << (r == refusal::event_eagain       ? "EAGAIN in the event"
                  : r == refusal::event_eopnotsupp ? "EOPNOTSUPP in the event"
                  : r == refusal::half             ? "half of it"
                                                   : "EOPNOTSUPP of io_submit");
}

// Events are changed on their way through io_getevents: the ring stays unread.
struct without_ring : environment_variable
{
    without_ring() : environment_variable("KAIO_RING", "off")
    {
    }
};

/// A kernel that refuses to do without waiting what it is asked to do so, all of it or half.
/** What was refused isn't done. */
class refusing_kernel
{
public:
    explicit refusing_kernel(refusal how) : how_(how)
    {
    }

    std::size_t attempts() const
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return attempts_;
    }

    void relent(bool relents = true)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        relented_ = relents;
    }

private:
    int submit(::aio_context_t kernel, long count, ::iocb** blocks)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (long i = 0; i != count; ++i)
        {
            ::iocb block = *blocks[i];
            ::iocb* one[] = {&block};
            if ((block.aio_rw_flags & RWF_NOWAIT) != 0)
            {
                ++attempts_;
                if (!relented_ && how_ == refusal::submit_eopnotsupp)
                    return i != 0 ? static_cast<int>(i) : -EOPNOTSUPP;
                if (!relented_ && how_ == refusal::half)
                {
                    block.aio_nbytes /= 2;
                    block.aio_rw_flags &= RWF_APPEND;
                }
                else if (!relented_)
                {
                    refused_.insert(block.aio_data);
                    block.aio_rw_flags = 0;
                    block.aio_nbytes = 0;
                }
            }
            const int result = kernel_submit(kernel, 1, one);
            if (result != 1)
                return i != 0 ? static_cast<int>(i) : result;
        }
        return static_cast<int>(count);
    }

    int get_events(::aio_context_t kernel, long minimum, long maximum, ::io_event* events,
                   ::timespec* timeout)
    {
        const int count = kernel_get_events(kernel, minimum, maximum, events, timeout);
        const std::lock_guard<std::mutex> lock(mutex_);
        for (int i = 0; i < count; ++i)
        {
            if (refused_.erase(events[i].data) != 0)
                events[i].res = how_ == refusal::event_eagain ? -EAGAIN : -EOPNOTSUPP;
        }
        return count;
    }

    // A transfer of the loop by a system call of its own.
    long call(long number, int descriptor, const ::iovec* buffers, long count, ::off_t offset,
              int flags)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if ((flags & RWF_NOWAIT) == 0)
            return kernel_call(number, descriptor, buffers, count, offset, flags);
        ++attempts_;
        if (relented_)
            return kernel_call(number, descriptor, buffers, count, offset, flags);
        if (how_ == refusal::half)
        {
            const ::iovec part = {buffers->iov_base, buffers->iov_len / 2};
            return kernel_call(number, descriptor, &part, 1, offset, flags & RWF_APPEND);
        }
        errno = how_ == refusal::event_eagain ? EAGAIN : EOPNOTSUPP;
        return -1;
    }

    const refusal how_;
    mutable std::mutex mutex_;
    std::set<std::uint64_t> refused_;
    std::size_t attempts_ = 0;
    bool relented_ = false;

    const without_ring no_ring_;
    const interposed_submit submit_{[this](::aio_context_t kernel, long count, ::iocb** blocks) {
        return submit(kernel, count, blocks);
    }};
    const interposed_get_events get_events_{[this](::aio_context_t kernel, long minimum,
                                                   long maximum, ::io_event* events,
                                                   ::timespec* timeout) {
        return get_events(kernel, minimum, maximum, events, timeout);
    }};
    const interposed_call call_{
        [this](long number, int descriptor, const ::iovec* buffers, long count, ::off_t offset,
               int flags) { return call(number, descriptor, buffers, count, offset, flags); }};
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_REFUSING_KERNEL_HPP
