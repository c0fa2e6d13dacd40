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

namespace kaio {
namespace detail {

/// Where a transfer takes place: at an offset, or else at the position of the file.
using transfer_offset = std::optional<std::uint64_t>;

/// Whether there can be such a transfer.
inline bool is_possible(transfer_offset offset, kernel_options options) noexcept
{
    return options.valid && (!offset || *offset <= static_cast<std::uint64_t>(INT64_MAX));
}

/// Why a transfer can't be started, or no error.
inline error_code check_transfer(const file_handle& handle, transfer_offset offset,
                                 kernel_options options) noexcept
{
    if (!handle.is_open())
        return asio::error::bad_descriptor;
    return is_possible(offset, options) ? error_code() : asio::error::invalid_argument;
}

/// The offset as the kernel takes it. One of -1, which check_transfer() lets nobody ask for, means
/// the position.
inline std::int64_t kernel_offset(transfer_offset offset) noexcept
{
    return offset ? static_cast<std::int64_t>(*offset) : -1;
}

/// Start a read or a write.
/** In line: most of what it is given is constant where it is called, and options usually absent. */
template <typename Handler, typename Executor, typename BufferSequence>
[[gnu::always_inline]] inline void
start_transfer(operation_kind kind, file_handle& handle, const Executor& executor,
               Handler&& handler, transfer_offset offset, const BufferSequence& buffers,
               kernel_options options)
{
    using operation_type = file_operation<std::decay_t<Handler>, Executor, transfer_request>;

    aio_service& service = handle.service();
    if (service.is_shut_down())
        return; // The context is being destroyed, and handlers with it.

    const bool possible = handle.is_open() && is_possible(offset, options);
    const std::size_t buffer_count = possible ? count_io_vectors(buffers) : 0;
    if (buffer_count == 0)
    {
        complete_without_engine<transfer_outcome>(service, executor, std::forward<Handler>(handler),
                                                  check_transfer(handle, offset, options));
        return;
    }

    const bool single = buffer_count == 1;
    const ::iovec buffer = single ? first_io_vector(buffers) : ::iovec();
    const auto vector_count = static_cast<std::uint32_t>(single ? 0 : buffer_count);
    auto& operation = operation_type::create(
        kind, std::forward<Handler>(handler), executor, handle, transfer_request(), vector_count,
        [&](::iovec* vectors) { fill_io_vectors(buffers, vectors, vector_count); });
    if (single)
        operation.set_buffer(buffer);
    operation.block_.offset = kernel_offset(offset);
    operation.at_position_ = !offset;
    operation.rw_flags_ = options.rw_flags;
    operation.set_priority(options.priority);
    operation.serial_ =
        !offset || ((options.rw_flags & rwf_append) != 0 && kind == operation_kind::write);
    KAIO_HANDLER_CREATION(operation, handle);
    connect_slot(service, operation);
    service.dispatcher().start(operation, *handle.file());
}

/// Carry out a read or a write now.
template <typename BufferSequence>
std::size_t transfer(operation_kind kind, const file_handle& handle, transfer_offset offset,
                     const BufferSequence& buffers, kernel_options options, error_code& ec)
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
        handle.descriptor(), kind, vectors, count, kernel_offset(offset), options.rw_flags, error);
    ec = system_error_code(error);
    if (!ec && bytes_transferred == 0 && kind == operation_kind::read)
        ec = asio::error::eof;
    return bytes_transferred;
}

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_START_TRANSFER_HPP
