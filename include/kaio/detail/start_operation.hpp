//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_START_OPERATION_HPP
#define KAIO_DETAIL_START_OPERATION_HPP

#include <boost/asio/associated_cancellation_slot.hpp>
#include <utility>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/complete_immediately.hpp>
#include <kaio/detail/dispatcher.hpp>
#include <kaio/detail/escaped_exceptions.hpp>
#include <kaio/detail/file_handle.hpp>
#include <kaio/detail/file_operation.hpp>
#include <kaio/detail/handler_tracking.hpp>
#include <kaio/detail/requests.hpp>
#include <kaio/detail/slot_cancellation.hpp>

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
        // By the handler itself, if its immediate executor calls it here: then it was called.
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

/// Bring the data, or data and metadata, of a file to stable storage.
template <typename Executor, typename Handler>
void start_sync(operation_kind kind, file_handle& handle, const Executor& executor,
                Handler&& handler)
{
    using operation_type = file_operation<std::decay_t<Handler>, Executor, sync_request>;
    aio_service& service = handle.service();
    if (service.is_shut_down())
        return; // The context is being destroyed, and handlers with it.
    if (!handle.is_open())
    {
        complete_without_engine<plain_outcome>(service, executor, std::forward<Handler>(handler),
                                               asio::error::bad_descriptor);
        return;
    }

    auto& operation = operation_type::create(kind, std::forward<Handler>(handler), executor, handle,
                                             sync_request());
    KAIO_HANDLER_CREATION(operation, handle);
    connect_slot(service, operation);
    service.dispatcher().start(operation, *handle.file());
}

enum class cancellable
{
    no,
    yes
};

/// Do something with a file on a thread.
template <typename Executor, typename Handler, typename Request>
void start_call(file_handle& handle, open_file& file, const Executor& executor, Handler&& handler,
                Request request, cancellable c)
{
    using operation_type = file_operation<std::decay_t<Handler>, Executor, Request>;

    aio_service& service = handle.service();
    auto& operation = operation_type::create(operation_kind::job, std::forward<Handler>(handler),
                                             executor, handle, std::move(request));
    KAIO_HANDLER_CREATION(operation, handle);
    operation.job_ = [](operation_record& record, int descriptor) {
        return static_cast<operation_type&>(record).request().call(descriptor);
    };
    if (c == cancellable::yes)
        connect_slot(service, operation);
    service.dispatcher().start(operation, file);
}

/// Do something with an open file on a thread.
template <typename Executor, typename Handler, typename Request>
void start_call_on_open(file_handle& handle, const Executor& executor, Handler&& handler,
                        Request request)
{
    aio_service& service = handle.service();
    if (service.is_shut_down())
        return;
    if (handle.is_open())
        start_call(handle, *handle.file(), executor, std::forward<Handler>(handler),
                   std::move(request), cancellable::yes);
    else
        complete_without_engine<plain_outcome>(service, executor, std::forward<Handler>(handler),
                                               asio::error::bad_descriptor);
}

template <typename Executor, typename Handler>
void start_open(file_handle& handle, const Executor& executor, Handler&& handler, std::string path,
                file_base::flags open_flags, unsigned permissions)
{
    aio_service& service = handle.service();
    if (service.is_shut_down())
        return;
    error_code ec;
    if (!handle.prepare_open(ec))
    {
        complete_without_engine<plain_outcome>(service, executor, std::forward<Handler>(handler),
                                               ec);
        return;
    }
    opening begun = handle.begin_open();
    start_call(
        handle, *handle.file(), executor, std::forward<Handler>(handler),
        open_request{std::move(path), open_flags, permissions, handle.pattern(), std::move(begun)},
        cancellable::yes);
}

template <typename Executor, typename Handler>
void start_close(file_handle& handle, const Executor& executor, Handler&& handler)
{
    aio_service& service = handle.service();
    if (service.is_shut_down())
        return;
    // A close that is given up half-way would leave the file to nobody.
    if (handle.file())
        start_call(handle, service.engine()->no_file(), executor, std::forward<Handler>(handler),
                   handle.begin_close(), cancellable::no);
    else
        complete_without_engine<plain_outcome>(service, executor, std::forward<Handler>(handler),
                                               error_code());
}

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_START_OPERATION_HPP
