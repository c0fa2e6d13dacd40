//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_DISPATCHER_HPP
#define KAIO_DETAIL_DISPATCHER_HPP

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/assert.hpp>
#include <memory>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/context_executor.hpp>
#include <kaio/detail/engine.hpp>
#include <kaio/detail/escaped_exceptions.hpp>
#include <kaio/detail/handler_tracking.hpp>
#include <kaio/detail/reserved_memory.hpp>

namespace kaio {
namespace detail {

/// Runs the turns of an engine on an execution context.
class dispatcher
{
public:
    /// How many handlers one turn calls at most, so that others get their turn.
    static constexpr int handlers_per_turn = 32;

    dispatcher(engine& e, const asio::any_io_executor& executor)
      : engine_(e), executor_(executor),
        wake_descriptor_(std::make_unique<asio::posix::stream_descriptor>(
            executor_.get(), engine_.wake_descriptor()))
    {
    }

    /// Leave the reactor. The memory of what was posted stays until the destructor.
    void shut_down() noexcept
    {
        // The descriptor belongs to the engine.
        wake_descriptor_->release();
        wake_descriptor_.reset();
    }

    dispatcher(const dispatcher&) = delete;
    dispatcher& operator=(const dispatcher&) = delete;

    const context_executor& executor() const noexcept
    {
        return executor_;
    }

    /// Hand an operation to the engine.
    void start(operation_record& record, open_file& file) noexcept
    {
        BOOST_ASSERT_MSG(!engine_.is_foreign(),
                         "kaio: a child process uses a context without notify_fork(fork_child)");
        if (engine_.start(record, file))
            schedule_turn();
    }

    /// Have a turn run soon.
    void schedule_turn() noexcept
    {
        try
        {
            KAIO_HANDLER_LOCATION("begin a turn");
            executor_.post(scheduled_turn{this});
            engine_.turn_posted();
        }
        catch (...)
        {
            // An executor without memory. The wait has memory of its own.
            if (engine_.wake_instead())
                wait();
        }
    }

    /// Let go of the descriptor of the engine, before that changes.
    void release_wake_descriptor()
    {
        wake_descriptor_->release();
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
            return allocator_type(self->wait_memory_);
        }

        void operator()(const error_code& ec) const
        {
            if (ec != asio::error::operation_aborted)
                self->run_turn(turn_cause::woken);
        }

        dispatcher* self;
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
        engine_.begin_turn(cause);
        const unsigned escaped = escaped_exceptions();
        for (int i = 0; i != handlers_per_turn; ++i)
        {
            const finished_operation next = engine_.take_finished();
            if (!next.record)
                break;

            follow(next.before);
            next.record->complete_(*next.record, upcall::invoke);

            if (executor_.stopped() || escaped_exceptions() != escaped)
                break;
        }
    }

    void follow(next_step step) noexcept
    {
        switch (step)
        {
        case next_step::none:
            break;
        case next_step::schedule_turn:
            schedule_turn();
            break;
        case next_step::wait:
            wait();
            break;
        }
    }

    [[gnu::noinline]] void wait() noexcept
    {
        // Closed after a fork: not before now has the reactor surely left the parent's epoll set.
        if (!wake_descriptor_->is_open())
            wake_descriptor_->assign(engine_.wake_descriptor());
        KAIO_HANDLER_LOCATION("wait for completions");
        wake_descriptor_->async_wait(asio::posix::descriptor_base::wait_read, woken_turn{this});
    }

    engine& engine_;
    const context_executor executor_;
    reserved_memory turn_memory_;
    reserved_memory wait_memory_;
    std::unique_ptr<asio::posix::stream_descriptor> wake_descriptor_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_DISPATCHER_HPP
