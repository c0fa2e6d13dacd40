//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_CONTEXT_DISPATCHER_HPP
#define KAIO_DETAIL_CONTEXT_DISPATCHER_HPP

#include <sys/select.h>

#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/assert.hpp>
#include <mutex>
#include <utility>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/context/engine.hpp>
#include <kaio/detail/context/escaped_exceptions.hpp>
#include <kaio/detail/context/turn_context.hpp>
#include <kaio/detail/context/turn_gate.hpp>
#include <kaio/detail/operation/handler_tracking.hpp>
#include <kaio/detail/operation/inline_executor.hpp>
#include <kaio/detail/operation/reserved_memory.hpp>
#include <kaio/detail/schedule_point.hpp>
#include <kaio/detail/throw_error.hpp>

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
        wake_descriptor_(inline_executor(context), watchable(engine_.wake_descriptor())),
        wake_descriptor_of_child_(inline_executor(context))
    {
    }

    /// Let no turn begin any more, and wait for the end of those that other threads run.
    void close()
    {
        gate_.close();
    }

    /// Leave the reactor. The memory of what was posted stays until the destructor.
    void shut_down() noexcept
    {
        // The descriptors belong to the engine.
        wake_descriptor_.release();
        wake_descriptor_of_child_.release();
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
        const bool turn_wanted = engine_.start(record, file);
        schedule_point();
        if (turn_wanted)
            schedule_turn();
    }

    /// Outside of turns: have the turn run soon that the engine has asked for.
    [[gnu::noinline]] void schedule_turn() noexcept
    {
        if (post_turn())
        {
            schedule_point();
            engine_.turn_posted();
        }
        else
            wait_instead();
    }

    /// Before a fork: have the reactor know the child's descriptor, and end all waits.
    /** Later, in the child, the reactor might have no room for it. */
    void prepare_fork(int descriptor_of_child)
    {
        if (!wake_descriptor_of_child_.is_open())
            wake_descriptor_of_child_.assign(watchable(descriptor_of_child));
        error_code ignored;
        wake_descriptor_.cancel(ignored);
        ++generation_;
    }

    /// After a fork, in the parent, before the engine closes the child's descriptor.
    void resume_in_parent()
    {
        wake_descriptor_of_child_.release();
    }

    /// After a fork, in the child, before the engine closes the parent's descriptor.
    /** Closed first, it would stay in the reactor's epoll set, as the parent has it open, too. */
    void resume_in_child()
    {
        gate_.begin_anew_in_child();
        wake_descriptor_.release();
        wake_descriptor_ = std::move(wake_descriptor_of_child_);
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

    // A wait that select(2) can't do would end at once, again and again.
    static int watchable(int descriptor)
    {
#if !defined(BOOST_ASIO_HAS_EPOLL) && !defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
        if (descriptor >= FD_SETSIZE)
            throw_error(asio::error::fd_set_failure, "eventfd");
#endif
        return descriptor;
    }

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
        const turn_gate::passage passage(gate_, !context_.is_known());
        if (!passage)
            return;
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
            schedule_point();
            next.record->complete(upcall::invoke);

            if (context_.stopped() || escaped_exceptions() != escaped)
                break;
        }
    }

    // False without memory, or if the context isn't known well enough.
    bool post_turn() noexcept
    {
        schedule_point();
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
        KAIO_HANDLER_LOCATION("wait for completions");
        schedule_point();
        wake_descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                                    woken_turn{this, &memory, generation_});
    }

    engine& engine_;
    turn_context context_;
    turn_gate gate_;
    reserved_memory turn_memory_;
    reserved_memory wait_memory_;
    reserved_memory outside_wait_memory_;
    std::mutex outside_wait_mutex_;

    // Waits that were begun before a fork count no more.
    unsigned generation_ = 0;
    asio::posix::basic_stream_descriptor<inline_executor> wake_descriptor_;
    asio::posix::basic_stream_descriptor<inline_executor> wake_descriptor_of_child_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_CONTEXT_DISPATCHER_HPP
