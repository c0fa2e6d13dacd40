//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_HANDLER_WORK_HPP
#define KAIO_DETAIL_OPERATION_HANDLER_WORK_HPP

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/prefer.hpp>
#include <new>
#include <type_traits>
#include <utility>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/context/turn_context.hpp>

namespace kaio {
namespace detail {

/// An executor that is told of outstanding work, or none.
/**
 * As std::optional, but what is seldom needed is out of line. (Also, gcc 12 warns of uninitialised
 * members when it sees through an optional of an io_context's executor.)
 */
template <typename Executor>
class outstanding_work
{
public:
    outstanding_work() = default;

    outstanding_work(outstanding_work&& other)
    {
        if (other.started_)
            take(other);
    }

    outstanding_work& operator=(outstanding_work&&) = delete;

    ~outstanding_work()
    {
        if (started_)
            stop();
    }

    explicit operator bool() const noexcept
    {
        return started_;
    }

    [[gnu::noinline]] void start(const Executor& executor)
    {
        new (storage_)
            tracked_executor(asio::prefer(executor, asio::execution::outstanding_work.tracked));
        started_ = true;
    }

    const auto& get_executor() const noexcept
    {
        return *std::launder(
            static_cast<const tracked_executor*>(static_cast<const void*>(storage_)));
    }

private:
    using tracked_executor = std::decay_t<decltype(asio::prefer(
        std::declval<const Executor&>(), asio::execution::outstanding_work.tracked))>;

    tracked_executor& stored() noexcept
    {
        return *std::launder(static_cast<tracked_executor*>(static_cast<void*>(storage_)));
    }

    [[gnu::noinline]] void take(outstanding_work& other)
    {
        new (storage_) tracked_executor(std::move(other.stored()));
        started_ = true;
    }

    [[gnu::noinline]] void stop() noexcept
    {
        stored().~tracked_executor();
        started_ = false;
    }

    alignas(tracked_executor) unsigned char storage_[sizeof(tracked_executor)];
    bool started_ = false;
};

/// An executor that no handler has, for finding out whether a handler has an executor of its own.
struct no_executor : asio::any_io_executor
{
    using asio::any_io_executor::any_io_executor;
};

/// Whether a handler says where it is to be called. If not, its file's executor needs no copy.
/** One that always has the file's type can't be told from none. Associators don't do that. */
template <typename Handler, typename Executor>
inline constexpr bool has_associated_executor =
    !std::is_same_v<asio::associated_executor_t<Handler, no_executor>, no_executor> ||
    !std::is_same_v<asio::associated_executor_t<Handler, Executor>, Executor>;

/// The work that an outstanding operation means for its two executors, and the way to its handler.
/**
 * The service keeps its own context busy while anything is outstanding, and calls handlers on it.
 * So nothing is to be done for an executor that is just the context's own, which is the usual case.
 */
template <typename Handler, typename Executor>
class handler_work
{
public:
    using handler_executor_type = asio::associated_executor_t<Handler, Executor>;

    /// @c runs_here: whether the executor is the context's own.
    handler_work(const Handler& handler, const Executor& executor, const turn_context& context,
                 bool runs_here)
    {
        if constexpr (has_associated_executor<Handler, Executor>)
        {
            const handler_executor_type handler_executor =
                asio::get_associated_executor(handler, executor);
            if (!context.runs(handler_executor))
                handler_work_.start(handler_executor);
            if (!runs_here && !covered(handler_executor, executor))
                io_work_.start(executor);
        }
        else if (!runs_here)
        {
            handler_work_.start(executor);
        }
    }

    /// Call a function on the handler's executor, by a turn of the service.
    template <typename Function>
    void dispatch(Function&& function)
    {
        if (handler_work_)
            asio::dispatch(handler_work_.get_executor(), std::forward<Function>(function));
        else
            std::forward<Function>(function)();
    }

private:
    static bool covered(const handler_executor_type& handler_executor, const Executor& executor)
    {
        if constexpr (std::is_same_v<handler_executor_type, Executor>)
            return handler_executor == executor;
        else
            return false;
    }

    struct nothing
    {
    };

    outstanding_work<handler_executor_type> handler_work_;

    // A handler without an executor of its own is called on that of the file.
    std::conditional_t<has_associated_executor<Handler, Executor>, outstanding_work<Executor>,
                       nothing>
        io_work_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_HANDLER_WORK_HPP
