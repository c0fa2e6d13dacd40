//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_DISPATCHER_HPP
#define KAIO_DETAIL_DISPATCHER_HPP

#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/assert.hpp>
#include <mutex>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/engine.hpp>
#include <kaio/detail/escaped_exceptions.hpp>
#include <kaio/detail/handler_tracking.hpp>
#include <kaio/detail/inline_executor.hpp>
#include <kaio/detail/reserved_memory.hpp>
#include <kaio/detail/turn_context.hpp>

namespace kaio {
namespace detail {

/// Runs the turns of an engine on an execution context.
class dispatcher
{
public:
    /// How many handlers one turn calls at most, so that others get their turn.
    static constexpr int handlers_per_turn = 32;

    dispatcher(engine& e, asio::execution_context& context)
      : engine_(e), context_(context),
        wake_descriptor_(inline_executor(context), engine_.wake_descriptor())
    {
    }

    /// Leave the reactor. The memory of what was posted stays until the destructor.
    void shut_down() noexcept
    {
        // The descriptor belongs to the engine.
        wake_descriptor_.release();
    }

    dispatcher(const dispatcher&) = delete;
    dispatcher& operator=(const dispatcher&) = delete;

    /// Learn from an executor what the context is.
    template <typename Executor>
    void learn(const Executor& executor) noexcept
    {
        context_.learn(executor);
    }

    const turn_context& context() const noexcept
    {
        return context_;
    }

    /// Hand an operation to the engine.
    void start(operation_record& record, open_file& file) noexcept
    {
        BOOST_ASSERT_MSG(!engine_.is_foreign(),
                         "kaio: a child process uses a context without notify_fork(fork_child)");
        if (engine_.start(record, file))
            schedule_turn();
    }

    /// Outside of turns: have the turn run soon that the engine has asked for.
    [[gnu::noinline]] void schedule_turn() noexcept
    {
        if (post_turn())
            engine_.turn_posted();
        else
            wait_instead();
    }

    /// In a forked child: forget the descriptor of the engine, before that changes.
    /** Closed first, it would stay in the reactor's epoll set, as the parent has it open, too. */
    void forget_wake_descriptor()
    {
        wake_descriptor_.release();
        ++generation_;
    }

    /// Have the reactor watch the descriptor of the engine, which has changed.
    void watch_wake_descriptor() noexcept
    {
        error_code ignored;
        wake_descriptor_.assign(engine_.wake_descriptor(), ignored);
    }

private:
    struct scheduled_turn
    {
        using allocator_type = reserved_allocator<void>;

        allocator_type get_allocator() const noexcept
        {
            return allocator_type(self->turn_memory_);
        }

        void operator()() const
        {
            self->run_turn(turn_cause::scheduled);
        }

        dispatcher* self;
    };

    struct woken_turn
    {
        using allocator_type = reserved_allocator<void>;

        allocator_type get_allocator() const noexcept
        {
            return allocator_type(*memory);
        }

        void operator()(const error_code& ec) const
        {
            if (ec != asio::error::operation_aborted && generation == self->generation_)
                self->run_turn(turn_cause::woken);
        }

        dispatcher* self;
        reserved_memory* memory;
        unsigned generation;
    };

    // Ends a turn also when a handler throws.
    struct turn_guard
    {
        ~turn_guard()
        {
            self->follow(self->engine_.end_turn());
        }

        dispatcher* self;
    };

    void run_turn(turn_cause cause)
    {
        const turn_guard guard{this};
        if (engine_.begin_turn(cause))
        {
            follow(next_step::schedule_turn);
            engine_.submit_started();
        }
        const unsigned escaped = escaped_exceptions();
        for (int i = 0; i != handlers_per_turn; ++i)
        {
            const finished_operation next = engine_.take_finished();
            if (!next.record)
                break;

            follow(next.before);
            next.record->complete_(*next.record, upcall::invoke);

            if (context_.stopped() || escaped_exceptions() != escaped)
                break;
        }
    }

    // False without memory, or if the context isn't known well enough.
    bool post_turn() noexcept
    {
        try
        {
            KAIO_HANDLER_LOCATION("begin a turn");
            return context_.post(scheduled_turn{this});
        }
        catch (...)
        {
            return false;
        }
    }

    void follow(next_step step) noexcept
    {
        switch (step)
        {
        case next_step::none:
            break;
        case next_step::schedule_turn:
            if (!post_turn() && engine_.turn_not_posted_in_turn())
                wait(wait_memory_);
            break;
        case next_step::wait:
            wait(wait_memory_);
            break;
        }
    }

    // One thread at a time: there are at most two waits, one from a turn and one from outside of
    // turns, and each has memory of its own.
    [[gnu::noinline]] void wait_instead() noexcept
    {
        const std::lock_guard<std::mutex> lock(outside_wait_mutex_);
        if (engine_.turn_not_posted())
        {
            wait(outside_wait_memory_);
            engine_.wait_armed();
        }
    }

    [[gnu::noinline]] void wait(reserved_memory& memory) noexcept
    {
        // In a child the reactor may have had no memory for it. Without it the wait ends at once, with
        // an error: turns follow each other until there is memory.
        if (!wake_descriptor_.is_open())
            watch_wake_descriptor();
        KAIO_HANDLER_LOCATION("wait for completions");
        wake_descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                                    woken_turn{this, &memory, generation_});
    }

    engine& engine_;
    turn_context context_;
    reserved_memory turn_memory_;
    reserved_memory wait_memory_;
    reserved_memory outside_wait_memory_;
    std::mutex outside_wait_mutex_;

    // Waits that the parent of a forked child began are none of the child's.
    unsigned generation_ = 0;
    asio::posix::basic_stream_descriptor<inline_executor> wake_descriptor_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_DISPATCHER_HPP
