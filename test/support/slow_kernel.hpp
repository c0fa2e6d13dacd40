//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_SLOW_KERNEL_HPP
#define KAIO_TEST_SUPPORT_SLOW_KERNEL_HPP

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>

#include "interposed_io.hpp"

namespace kaio {
namespace test {

/// A kernel that takes operations, as many as it has room for, and does nothing before it is told.
/** What it holds when it dies goes on then. */
class slow_kernel
{
public:
    explicit slow_kernel(std::size_t room = SIZE_MAX)
      : room_(room), hook_([this](::aio_context_t context, long count, ::iocb** blocks) {
            return submit(context, count, blocks);
        })
    {
    }

    ~slow_kernel()
    {
        let_go();
    }

    std::size_t calls() const
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return calls_;
    }

    /// Whether the operations came in the order of their offsets.
    bool in_order() const
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return in_order_;
    }

    std::size_t held() const
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return held_.size();
    }

    /// Carry out the oldest of what is held, or all.
    void let_go(std::size_t count = SIZE_MAX)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (; count != 0 && !held_.empty(); --count)
        {
            ::iocb* block = &held_.front().block;
            if (kernel_submit(held_.front().context, 1, &block) != 1)
            {
                // It was accepted: the flags that the file doesn't know are too late a reason.
                block->aio_rw_flags = 0;
                if (kernel_submit(held_.front().context, 1, &block) != 1)
                    std::terminate();
            }
            held_.pop_front();
        }
    }

private:
    struct operation
    {
        ::aio_context_t context;
        ::iocb block;
    };

    int submit(::aio_context_t context, long count, ::iocb** blocks)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        ++calls_;
        const auto taken = std::min(static_cast<std::size_t>(count), room_ - held_.size());
        if (taken == 0)
            return -EAGAIN;
        for (std::size_t i = 0; i != taken; ++i)
        {
            in_order_ = in_order_ && blocks[i]->aio_offset >= last_offset_;
            last_offset_ = blocks[i]->aio_offset;
            held_.push_back({context, *blocks[i]});
        }
        return static_cast<int>(taken);
    }

    mutable std::mutex mutex_;
    const std::size_t room_;
    std::size_t calls_ = 0;
    ::__s64 last_offset_ = 0;
    bool in_order_ = true;
    std::deque<operation> held_;
    interposed_submit hook_;
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_SLOW_KERNEL_HPP
