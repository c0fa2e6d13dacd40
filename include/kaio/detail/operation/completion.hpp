//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_COMPLETION_HPP
#define KAIO_DETAIL_OPERATION_COMPLETION_HPP

#include <utility>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/context/escaped_exceptions.hpp>
#include <kaio/detail/operation/operation_storage.hpp>

namespace kaio {
namespace detail {

/// A handler with the outcome that it is to be called with.
template <typename Handler, typename Outcome>
class completion
{
public:
    using allocator_type = decltype(operation_allocator_for(std::declval<const Handler&>()));

    completion(Handler&& handler, Outcome&& outcome)
      : handler_(std::move(handler)), outcome_(std::move(outcome))
    {
    }

    allocator_type get_allocator() const noexcept
    {
        return operation_allocator_for(handler_);
    }

    const Outcome& outcome() const noexcept
    {
        return outcome_;
    }

    [[gnu::always_inline]] void operator()()
    {
        exception_counter escape;
        outcome_.deliver(std::move(handler_));
        escape.dismiss();
    }

private:
    Handler handler_;
    Outcome outcome_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_COMPLETION_HPP
