//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_AIO_SERVICE_HPP
#define KAIO_AIO_SERVICE_HPP

#include <boost/asio/execution_context.hpp>
#include <boost/assert.hpp>
#include <memory>
#include <mutex>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/context/context_of.hpp>
#include <kaio/detail/context/dispatcher.hpp>
#include <kaio/detail/context/engine.hpp>
#include <kaio/detail/context/setup_failure.hpp>
#include <kaio/detail/throw_error.hpp>
#include <kaio/service_options.hpp>
#include <kaio/service_statistics.hpp>

namespace kaio {

/// The Asio service behind all files of one execution context.
/**
 * It owns one AIO context of the kernel and one eventfd, by which the execution context learns of
 * completions. The first file of an execution context makes it with default options;
 * make_aio_service() makes it beforehand with others. It lives as long as the execution context.
 *
 * Destroying the execution context waits until neither the kernel nor a helper thread holds an
 * operation any more, and then destroys the handlers of what was outstanding without calling them.
 *
 * The service works on the threads of its execution context if that is an @c io_context or a
 * @c thread_pool, whichever executors the files have. It keeps none of them, and counts as work only
 * while an operation is outstanding. On another kind of execution context it works on a thread of
 * Asio's. Handlers are called on their executors.
 *
 * A program that forks calls @c notify_fork of the execution context before and after. Parent and
 * child then both go on; what still waited in kaio completes in the parent, and in the child with
 * @c boost::asio::error::operation_aborted. A child that doesn't call it must not use the context, and
 * one that does, not before; it may end, or destroy what it has.
 * @c notify_fork throws system_error at @c fork_prepare if there is no descriptor left, which the
 * child will need: call it with @c fork_parent then, and don't fork.
 * With io_uring as Asio's backend forks are not supported: @c notify_fork of Boost.Asio 1.81 then loses
 * waits, kaio's and others.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe.
 *
 * @par Example
 * @code
 * boost::asio::io_context context;
 * // ...
 * std::cout << boost::asio::use_service<kaio::aio_service>(context).statistics();
 * @endcode
 */
class aio_service : public asio::execution_context::service
{
public:
    using key_type = aio_service;

    /// The unique identifier of the service.
    static inline asio::execution_context::id id;

    /// Make the service with default options. Called by boost::asio::use_service.
    /** Throws system_error if the kernel refuses a descriptor: an eventfd, and two for closing. Where
     *  Asio waits by select(2), also if the eventfd's number is too large for that. */
    explicit aio_service(asio::execution_context& context) : aio_service(context, service_options())
    {
    }

    /// Make the service. Called by make_aio_service().
    aio_service(asio::execution_context& context, const service_options& options)
      : asio::execution_context::service(context), engine_(make_engine(options)),
        dispatcher_(std::make_unique<detail::dispatcher>(*engine_, context))
    {
    }

    ~aio_service() override
    {
        aio_service::shutdown();
        BOOST_ASSERT_MSG(engine_->is_foreign() || engine_->open_files() == 0,
                         "kaio: an open file outlives its execution context");
    }

    /// What the service has done so far.
    /**
     * May be called from any thread. Takes the service's lock for a moment.
     */
    service_statistics statistics() const
    {
        return engine_->statistics();
    }

    /// @private The engine, for file objects.
    const std::shared_ptr<detail::engine>& engine() noexcept
    {
        return engine_;
    }

    /// @private Whether the context is being destroyed. Nothing may be dispatched any more.
    bool is_shut_down() const noexcept
    {
        return shut_down_;
    }

    /// @private What runs the engine.
    detail::dispatcher& dispatcher() noexcept
    {
        return *dispatcher_;
    }

    /// @private Learn from one of its executors what the context is.
    template <typename Executor>
    void learn(const Executor& executor) noexcept
    {
        if (dispatcher_)
            dispatcher_->learn(executor);
    }

private:
    static std::shared_ptr<detail::engine> make_engine(service_options options)
    {
#if defined(BOOST_ASIO_DISABLE_THREADS)
        options.helper_threads = 0;
#endif
        std::shared_ptr<detail::engine> result;
        translate_failure([&] { result = std::make_shared<detail::engine>(options); });
        return result;
    }

    template <typename Function>
    static void translate_failure(Function&& f)
    {
        try
        {
            f();
        }
        catch (const detail::setup_failure& failure)
        {
            detail::throw_error(detail::system_error_code(failure.error()), failure.what());
        }
    }

    // Both processes go on after a fork: the parent as if nothing had happened, the child with an
    // AIO context of its own, in which nothing waits.
    void notify_fork(asio::execution_context::fork_event event) override
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        const bool prepares = event == asio::execution_context::fork_prepare;
        BOOST_ASSERT_MSG(prepares != fork_prepared_ ||
                             event == asio::execution_context::fork_parent,
                         "kaio: notify_fork is called with fork_prepare before the fork, and then "
                         "with fork_parent or fork_child");
        bool turn_wanted = false;
        switch (event)
        {
        case asio::execution_context::fork_prepare:
            prepare_fork();
            break;
        case asio::execution_context::fork_parent:
            // It was not prepared if that threw, and other services have to go on.
            if (fork_prepared_)
            {
                dispatcher_->resume_in_parent();
                turn_wanted = engine_->resume_in_parent();
            }
            break;
        case asio::execution_context::fork_child:
            dispatcher_->resume_in_child();
            turn_wanted = engine_->resume_in_child();
            break;
        }
        fork_prepared_ = prepares;
        if (turn_wanted)
            dispatcher_->schedule_turn();
    }

    void prepare_fork()
    {
        try
        {
            translate_failure(
                [&] { dispatcher_->prepare_fork(engine_->wake_descriptor_of_child()); });
        }
        catch (...)
        {
            engine_->forget_descriptor_of_child();
            throw;
        }
        engine_->prepare_fork();
    }

    void shutdown() override
    {
        if (shut_down_)
            return;
        // In a child process that was not told of the fork, the reactor is still the parent's, and
        // a lock may be held by a thread that isn't there.
        if (engine_->is_foreign())
        {
            shut_down_ = true;
            static_cast<void>(dispatcher_.release());
            return;
        }
        dispatcher_->close();
        shut_down_ = true;
        // Buffers may belong to the handlers: the kernel has to let go of them first.
        engine_->shutdown();
        dispatcher_->shut_down();
        while (detail::operation_record* record = engine_->take_finished().record)
            record->complete(detail::upcall::discard);
    }

    // Openings may outlive the service with their handlers, on other contexts.
    std::shared_ptr<detail::engine> engine_;
    std::mutex mutex_;

    // Its descriptor makes the reactor before this service is done: older services are shut down
    // later, and waits may end until then.
    std::unique_ptr<detail::dispatcher> dispatcher_;
    bool shut_down_ = false;
    bool fork_prepared_ = false;
};

namespace detail {

/// The service of an executor's context, made if need be.
template <typename Executor>
aio_service& use_aio_service(const Executor& executor)
{
    aio_service& service = asio::use_service<aio_service>(context_of(executor));
    service.learn(executor);
    return service;
}

} // namespace detail

/// Make the service of an execution context, before its first file does.
/**
 * @param context An @c io_context, a @c thread_pool, or another execution context that has
 * @c get_executor.
 *
 * @param options How to set up the service.
 *
 * @returns The service.
 *
 * @throws boost::asio::service_already_exists The context has the service already.
 * @throws boost::system::system_error The kernel refuses a descriptor; or it refuses an AIO context,
 * and service_options::require_kernel_aio is set: the message names what was needed and what is
 * allowed. Or an option has no sensible value.
 */
template <typename ExecutionContext>
aio_service& make_aio_service(ExecutionContext& context, const service_options& options = {})
{
    aio_service& service = asio::make_service<aio_service>(context, options);
    service.learn(context.get_executor());
    return service;
}

} // namespace kaio

#endif // KAIO_AIO_SERVICE_HPP
