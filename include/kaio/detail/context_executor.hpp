//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_CONTEXT_EXECUTOR_HPP
#define KAIO_DETAIL_CONTEXT_EXECUTOR_HPP

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <type_traits>
#include <utility>

#include <kaio/detail/asio.hpp>

namespace kaio {
namespace detail {

template <typename ExecutionContext>
using enable_if_context =
    std::enable_if_t<std::is_convertible_v<ExecutionContext&, asio::execution_context&>, int>;

template <typename Executor1, typename Executor>
using enable_if_executor_convertible = std::enable_if_t<
    std::is_convertible_v<Executor1, Executor> && !std::is_same_v<Executor1, Executor>, int>;

/// The execution context of an executor.
template <typename Executor>
asio::execution_context& context_of(const Executor& executor)
{
    if constexpr (asio::can_query<const Executor&, asio::execution::context_t>::value)
        return asio::query(executor, asio::execution::context);
    else
        return executor.context();
}

/// The executor on which the service works: the context's own, as far as it can be found.
class context_executor
{
public:
    explicit context_executor(asio::any_io_executor executor)
      : executor_(without_strand(std::move(executor))),
        io_context_(context_of_target<asio::io_context>(executor_)),
        thread_pool_(context_of_target<asio::thread_pool>(executor_))
    {
    }

    const asio::any_io_executor& get() const noexcept
    {
        return executor_;
    }

    /// Whether a function that runs on this executor may call one meant for another directly.
    template <typename Executor>
    bool runs(const Executor& other) const noexcept
    {
        if constexpr (std::is_same_v<Executor, asio::io_context::executor_type>)
            return io_context_ == &asio::query(other, asio::execution::context);
        else if constexpr (std::is_same_v<Executor, asio::thread_pool::executor_type>)
            return thread_pool_ == &asio::query(other, asio::execution::context);
        else if constexpr (std::is_same_v<Executor, asio::any_io_executor>)
            return (io_context_ && context_of_target<asio::io_context>(other) == io_context_) ||
                   (thread_pool_ && context_of_target<asio::thread_pool>(other) == thread_pool_);
        else
            return false;
    }

    /// Post with the function's allocator, which a type-erased executor would ignore.
    template <typename Function>
    void post(Function&& f) const
    {
        if (io_context_)
            asio::post(io_context_->get_executor(), std::forward<Function>(f));
        else if (thread_pool_)
            asio::post(thread_pool_->get_executor(), std::forward<Function>(f));
        else
            asio::post(executor_, std::forward<Function>(f));
    }

    /// Whether the context is known to have been stopped.
    bool stopped() const noexcept
    {
        return io_context_ && io_context_->stopped();
    }

private:
    // Completions of all files must not wait behind the handlers of one file's strand.
    static asio::any_io_executor without_strand(asio::any_io_executor executor)
    {
        if (const auto* s = executor.target<asio::strand<asio::any_io_executor>>())
            return without_strand(s->get_inner_executor());
        if (const auto* s = executor.target<asio::strand<asio::io_context::executor_type>>())
            return s->get_inner_executor();
        if (const auto* s = executor.target<asio::strand<asio::thread_pool::executor_type>>())
            return s->get_inner_executor();
        return executor;
    }

    template <typename Context>
    static Context* context_of_target(const asio::any_io_executor& executor) noexcept
    {
        const auto* target = executor.target<typename Context::executor_type>();
        return target ? &asio::query(*target, asio::execution::context) : nullptr;
    }

    asio::any_io_executor executor_;
    asio::io_context* io_context_;
    asio::thread_pool* thread_pool_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_CONTEXT_EXECUTOR_HPP
