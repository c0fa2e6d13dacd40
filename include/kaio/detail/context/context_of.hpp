//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_CONTEXT_CONTEXT_OF_HPP
#define KAIO_DETAIL_CONTEXT_CONTEXT_OF_HPP

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>
#include <type_traits>

#include <kaio/detail/asio.hpp>

namespace kaio {
namespace detail {

template <typename ExecutionContext>
using enable_if_context =
    std::enable_if_t<std::is_convertible_v<ExecutionContext&, asio::execution_context&>, int>;

template <typename Executor1, typename Executor>
using enable_if_executor_convertible = std::enable_if_t<
    std::is_convertible_v<Executor1, Executor> && !std::is_same_v<Executor1, Executor>, int>;

/// The execution context of an executor, of the type that the executor gives it.
template <typename Executor>
decltype(auto) context_of(const Executor& executor)
{
    if constexpr (asio::can_query<const Executor&, asio::execution::context_t>::value)
        return asio::query(executor, asio::execution::context);
    else
        return executor.context();
}

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_CONTEXT_CONTEXT_OF_HPP
