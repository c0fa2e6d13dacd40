//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_START_TRANSFER_HPP
#define KAIO_DETAIL_OPERATION_START_TRANSFER_HPP

#include <cstdint>
#include <memory>
#include <utility>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/file/descriptor.hpp>
#include <kaio/detail/operation/io_vectors.hpp>
#include <kaio/detail/operation/kernel_options.hpp>
#include <kaio/detail/operation/start_operation.hpp>
#include <kaio/detail/throw_error.hpp>
#include <kaio/io_options.hpp>

namespace kaio {
namespace detail {

/// Where a transfer takes place: at an offset, or else at the position of the file.
/** As std::optional, in which gcc 12 sees uninitialised values once it is part of another object. */
class transfer_offset
{
public:
    /// At the position of the file.
    constexpr transfer_offset() noexcept = default;

    constexpr transfer_offset(std::uint64_t offset) noexcept : offset_(offset), given_(true)
    {
    }

    constexpr explicit operator bool() const noexcept
    {
        return given_;
    }

    constexpr std::uint64_t operator*() const noexcept
    {
        return offset_;
    }

private:
    std::uint64_t offset_ = 0;
    bool given_ = false;
};

/// Whether there can be such a transfer.
inline bool is_possible(transfer_offset offset, kernel_options options) noexcept
{
    return options.valid && (!offset || *offset <= static_cast<std::uint64_t>(INT64_MAX));
}

/// Why a transfer can't be started, or no error.
inline error_code check_transfer(bool is_open, transfer_offset offset,
                                 kernel_options options) noexcept
{
    if (!is_open)
        return asio::error::bad_descriptor;
    return is_possible(offset, options) ? error_code() : asio::error::invalid_argument;
}

/// The offset as the kernel takes it. One of -1, which check_transfer() lets nobody ask for, means
/// the position.
inline std::int64_t kernel_offset(transfer_offset offset) noexcept
{
    return offset ? static_cast<std::int64_t>(*offset) : -1;
}

/// A read or a write, for start_operation(). Refers to the buffers, which may belong to the handler.
template <typename BufferSequence>
class transfer_start
{
public:
    using outcome = transfer_outcome;
    static constexpr bool cancellable = true;

    transfer_start(operation_kind kind, transfer_offset offset, const BufferSequence& buffers,
                   kernel_options options) noexcept
      : kind_(kind), offset_(offset), buffers_(buffers), options_(options)
    {
    }

    [[gnu::always_inline]] bool may_begin(const file_handle& handle)
    {
        is_open_ = handle.is_open();
        const bool possible = is_open_ && is_possible(offset_, options_);
        buffer_count_ = possible ? count_io_vectors(buffers_) : 0;
        if (buffer_count_ == 1)
            first_ = first_io_vector(buffers_);
        return buffer_count_ != 0;
    }

    error_code result_at_once(const file_handle&) const noexcept
    {
        return check_transfer(is_open_, offset_, options_);
    }

    static transfer_request request(const file_handle&) noexcept
    {
        return {};
    }

    operation_kind kind() const noexcept
    {
        return kind_;
    }

    /// A transfer of one buffer needs no array.
    std::uint32_t vector_count() const noexcept
    {
        return buffer_count_ == 1 ? 0 : static_cast<std::uint32_t>(buffer_count_);
    }

    void fill(::iovec* vectors) const
    {
        fill_io_vectors(buffers_, vectors, buffer_count_);
    }

    [[gnu::always_inline]] void describe(operation_record& operation) const noexcept
    {
        if (buffer_count_ == 1)
            operation.set_buffer(first_);
        operation.set_offset(kernel_offset(offset_));
        operation.set_at_position(!offset_);
        operation.set_rw_flags(options_.rw_flags);
        operation.set_priority(options_.priority);
        operation.set_serial(
            !offset_ || ((options_.rw_flags & rwf_append) != 0 && kind_ == operation_kind::write));
    }

    static open_file& file(const file_handle& handle) noexcept
    {
        return *handle.file();
    }

private:
    operation_kind kind_;
    transfer_offset offset_;
    const BufferSequence& buffers_;
    kernel_options options_;
    bool is_open_ = false;
    std::size_t buffer_count_ = 0;
    ::iovec first_{};
};

/// Starts reads or writes once their completion tokens have been turned into handlers.
/** In line, as start_operation() is, where there are no options. */
template <operation_kind Kind, typename Executor>
class initiate_transfer : public initiation<Executor>
{
public:
    using initiation<Executor>::initiation;

    /// At an offset.
    template <typename Handler, typename BufferSequence>
    [[gnu::always_inline]] void operator()(Handler&& handler, std::uint64_t offset,
                                           const BufferSequence& buffers) const
    {
        start(std::forward<Handler>(handler), offset, buffers, {});
    }

    template <typename Handler, typename BufferSequence>
    void operator()(Handler&& handler, std::uint64_t offset, const BufferSequence& buffers,
                    const io_options& options) const
    {
        start(std::forward<Handler>(handler), offset, buffers, translate(options));
    }

    /// At the position of the file.
    template <typename Handler, typename BufferSequence>
    [[gnu::always_inline]] void operator()(Handler&& handler, const BufferSequence& buffers) const
    {
        start(std::forward<Handler>(handler), transfer_offset(), buffers, {});
    }

    template <typename Handler, typename BufferSequence>
    void operator()(Handler&& handler, const BufferSequence& buffers,
                    const io_options& options) const
    {
        start(std::forward<Handler>(handler), transfer_offset(), buffers, translate(options));
    }

private:
    template <typename Handler, typename BufferSequence>
    [[gnu::always_inline]] void start(Handler&& handler, transfer_offset offset,
                                      const BufferSequence& buffers, kernel_options options) const
    {
        transfer_start<BufferSequence> transfer(Kind, offset, buffers, options);
        this->begin(std::forward<Handler>(handler), transfer);
    }
};

/// Carry out a read or a write now.
template <typename BufferSequence>
std::size_t transfer(operation_kind kind, const file_handle& handle, transfer_offset offset,
                     const BufferSequence& buffers, kernel_options options, error_code& ec)
{
    ec = check_transfer(handle.is_open(), offset, options);
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

#endif // KAIO_DETAIL_OPERATION_START_TRANSFER_HPP
