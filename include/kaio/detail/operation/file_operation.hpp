//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_FILE_OPERATION_HPP
#define KAIO_DETAIL_OPERATION_FILE_OPERATION_HPP

#include <sys/uio.h>

#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/file/file_handle.hpp>
#include <kaio/detail/operation/completion.hpp>
#include <kaio/detail/operation/handler_tracking.hpp>
#include <kaio/detail/operation/handler_work.hpp>
#include <kaio/detail/operation/operation_record.hpp>
#include <kaio/detail/operation/operation_storage.hpp>
#include <kaio/detail/operation/outcomes.hpp>

namespace kaio {
namespace detail {

/// An asynchronous operation on a file, with its handler.
/**
 * A request says what is particular to a kind of operation. It has a member @c outcome(record) that
 * makes of the result what the handler is called with. Behind the operation, in the same block of
 * memory, there is room for the array of a transfer's buffers, if it has several.
 */
template <typename Handler, typename Executor, typename Request>
class file_operation final : public operation_record BOOST_ASIO_ALSO_INHERIT_TRACKED_HANDLER
{
public:
    /// Make an operation in memory of its handler.
    template <typename RawHandler>
    static file_operation& create(operation_kind kind, RawHandler&& handler,
                                  const Executor& executor, const file_handle& handle,
                                  Request&& request)
    {
        return create(kind, std::forward<RawHandler>(handler), executor, handle, std::move(request),
                      0, [](::iovec*) {});
    }

    /// Make an operation with an array of buffers.
    /** They may belong to the handler: fill is called before that is moved. */
    template <typename RawHandler, typename Fill>
    [[gnu::always_inline]] static file_operation&
    create(operation_kind kind, RawHandler&& handler, const Executor& executor,
           const file_handle& handle, Request&& request, std::uint32_t vector_count, Fill fill)
    {
        storage memory(operation_allocator_for(std::as_const(handler)), vector_count);
        if (vector_count != 0)
            fill(memory.vectors());
        auto* operation = new (memory.operation()) file_operation(
            kind, std::forward<RawHandler>(handler), executor, handle, std::move(request));
        if (vector_count != 0)
            operation->set_buffers(memory.vectors(), vector_count);
        memory.release();
        return *operation;
    }

    /// Destroy an operation that was not started.
    void discard()
    {
        on_upcall(*this, upcall::discard);
    }

    const Handler& handler() const noexcept
    {
        return handler_;
    }

    Request& details() noexcept
    {
        return request_;
    }

private:
    using storage =
        operation_storage<file_operation,
                          decltype(operation_allocator_for(std::declval<const Handler&>()))>;
    using outcome_type =
        decltype(std::declval<Request&>().outcome(std::declval<const operation_record&>()));
    using completion_type = completion<Handler, outcome_type>;

    template <typename RawHandler>
    file_operation(operation_kind kind, RawHandler&& handler, const Executor& executor,
                   const file_handle& handle, Request&& request)
      : operation_record(kind, &file_operation::on_upcall),
        work_(handler, executor, handle.service().dispatcher().context(), handle.on_context()),
        request_(std::move(request)), handler_(std::forward<RawHandler>(handler))
    {
    }

    static void on_upcall(operation_record& record, upcall how)
    {
        auto& self = static_cast<file_operation&>(record);
        BOOST_ASIO_HANDLER_COMPLETION((self));
        // The memory is given back before the handler is called, which can use it again at once.
        handler_work<Handler, Executor> work(std::move(self.work_));
        completion_type function = self.extract();
        if (how == upcall::invoke)
        {
            if constexpr (std::is_same_v<outcome_type, transfer_outcome>)
                BOOST_ASIO_HANDLER_INVOCATION_BEGIN(
                    (function.outcome().ec(), function.outcome().bytes_transferred()));
            else
                BOOST_ASIO_HANDLER_INVOCATION_BEGIN((function.outcome().ec()));
            work.dispatch(std::move(function));
            BOOST_ASIO_HANDLER_INVOCATION_END;
        }
    }

    completion_type extract()
    {
        storage memory(operation_allocator_for(handler_), *this);
        completion_type function(std::move(handler_), request_.outcome(*this));
        this->~file_operation();
        return function;
    }

    ~file_operation() = default;

    handler_work<Handler, Executor> work_;
    Request request_;
    Handler handler_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_FILE_OPERATION_HPP
