//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_START_TRANSFER_HPP
#define KAIO_DETAIL_START_TRANSFER_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/descriptor.hpp>
#include <kaio/detail/handler_tracking.hpp>
#include <kaio/detail/io_vectors.hpp>
#include <kaio/detail/kernel_options.hpp>
#include <kaio/detail/start_operation.hpp>
#include <kaio/detail/throw_error.hpp>
#include <kaio/io_options.hpp>

namespace kaio {
namespace detail {

/// Where a transfer takes place: at an offset, or else at the position of the file.
using transfer_offset = std::optional<std::uint64_t>;

/// Why a transfer can't be started, or no error.
inline error_code check_transfer(const file_handle& handle, const transfer_offset& offset,
                                 const io_options& options) noexcept
{
    if (!handle.is_open())
        return asio::error::bad_descriptor;
    if (offset > static_cast<std::uint64_t>(INT64_MAX) || !has_valid_priority(options))
        return asio::error::invalid_argument;
    return error_code();
}

/// The offset as the kernel takes it. One of -1, which check_transfer() lets nobody ask for, means
/// the position.
inline std::int64_t kernel_offset(const transfer_offset& offset) noexcept
{
    return offset ? static_cast<std::int64_t>(*offset) : -1;
}

/// Start a read or a write.
template <typename Handler, typename Executor, typename BufferSequence>
void start_transfer(operation_kind kind, file_handle& handle, const Executor& executor,
                    Handler&& handler, const transfer_offset& offset, const BufferSequence& buffers,
                    const io_options& options)
{
    using operation_type = file_operation<std::decay_t<Handler>, Executor, transfer_request>;

    aio_service& service = handle.service();
    dispatcher* const d = service.dispatcher();
    if (!d)
        return; // The context is being destroyed, and handlers with it.

    const error_code ec = check_transfer(handle, offset, options);
    const std::size_t buffer_count = ec ? 0 : count_io_vectors(buffers);
    if (buffer_count == 0)
    {
        complete_without_engine<transfer_outcome>(service, executor, std::forward<Handler>(handler),
                                                  ec);
        return;
    }

    std::decay_t<Handler> decayed(std::forward<Handler>(handler));
    auto operation = operation_type::create(kind, decayed, executor, d->executor(),
                                            transfer_request(), buffer_count);
    fill_io_vectors(buffers, operation->buffers_, buffer_count);
    operation->offset_ = kernel_offset(offset);
    operation->at_position_ = !offset;
    operation->rw_flags_ = rw_flags(options);
    operation->priority_ = priority(options);
    operation->serial_ = !offset || (options.append && kind == operation_kind::write);
    KAIO_HANDLER_CREATION(*operation, handle);
    connect_slot(service, *operation);
    d->start(*operation.release(), *handle.file());
}

/// Carry out a read or a write now.
template <typename BufferSequence>
std::size_t transfer(operation_kind kind, const file_handle& handle, const transfer_offset& offset,
                     const BufferSequence& buffers, const io_options& options, error_code& ec)
{
    ec = check_transfer(handle, offset, options);
    if (ec)
        return 0;

    // Few buffers, as usual, need no allocation.
    const std::size_t count = count_io_vectors(buffers);
    if (count == 0)
        return 0;
    constexpr std::size_t on_stack = 16;
    ::iovec few[on_stack];
    std::unique_ptr<::iovec[]> many;
    if (count > on_stack)
        many.reset(new ::iovec[count]);
    ::iovec* const vectors = many ? many.get() : few;
    fill_io_vectors(buffers, vectors, count);

    int error = 0;
    const std::size_t bytes_transferred = descriptor::transfer(
        handle.descriptor(), kind, vectors, count, kernel_offset(offset), rw_flags(options), error);
    ec = system_error_code(error);
    if (!ec && bytes_transferred == 0 && kind == operation_kind::read)
        ec = asio::error::eof;
    return bytes_transferred;
}

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_START_TRANSFER_HPP
