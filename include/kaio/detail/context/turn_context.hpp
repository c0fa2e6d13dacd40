//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_CONTEXT_TURN_CONTEXT_HPP
#define KAIO_DETAIL_CONTEXT_TURN_CONTEXT_HPP

#include <atomic>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/require.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <type_traits>
#include <utility>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/context/context_of.hpp>

namespace kaio {
namespace detail {

/// The execution context on which the service runs its turns.
/**
 * Turns belong to the context, whichever executors its files have: no executor of the user is kept,
 * used for a turn, or counted as work. Asio doesn't tell what an execution_context is. So the context
 * is asked for by the executors that come along. Until one of them gives it as an io_context or a
 * thread_pool, nothing can be posted.
 */
class turn_context
{
public:
    explicit turn_context(asio::execution_context& context) noexcept : context_(context)
    {
    }

    asio::execution_context& get() const noexcept
    {
        return context_;
    }

    /// Find out what the context is, if this executor of it knows.
    template <typename Executor>
    void learn(const Executor& executor) noexcept
    {
        if constexpr (std::is_same_v<Executor, asio::any_io_executor>)
            learn_from_target<asio::io_context>(executor) ||
                learn_from_target<asio::thread_pool>(executor) ||
                learn_from<asio::strand<asio::any_io_executor>>(executor);
        else if constexpr (is_strand<Executor>::value)
            learn(executor.get_inner_executor());
        else
            is(context_of(executor));
    }

    /// Whether a function that runs in a turn may call one meant for another executor directly.
    template <typename Executor>
    bool runs(const Executor& other) const noexcept
    {
        if constexpr (std::is_same_v<Executor, asio::io_context::executor_type>)
            return io_context() == &asio::query(other, asio::execution::context);
        else if constexpr (std::is_same_v<Executor, asio::thread_pool::executor_type>)
            return thread_pool() == &asio::query(other, asio::execution::context);
        else if constexpr (std::is_same_v<Executor, asio::any_io_executor>)
            return (io_context() && context_of_target<asio::io_context>(other) == io_context()) ||
                   (thread_pool() && context_of_target<asio::thread_pool>(other) == thread_pool());
        else
            return false;
    }

    /// Post with the function's allocator. False if it isn't known how.
    template <typename Function>
    bool post(Function&& f) const
    {
        if (asio::io_context* c = io_context())
            asio::post(c->get_executor(), std::forward<Function>(f));
        else if (asio::thread_pool* p = thread_pool())
            asio::post(p->get_executor(), std::forward<Function>(f));
        else
            return false;
        return true;
    }

    /// Whether it is known what the context is.
    bool is_known() const noexcept
    {
        return io_context() || thread_pool();
    }

    /// Whether the context is known to have been stopped.
    bool stopped() const noexcept
    {
        const asio::io_context* c = io_context();
        return c && c->stopped();
    }

private:
    template <typename Executor>
    struct is_strand : std::false_type
    {
    };

    template <typename Executor>
    struct is_strand<asio::strand<Executor>> : std::true_type
    {
    };

    asio::io_context* io_context() const noexcept
    {
        return io_context_.load(std::memory_order_relaxed);
    }

    asio::thread_pool* thread_pool() const noexcept
    {
        return thread_pool_.load(std::memory_order_relaxed);
    }

    void is(asio::io_context& context) noexcept
    {
        io_context_.store(&context, std::memory_order_relaxed);
    }

    void is(asio::thread_pool& context) noexcept
    {
        thread_pool_.store(&context, std::memory_order_relaxed);
    }

    void is(asio::execution_context&) noexcept
    {
    }

    template <typename Target>
    bool learn_from(const asio::any_io_executor& executor) noexcept
    {
        const auto* target = executor.target<Target>();
        if (target)
            learn(*target);
        return target;
    }

    // The usual executors of a context, each in the types that type erasure leaves of it.
    template <typename Context>
    bool learn_from_target(const asio::any_io_executor& executor) noexcept
    {
        using plain = typename Context::executor_type;
        using tracked = std::decay_t<decltype(asio::require(
            std::declval<plain>(), asio::execution::outstanding_work.tracked))>;
        return learn_from<plain>(executor) || learn_from<asio::strand<plain>>(executor) ||
               learn_from<tracked>(executor) || learn_from<asio::strand<tracked>>(executor);
    }

    template <typename Context>
    static Context* context_of_target(const asio::any_io_executor& executor) noexcept
    {
        const auto* target = executor.target<typename Context::executor_type>();
        return target ? &asio::query(*target, asio::execution::context) : nullptr;
    }

    asio::execution_context& context_;
    std::atomic<asio::io_context*> io_context_{nullptr};
    std::atomic<asio::thread_pool*> thread_pool_{nullptr};
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_CONTEXT_TURN_CONTEXT_HPP
