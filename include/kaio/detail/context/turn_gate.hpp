//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_CONTEXT_TURN_GATE_HPP
#define KAIO_DETAIL_CONTEXT_TURN_GATE_HPP

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <new>
#include <utility>

#include <kaio/detail/config.hpp>

namespace kaio {
namespace detail {

/// Lets turns run until the execution context is being destroyed.
/**
 * An io_context is not run by then, and a thread_pool has joined its threads. Any other context leaves
 * turns to a thread of Asio's, which runs until Asio's own services have been shut down. That is later.
 */
class turn_gate
{
public:
    turn_gate() = default;
    turn_gate(const turn_gate&) = delete;
    turn_gate& operator=(const turn_gate&) = delete;

    /// Let no turn begin any more, and wait for the end of those that other threads run.
    void close()
    {
        std::unique_lock<std::mutex> lock(mutex_);
        closed_ = true;
        // This thread may end the program in a handler, by exit().
        const std::size_t own = turns_of_this_thread();
        changed_.wait(lock, [&] { return inside_ <= own; });
    }

    /// In the child of a fork: forget threads that it doesn't have. One may have held the lock.
    void begin_anew_in_child()
    {
        const std::size_t own = turns_of_this_thread();
        auto* const anew = new (this) turn_gate;
        anew->inside_ = own;
    }

    /// A turn that runs, if it may.
    class passage
    {
    public:
        /// @c guarded: whether the turn is run by a thread that a context doesn't end in time.
        passage(turn_gate& gate, bool guarded) : gate_(guarded ? &gate : nullptr)
        {
            if (!gate_)
                return;
            const std::lock_guard<std::mutex> lock(gate_->mutex_);
            open_ = !gate_->closed_;
            gate_->inside_ += open_;
            outer_ = std::exchange(innermost_, this);
        }

        passage(const passage&) = delete;
        passage& operator=(const passage&) = delete;

        ~passage()
        {
            if (!gate_)
                return;
            innermost_ = outer_;
            const std::lock_guard<std::mutex> lock(gate_->mutex_);
            gate_->inside_ -= open_;
            gate_->changed_.notify_all();
        }

        explicit operator bool() const noexcept
        {
            return open_;
        }

    private:
        friend class turn_gate;

        turn_gate* const gate_;
        const passage* outer_ = nullptr;
        bool open_ = true;
    };

private:
    // Turns may be nested: a handler may run its context, or another.
    std::size_t turns_of_this_thread() const noexcept
    {
        std::size_t result = 0;
        for (const passage* p = innermost_; p; p = p->outer_)
            result += p->gate_ == this && p->open_;
        return result;
    }

    static inline thread_local const passage* innermost_ = nullptr;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t inside_ = 0;
    bool closed_ = false;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_CONTEXT_TURN_GATE_HPP
