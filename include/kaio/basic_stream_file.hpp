//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BASIC_STREAM_FILE_HPP
#define KAIO_BASIC_STREAM_FILE_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <kaio/basic_file.hpp>
#include <kaio/detail/asio.hpp>
#include <kaio/detail/operation/start_transfer.hpp>
#include <kaio/detail/operation/throw_transfer_error.hpp>
#include <kaio/detail/throw_error.hpp>
#include <kaio/io_options.hpp>

namespace kaio {

/// A file that is read and written at a position, which every transfer moves on.
/**
 * The interface is that of @c boost::asio::basic_stream_file. Asynchronous transfers run one at a
 * time, reads and writes in the order in which they were started: each takes place where the one
 * before it left the position. A transfer that was begun ends, and moves the position, before the
 * next one begins; the completion handlers may be called later.
 *
 * @par The Position
 * It is that of the descriptor: native_handle() and release() give one that stands at it, and all
 * who share the descriptor's open file description share the position too.
 *
 * @li A transfer moves it by the number of bytes transferred, so that after a short one it is right
 * behind what was transferred.
 * @li A transfer that fails, or that is cancelled before it has begun, leaves it where it is.
 * @li A transfer that is cancelled when it has begun moves it at its end, as if it had not been
 * cancelled, unless the file has been closed or released meanwhile.
 * @li A file opened with @c append, and a write with io_options::append, writes at the end of the
 * file, whatever the position, which is behind the written bytes then. Reads are not affected.
 * @li A synchronous transfer, or seek(), while asynchronous ones are outstanding takes place at once,
 * at the position that there is at that moment; a transfer that has begun moves the position at its
 * end to where it would have been without that.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Unsafe.
 *
 * @par Concepts
 * AsyncReadStream, AsyncWriteStream, Stream, SyncReadStream, SyncWriteStream.
 *
 * @par Example
 * @snippet stream_file_doc.cpp read_line
 */
template <typename Executor = asio::any_io_executor>
class basic_stream_file : public basic_file<Executor>
{
private:
    using initiate_async_write_some =
        detail::initiate_transfer<detail::operation_kind::write, Executor>;
    using initiate_async_read_some =
        detail::initiate_transfer<detail::operation_kind::read, Executor>;

public:
    /// The type of the executor associated with the object.
    using executor_type = Executor;

    /// Rebinds the file type to another executor.
    template <typename Executor1>
    struct rebind_executor
    {
        /// The file type when rebound to the specified executor.
        using other = basic_stream_file<Executor1>;
    };

    /// The native representation of a file: a file descriptor.
    using native_handle_type = int;

    /// A stream file is always the lowest layer. Asio's buffered streams ask for it.
    using lowest_layer_type = basic_stream_file;

    /// Construct a file without opening it, or open it, or take over a descriptor.
    /**
     * See the constructors of basic_file. The kernel is told to expect that a file which is opened
     * will be read from front to back.
     */
    explicit basic_stream_file(const executor_type& executor) : basic_file<Executor>(executor)
    {
        this->handle_.expect(detail::descriptor::access_pattern::sequential);
    }

    /// Construct a file without opening it.
    template <typename ExecutionContext, detail::enable_if_context<ExecutionContext> = 0>
    explicit basic_stream_file(ExecutionContext& context)
      : basic_stream_file(executor_type(context.get_executor()))
    {
    }

    /// Construct and open a file.
    basic_stream_file(const executor_type& executor, const char* path, file_base::flags open_flags)
      : basic_stream_file(executor)
    {
        this->open(path, open_flags);
    }

    /// Construct and open a file.
    template <typename ExecutionContext, detail::enable_if_context<ExecutionContext> = 0>
    basic_stream_file(ExecutionContext& context, const char* path, file_base::flags open_flags)
      : basic_stream_file(context)
    {
        this->open(path, open_flags);
    }

    /// Construct and open a file.
    basic_stream_file(const executor_type& executor, const std::string& path,
                      file_base::flags open_flags)
      : basic_stream_file(executor, path.c_str(), open_flags)
    {
    }

    /// Construct and open a file.
    template <typename ExecutionContext, detail::enable_if_context<ExecutionContext> = 0>
    basic_stream_file(ExecutionContext& context, const std::string& path,
                      file_base::flags open_flags)
      : basic_stream_file(context, path.c_str(), open_flags)
    {
    }

    /// Construct a file on an existing descriptor, at its position.
    basic_stream_file(const executor_type& executor, const native_handle_type& native_file)
      : basic_stream_file(executor)
    {
        this->assign(native_file);
    }

    /// Construct a file on an existing descriptor, at its position.
    template <typename ExecutionContext, detail::enable_if_context<ExecutionContext> = 0>
    basic_stream_file(ExecutionContext& context, const native_handle_type& native_file)
      : basic_stream_file(context)
    {
        this->assign(native_file);
    }

    /// Move-construct a file from another, with its outstanding operations.
    basic_stream_file(basic_stream_file&& other) noexcept = default;

    /// Move-assign a file from another, with its outstanding operations.
    basic_stream_file& operator=(basic_stream_file&& other)
    {
        basic_file<Executor>::operator=(std::move(other));
        return *this;
    }

    /// Move-construct a file from a file of another executor type.
    template <typename Executor1, detail::enable_if_executor_convertible<Executor1, Executor> = 0>
    basic_stream_file(basic_stream_file<Executor1>&& other) : basic_file<Executor>(std::move(other))
    {
    }

    /// Move-assign a file from a file of another executor type.
    template <typename Executor1, detail::enable_if_executor_convertible<Executor1, Executor> = 0>
    basic_stream_file& operator=(basic_stream_file<Executor1>&& other)
    {
        basic_file<Executor>::operator=(std::move(other));
        return *this;
    }

    /// Destroys the file, cancelling outstanding operations as if by cancel().
    ~basic_stream_file() = default;

    /// Get a reference to the lowest layer: the object itself.
    lowest_layer_type& lowest_layer()
    {
        return *this;
    }

    /// Get a const reference to the lowest layer: the object itself.
    const lowest_layer_type& lowest_layer() const
    {
        return *this;
    }

    /// Move the position of the file.
    /**
     * @param offset How far from the basis, in bytes; negative to go back.
     *
     * @param whence What it counts from: @c seek_set for the beginning of the file, @c seek_cur for
     * the position, @c seek_end for the end of the file.
     *
     * @returns The new position, in bytes from the beginning of the file.
     *
     * @throws boost::system::system_error Thrown on failure, with the code of lseek(2): @c EINVAL
     * for a position before the beginning of the file, @c EBADF if the file is not open.
     *
     * @note Transfers that have begun are not affected; see the class on what they do afterwards.
     *
     * @par Example
     * @snippet stream_file_doc.cpp seek
     */
    std::uint64_t seek(std::int64_t offset, file_base::seek_basis whence)
    {
        error_code ec;
        const std::uint64_t result = seek(offset, whence, ec);
        detail::throw_error(ec, "seek");
        return result;
    }

    /// Move the position of the file.
    std::uint64_t seek(std::int64_t offset, file_base::seek_basis whence, error_code& ec)
    {
        int error = 0;
        const std::uint64_t result =
            detail::descriptor::seek(this->handle_.descriptor(), offset, whence, error);
        ec = detail::system_error_code(error);
        return result;
    }

    /// Write some data to the file.
    /**
     * Blocks until one or more bytes have been written, or until an error occurs.
     *
     * @param buffers The data. Direct files ask for aligned memory, offset and length.
     *
     * @returns The number of bytes written.
     *
     * @throws boost::system::system_error Thrown on failure, with the code of writev(2), or
     * @c EBADF if the file is not open.
     *
     * @note The write_some operation may not transmit all of the data. Consider using
     * @c boost::asio::write if you need to ensure that all of it is written.
     *
     * @par Example
     * @snippet stream_file_doc.cpp write_some
     */
    template <typename ConstBufferSequence>
    std::size_t write_some(const ConstBufferSequence& buffers)
    {
        return write_some(buffers, io_options());
    }

    /// Write some data to the file.
    template <typename ConstBufferSequence>
    std::size_t write_some(const ConstBufferSequence& buffers, error_code& ec)
    {
        return write_some(buffers, io_options(), ec);
    }

    /// Write some data to the file, with options.
    /** @param options What the write asks for. The priority is not used by synchronous calls. */
    template <typename ConstBufferSequence>
    std::size_t write_some(const ConstBufferSequence& buffers, const io_options& options)
    {
        error_code ec;
        const std::size_t result = write_some(buffers, options, ec);
        detail::throw_transfer_error(ec, "write_some", this->handle_, detail::transfer_offset(),
                                     buffers, options);
        return result;
    }

    /// Write some data to the file, with options.
    template <typename ConstBufferSequence>
    std::size_t write_some(const ConstBufferSequence& buffers, const io_options& options,
                           error_code& ec)
    {
        return detail::transfer(detail::operation_kind::write, this->handle_,
                                detail::transfer_offset(), buffers, detail::translate(options), ec);
    }

    /// Start an asynchronous write.
    /**
     * An initiating function for an asynchronous operation, which always returns immediately. Any
     * number of reads and writes may be outstanding on the file; they run one at a time, in the
     * order in which they were started.
     *
     * The operation completes when one or more bytes have been written, when there is nothing to
     * write, or when an error occurs.
     *
     * @param buffers The data. Although the buffers object may be copied as necessary, ownership of
     * the underlying memory blocks is retained by the caller, which must guarantee that they remain
     * valid, and unchanged, until the completion handler is called: also after a cancellation, and
     * after the file has been closed. Direct files ask for aligned memory, offset and length.
     *
     * @param token The completion token that will be used to produce a completion handler, which
     * will be called when the write completes. Regardless of whether the operation completes
     * immediately or not, the completion handler will not be invoked from within this function,
     * unless (Boost 1.82 and newer) its associated immediate executor does so.
     *
     * @par Completion Signature
     * @code void(boost::system::error_code, std::size_t) @endcode
     *
     * @par Executor
     * The handler is called on its associated executor, by default that of the file, as if by
     * @c boost::asio::dispatch from a thread that runs the file's execution context.
     *
     * @par Allocation
     * The operation takes its memory from the handler's associated allocator, and gives it back
     * before it calls the handler. By default it comes from a cache, without a call of @c malloc.
     *
     * @par Per-Operation Cancellation
     * All types are supported, and mean the same:
     *
     * @li @c cancellation_type::terminal
     *
     * @li @c cancellation_type::partial
     *
     * @li @c cancellation_type::total
     *
     * An operation that still waits in kaio completes at once with
     * @c boost::asio::error::operation_aborted, nothing has been transferred, and the position is
     * where it was. One that the kernel holds cannot be recalled: it completes when the kernel is
     * done, with its true result, and has moved the position then.
     * So a time-out written as <tt>read || timer</tt> ends when the kernel lets go of the buffer,
     * which may be long after the timer.
     *
     * @par Errors
     * Those of pwritev(2), whichever way the kernel reports them; @c EBADF if the file is not open
     * or not open for writing; @c EINVAL for misalignment.
     *
     * @note The operation may not transmit all of the data. Consider using
     * @c boost::asio::async_write if you need to ensure that all of it is written.
     *
     * @par Example
     * @snippet stream_file_doc.cpp async_write_some
     */
    template <typename ConstBufferSequence,
              BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code, std::size_t))
                  WriteToken BOOST_ASIO_DEFAULT_COMPLETION_TOKEN_TYPE(executor_type)>
    auto async_write_some(const ConstBufferSequence& buffers,
                          WriteToken&& token BOOST_ASIO_DEFAULT_COMPLETION_TOKEN(executor_type))
        -> decltype(asio::async_initiate<WriteToken, void(error_code, std::size_t)>(
            std::declval<initiate_async_write_some>(), token, buffers))
    {
        return asio::async_initiate<WriteToken, void(error_code, std::size_t)>(
            initiate_async_write_some(this->handle_, this->executor_), token, buffers);
    }

    /// Start an asynchronous write, with options.
    /**
     * As the form without options; besides,
     *
     * @param options What the write asks for. An option that the kernel or the file system lacks
     * makes the operation fail with @c operation_not_supported.
     */
    template <typename ConstBufferSequence,
              BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code, std::size_t))
                  WriteToken BOOST_ASIO_DEFAULT_COMPLETION_TOKEN_TYPE(executor_type)>
    auto async_write_some(const ConstBufferSequence& buffers, const io_options& options,
                          WriteToken&& token BOOST_ASIO_DEFAULT_COMPLETION_TOKEN(executor_type))
        -> decltype(asio::async_initiate<WriteToken, void(error_code, std::size_t)>(
            std::declval<initiate_async_write_some>(), token, buffers, options))
    {
        return asio::async_initiate<WriteToken, void(error_code, std::size_t)>(
            initiate_async_write_some(this->handle_, this->executor_), token, buffers, options);
    }

    /// Read some data from the file.
    /**
     * Blocks until one or more bytes have been read, or until an error occurs.
     *
     * @param buffers Where the data goes. Direct files ask for aligned memory, offset and length,
     * and may overwrite what follows the bytes read.
     *
     * @returns The number of bytes read.
     *
     * @throws boost::system::system_error Thrown on failure. @c boost::asio::error::eof says that
     * the position is at or behind the end of the file.
     *
     * @note The read_some operation may not read all of the requested number of bytes. Consider
     * using @c boost::asio::read if you need to ensure that.
     *
     * @par Example
     * @snippet stream_file_doc.cpp read_some
     */
    template <typename MutableBufferSequence>
    std::size_t read_some(const MutableBufferSequence& buffers)
    {
        return read_some(buffers, io_options());
    }

    /// Read some data from the file.
    template <typename MutableBufferSequence>
    std::size_t read_some(const MutableBufferSequence& buffers, error_code& ec)
    {
        return read_some(buffers, io_options(), ec);
    }

    /// Read some data from the file, with options.
    /** @param options What the read asks for. The priority is not used by synchronous calls. */
    template <typename MutableBufferSequence>
    std::size_t read_some(const MutableBufferSequence& buffers, const io_options& options)
    {
        error_code ec;
        const std::size_t result = read_some(buffers, options, ec);
        detail::throw_transfer_error(ec, "read_some", this->handle_, detail::transfer_offset(),
                                     buffers, options);
        return result;
    }

    /// Read some data from the file, with options.
    template <typename MutableBufferSequence>
    std::size_t read_some(const MutableBufferSequence& buffers, const io_options& options,
                          error_code& ec)
    {
        return detail::transfer(detail::operation_kind::read, this->handle_,
                                detail::transfer_offset(), buffers, detail::translate(options), ec);
    }

    /// Start an asynchronous read.
    /**
     * An initiating function for an asynchronous operation, which always returns immediately. Any
     * number of reads and writes may be outstanding on the file; they run one at a time, in the
     * order in which they were started.
     *
     * The operation completes when one or more bytes have been read, when the buffers have no room
     * at all, at the end of the file, or when an error occurs.
     *
     * @param buffers Where the data goes. Although the buffers object may be copied as necessary,
     * ownership of the underlying memory blocks is retained by the caller, which must guarantee
     * that they remain valid until the completion handler is called: also after a cancellation, and
     * after the file has been closed. Direct files ask for aligned memory, offset and length, and
     * may overwrite what follows the bytes read.
     *
     * @param token The completion token that will be used to produce a completion handler, which
     * will be called when the read completes. Regardless of whether the operation completes
     * immediately or not, the completion handler will not be invoked from within this function,
     * unless (Boost 1.82 and newer) its associated immediate executor does so.
     *
     * @par Completion Signature
     * @code void(boost::system::error_code, std::size_t) @endcode
     *
     * @par Executor
     * The handler is called on its associated executor, by default that of the file, as if by
     * @c boost::asio::dispatch from a thread that runs the file's execution context.
     *
     * @par Allocation
     * The operation takes its memory from the handler's associated allocator, and gives it back
     * before it calls the handler. By default it comes from a cache, without a call of @c malloc.
     *
     * @par Per-Operation Cancellation
     * All types are supported, and mean the same:
     *
     * @li @c cancellation_type::terminal
     *
     * @li @c cancellation_type::partial
     *
     * @li @c cancellation_type::total
     *
     * An operation that still waits in kaio completes at once with
     * @c boost::asio::error::operation_aborted, nothing has been transferred, and the position is
     * where it was. One that the kernel holds cannot be recalled: it completes when the kernel is
     * done, with its true result, and has moved the position then.
     * So a time-out written as <tt>read || timer</tt> ends when the kernel lets go of the buffer,
     * which may be long after the timer.
     *
     * @par Errors
     * Those of preadv(2), whichever way the kernel reports them; @c boost::asio::error::eof at or
     * behind the end of the file; @c EBADF if the file is not open or not open for reading;
     * @c EINVAL for misalignment.
     *
     * @note The operation may not read all of the requested number of bytes. Consider using
     * @c boost::asio::async_read if you need to ensure that.
     *
     * @par Example
     * @snippet stream_file_doc.cpp async_read_some
     */
    template <typename MutableBufferSequence,
              BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code, std::size_t))
                  ReadToken BOOST_ASIO_DEFAULT_COMPLETION_TOKEN_TYPE(executor_type)>
    auto async_read_some(const MutableBufferSequence& buffers,
                         ReadToken&& token BOOST_ASIO_DEFAULT_COMPLETION_TOKEN(executor_type))
        -> decltype(asio::async_initiate<ReadToken, void(error_code, std::size_t)>(
            std::declval<initiate_async_read_some>(), token, buffers))
    {
        return asio::async_initiate<ReadToken, void(error_code, std::size_t)>(
            initiate_async_read_some(this->handle_, this->executor_), token, buffers);
    }

    /// Start an asynchronous read, with options.
    /**
     * As the form without options; besides,
     *
     * @param options What the read asks for. An option that the kernel or the file system lacks
     * makes the operation fail with @c operation_not_supported.
     */
    template <typename MutableBufferSequence,
              BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code, std::size_t))
                  ReadToken BOOST_ASIO_DEFAULT_COMPLETION_TOKEN_TYPE(executor_type)>
    auto async_read_some(const MutableBufferSequence& buffers, const io_options& options,
                         ReadToken&& token BOOST_ASIO_DEFAULT_COMPLETION_TOKEN(executor_type))
        -> decltype(asio::async_initiate<ReadToken, void(error_code, std::size_t)>(
            std::declval<initiate_async_read_some>(), token, buffers, options))
    {
        return asio::async_initiate<ReadToken, void(error_code, std::size_t)>(
            initiate_async_read_some(this->handle_, this->executor_), token, buffers, options);
    }
};

} // namespace kaio

#endif // KAIO_BASIC_STREAM_FILE_HPP
