//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_KERNEL_AIO_CONTEXT_HPP
#define KAIO_KERNEL_AIO_CONTEXT_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <kaio/detail/operation/control_block.hpp>
#include <kaio/detail/schedule_point.hpp>

#include "kernel/completion_ring.hpp"

namespace kaio {
namespace detail {

/// What became of a submission: how many the kernel took, or why it didn't take the first.
struct submission
{
    std::size_t accepted;
    int error;
};

/// An AIO context of the kernel. Its source file is the only part of kaio that sees libaio.
class aio_context
{
public:
    /// Set up a context for a number of operations in flight; half as many as often as it takes.
    /** Throws setup_failure, with the figures, when the kernel refuses. */
    explicit aio_context(std::size_t operations);

    /// Waits for whatever is in flight.
    ~aio_context();

    aio_context(const aio_context&) = delete;
    aio_context& operator=(const aio_context&) = delete;

    /// The number of operations that are certain to find room in the kernel.
    std::size_t capacity() const noexcept
    {
        return capacity_;
    }

    bool has_ring() const noexcept
    {
        return ring_.usable();
    }

    /// Hand over a number of control blocks.
    submission submit(control_block* const* blocks, std::size_t count) noexcept;

    /// Forget the context: it exists in another process only.
    void abandon() noexcept
    {
        context_ = nullptr;
    }

    /// Call f(data, result) for each control block that has completed: its data, and what became of it.
    template <typename Function>
    std::size_t harvest(Function&& f) noexcept
    {
        schedule_point();
        const auto deliver = [&](const completion_event& event) { f(event.data, event.result); };
        if (ring_.usable())
            return ring_.consume(deliver);

        std::size_t total = 0;
        for (std::size_t count = events_.size(); count == events_.size(); total += count)
        {
            count = static_cast<std::size_t>(std::max(get_events(0), 0L));
            for (std::size_t i = 0; i != count; ++i)
                deliver(events_[i]);
        }
        return total;
    }

    /// Sleep until a control block has completed, and deliver it as harvest() does.
    /** False if the kernel refuses to tell: then nothing is known of what is in flight. */
    template <typename Function>
    bool wait(Function&& f) noexcept
    {
        const long count = get_events(1);
        for (long i = 0; i < count; ++i)
            f(events_[static_cast<std::size_t>(i)].data,
              events_[static_cast<std::size_t>(i)].result);
        return count >= 0;
    }

private:
    /// A negative errno for an error, other than that a signal came.
    long get_events(long minimum) noexcept;

    void* context_ = nullptr;
    std::size_t capacity_;
    completion_ring ring_;
    std::vector<completion_event> events_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_KERNEL_AIO_CONTEXT_HPP
