//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_INLINE_EXECUTOR_HPP
#define KAIO_DETAIL_OPERATION_INLINE_EXECUTOR_HPP

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <utility>

#include <kaio/detail/asio.hpp>

namespace kaio {
namespace detail {

/// Runs a function where it is: that of the wait for the wake event, on the reactor's own thread.
/** So a turn needs no executor of the user, and no knowledge of the context. */
class inline_executor
{
public:
    explicit inline_executor(asio::execution_context& context) noexcept : context_(&context)
    {
    }

    asio::execution_context& query(asio::execution::context_t) const noexcept
    {
        return *context_;
    }

    template <typename Function>
    void execute(Function&& f) const
    {
        std::forward<Function>(f)();
    }

    friend bool operator==(const inline_executor& a, const inline_executor& b) noexcept
    {
        return a.context_ == b.context_;
    }

    friend bool operator!=(const inline_executor& a, const inline_executor& b) noexcept
    {
        return a.context_ != b.context_;
    }

private:
    asio::execution_context* context_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_INLINE_EXECUTOR_HPP
