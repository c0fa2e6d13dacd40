//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_COMPLETE_IMMEDIATELY_HPP
#define KAIO_DETAIL_OPERATION_COMPLETE_IMMEDIATELY_HPP

#include <boost/asio/dispatch.hpp>
#include <utility>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/operation/completion.hpp>

#if defined(KAIO_HAS_IMMEDIATE_EXECUTOR)
#include <boost/asio/associated_immediate_executor.hpp>
#include <boost/asio/system_executor.hpp>
#include <type_traits>
#endif

namespace kaio {
namespace detail {

#if defined(KAIO_HAS_IMMEDIATE_EXECUTOR)
/// Whether a handler says where it may be called when there is nothing to wait for.
template <typename Handler>
inline constexpr bool has_immediate_executor =
    !std::is_same_v<asio::associated_immediate_executor_t<Handler, asio::system_executor>,
                    std::decay_t<decltype(asio::require(asio::system_executor(),
                                                        asio::execution::blocking.never))>>;
#endif

/// Complete an operation for which nothing had to be done.
/** Never calls the handler here, unless the handler's immediate executor does. */
template <typename Handler, typename Executor, typename Outcome>
void complete_immediately(Handler&& handler, const Executor& executor, Outcome&& outcome)
{
    using handler_type = std::decay_t<Handler>;
#if defined(KAIO_HAS_IMMEDIATE_EXECUTOR)
    if constexpr (has_immediate_executor<handler_type>)
    {
        const auto immediate = asio::get_associated_immediate_executor(handler, executor);
        asio::dispatch(immediate,
                       completion<handler_type, Outcome>(
                           handler_type(std::forward<Handler>(handler)), std::move(outcome)));
        return;
    }
#endif
    outcome.post(executor, handler_type(std::forward<Handler>(handler)));
}

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_COMPLETE_IMMEDIATELY_HPP
