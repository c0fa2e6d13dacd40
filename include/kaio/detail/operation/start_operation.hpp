//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_START_OPERATION_HPP
#define KAIO_DETAIL_OPERATION_START_OPERATION_HPP

#include <sys/uio.h>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/context/dispatcher.hpp>
#include <kaio/detail/context/escaped_exceptions.hpp>
#include <kaio/detail/file/file_handle.hpp>
#include <kaio/detail/operation/complete_immediately.hpp>
#include <kaio/detail/operation/file_operation.hpp>
#include <kaio/detail/operation/handler_tracking.hpp>
#include <kaio/detail/operation/slot_cancellation.hpp>

namespace kaio {
namespace detail {

/// Complete an operation that there is nothing to do for, or that can't be done.
template <typename Outcome, typename Handler, typename Executor>
[[gnu::noinline]] void complete_without_engine(aio_service& service, const Executor& executor,
                                               Handler&& handler, const error_code& ec)
{
    // Beforehand, as the handler may be called before this returns.
    service.engine()->count_immediate(!!ec, 1);
    const unsigned escaped = escaped_exceptions();
    try
    {
        KAIO_HANDLER_LOCATION("complete at once");
        complete_immediately(std::forward<Handler>(handler), executor, Outcome(ec));
    }
    catch (...)
    {
        // If the handler itself has thrown, called here by its immediate executor, it was called.
        if (escaped_exceptions() == escaped)
            service.engine()->count_immediate(!!ec, -1);
        throw;
    }
}

/// Connect an operation with its handler's cancellation slot.
template <typename Operation>
void connect_slot(aio_service& service, Operation& operation)
{
    auto slot = asio::get_associated_cancellation_slot(operation.handler());
    if (!slot.is_connected())
        return;
    try
    {
        slot.template emplace<slot_cancellation>(*service.engine(), service.dispatcher(),
                                                 operation);
    }
    catch (...)
    {
        operation.discard();
        throw;
    }
}

/// Start an operation, or complete it at once if there is nothing to do or it can't be done.
/**
 * @param start What is started. Its members are used in this order:
 * @li @c may_begin(handle) says whether there is something to do;
 * @li if not, @c result_at_once(handle) says how the operation completes. It must not look again: an
 * opening under way may have ended since;
 * @li @c request(handle) gives what the operation keeps;
 * @li @c kind(), @c vector_count() and @c fill(vectors) say what it is made of;
 * @li @c describe(operation) says what the kernel, or a helper, is asked for;
 * @li @c file(handle) gives the file that it belongs to.
 *
 * In line: most of that is constant where this is called.
 */
template <typename Start, typename Handler, typename Executor>
[[gnu::always_inline]] inline void start_operation(Start& start, file_handle& handle,
                                                   const Executor& executor, Handler&& handler)
{
    using request_type = decltype(start.request(handle));
    using operation_type = file_operation<std::decay_t<Handler>, Executor, request_type>;

    aio_service& service = handle.service();
    if (service.is_shut_down())
        return; // The context is being destroyed, and handlers with it.

    if (!start.may_begin(handle))
    {
        complete_without_engine<typename Start::outcome>(
            service, executor, std::forward<Handler>(handler), start.result_at_once(handle));
        return;
    }

    auto& operation = operation_type::create(start.kind(), std::forward<Handler>(handler), executor,
                                             handle, start.request(handle), start.vector_count(),
                                             [&](::iovec* vectors) { start.fill(vectors); });
    start.describe(operation);
    KAIO_HANDLER_CREATION(operation, handle);
    if constexpr (Start::cancellable)
        connect_slot(service, operation);
    service.dispatcher().start(operation, start.file(handle));
}

/// Starts operations of a file once their completion tokens have been turned into handlers.
template <typename Executor>
class initiation
{
public:
    using executor_type = Executor;

    initiation(file_handle& handle, const Executor& executor) noexcept
      : handle_(&handle), executor_(&executor)
    {
    }

    const executor_type& get_executor() const noexcept
    {
        return *executor_;
    }

    template <typename Handler, typename Start>
    void operator()(Handler&& handler, Start start) const
    {
        begin(std::forward<Handler>(handler), start);
    }

protected:
    template <typename Handler, typename Start>
    [[gnu::always_inline]] void begin(Handler&& handler, Start& start) const
    {
        start_operation(start, *handle_, *executor_, std::forward<Handler>(handler));
    }

private:
    file_handle* handle_;
    const Executor* executor_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_START_OPERATION_HPP
