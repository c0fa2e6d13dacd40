//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_TURN_GATE_HPP
#define KAIO_DETAIL_TURN_GATE_HPP

#include <condition_variable>
#include <cstddef>
#include <mutex>
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
        // This one may end the program, by exit(), in a handler.
        const std::size_t own = innermost_ == this ? 1 : 0;
        changed_.wait(lock, [&] { return inside_ <= own; });
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
            outer_ = std::exchange(innermost_, gate_);
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
        turn_gate* const gate_;
        const turn_gate* outer_ = nullptr;
        bool open_ = true;
    };

private:
    // The gate of the turn that this thread runs.
    static inline thread_local const turn_gate* innermost_ = nullptr;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t inside_ = 0;
    bool closed_ = false;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_TURN_GATE_HPP
