//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BASIC_RANDOM_ACCESS_FILE_HPP
#define KAIO_BASIC_RANDOM_ACCESS_FILE_HPP

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
#include <kaio/io_options.hpp>

namespace kaio {

/// A file that is read and written at any offset, by any number of operations at once.
/**
 * The interface is that of @c boost::asio::basic_random_access_file. The transfers are carried out
 * by Linux AIO, and all that are started on one file are outstanding at the same time.
 *
 * Transfers may execute and complete in any order, whatever the order in which they were started:
 * to have one after the other, start the second in the handler of the first. Appending writes are
 * the exception: those of one file object run one at a time, in the order started, and each of them is
 * one call of the kernel, as with write(2). Another write may be carried out in two parts: who reads
 * or writes the same place meanwhile may find the first without the second, also on file systems
 * where write(2) would keep them apart (XFS).
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Unsafe, except that @c read_some_at and @c write_some_at may be called
 * at the same time as each other. A program that starts asynchronous operations on one object from
 * several threads does so on a strand.
 *
 * @par Concepts
 * AsyncRandomAccessReadDevice, AsyncRandomAccessWriteDevice, SyncRandomAccessReadDevice,
 * SyncRandomAccessWriteDevice.
 *
 * @par Example
 * @snippet random_access_file_doc.cpp read_side_by_side
 */
template <typename Executor = asio::any_io_executor>
class basic_random_access_file : public basic_file<Executor>
{
private:
    using initiate_async_write_some_at =
        detail::initiate_transfer<detail::operation_kind::write, Executor>;
    using initiate_async_read_some_at =
        detail::initiate_transfer<detail::operation_kind::read, Executor>;

public:
    /// The type of the executor associated with the object.
    using executor_type = Executor;

    /// Rebinds the file type to another executor.
    template <typename Executor1>
    struct rebind_executor
    {
        /// The file type when rebound to the specified executor.
        using other = basic_random_access_file<Executor1>;
    };

    /// The native representation of a file: a file descriptor.
    using native_handle_type = int;

    /// Construct a file without opening it, or open it, or take over a descriptor.
    /** See the constructors of basic_file. */
    explicit basic_random_access_file(const executor_type& executor)
      : basic_file<Executor>(executor)
    {
    }

    /// Construct a file without opening it.
    template <typename ExecutionContext, detail::enable_if_context<ExecutionContext> = 0>
    explicit basic_random_access_file(ExecutionContext& context) : basic_file<Executor>(context)
    {
    }

    /// Construct and open a file.
    basic_random_access_file(const executor_type& executor, const char* path,
                             file_base::flags open_flags)
      : basic_file<Executor>(executor, path, open_flags)
    {
    }

    /// Construct and open a file.
    template <typename ExecutionContext, detail::enable_if_context<ExecutionContext> = 0>
    basic_random_access_file(ExecutionContext& context, const char* path,
                             file_base::flags open_flags)
      : basic_file<Executor>(context, path, open_flags)
    {
    }

    /// Construct and open a file.
    basic_random_access_file(const executor_type& executor, const std::string& path,
                             file_base::flags open_flags)
      : basic_file<Executor>(executor, path, open_flags)
    {
    }

    /// Construct and open a file.
    template <typename ExecutionContext, detail::enable_if_context<ExecutionContext> = 0>
    basic_random_access_file(ExecutionContext& context, const std::string& path,
                             file_base::flags open_flags)
      : basic_file<Executor>(context, path, open_flags)
    {
    }

    /// Construct a file on an existing descriptor.
    basic_random_access_file(const executor_type& executor, const native_handle_type& native_file)
      : basic_file<Executor>(executor, native_file)
    {
    }

    /// Construct a file on an existing descriptor.
    template <typename ExecutionContext, detail::enable_if_context<ExecutionContext> = 0>
    basic_random_access_file(ExecutionContext& context, const native_handle_type& native_file)
      : basic_file<Executor>(context, native_file)
    {
    }

    /// Move-construct a file from another, with its outstanding operations.
    basic_random_access_file(basic_random_access_file&& other) noexcept = default;

    /// Move-assign a file from another, with its outstanding operations.
    basic_random_access_file& operator=(basic_random_access_file&& other)
    {
        basic_file<Executor>::operator=(std::move(other));
        return *this;
    }

    /// Move-construct a file from a file of another executor type.
    template <typename Executor1, detail::enable_if_executor_convertible<Executor1, Executor> = 0>
    basic_random_access_file(basic_random_access_file<Executor1>&& other)
      : basic_file<Executor>(std::move(other))
    {
    }

    /// Move-assign a file from a file of another executor type.
    template <typename Executor1, detail::enable_if_executor_convertible<Executor1, Executor> = 0>
    basic_random_access_file& operator=(basic_random_access_file<Executor1>&& other)
    {
        basic_file<Executor>::operator=(std::move(other));
        return *this;
    }

    /// Destroys the file, cancelling outstanding operations as if by cancel().
    ~basic_random_access_file() = default;

    /// Write some data to the file at an offset.
    /**
     * Blocks until one or more bytes have been written, or until an error occurs.
     *
     * @param offset Where in the file to write, in bytes. A file opened with @c append ignores it.
     *
     * @param buffers The data. Direct files ask for aligned memory, offset and length.
     *
     * @returns The number of bytes written.
     *
     * @throws boost::system::system_error Thrown on failure, with the code of pwritev(2), @c EBADF
     * if the file is not open, or @c EINVAL for an offset above @c INT64_MAX.
     *
     * @note The write_some_at operation may not transmit all of the data. Consider using
     * @c boost::asio::write_at if you need to ensure that all of it is written.
     *
     * @par Thread Safety
     * May be called at the same time as other write_some_at and read_some_at calls on the object.
     *
     * @par Example
     * @snippet random_access_file_doc.cpp write_some_at
     */
    template <typename ConstBufferSequence>
    std::size_t write_some_at(std::uint64_t offset, const ConstBufferSequence& buffers)
    {
        return write_some_at(offset, buffers, io_options());
    }

    /// Write some data to the file at an offset.
    template <typename ConstBufferSequence>
    std::size_t write_some_at(std::uint64_t offset, const ConstBufferSequence& buffers,
                              error_code& ec)
    {
        return write_some_at(offset, buffers, io_options(), ec);
    }

    /// Write some data to the file at an offset, with options.
    /** @param options What the write asks for. The priority is not used by synchronous calls. */
    template <typename ConstBufferSequence>
    std::size_t write_some_at(std::uint64_t offset, const ConstBufferSequence& buffers,
                              const io_options& options)
    {
        error_code ec;
        const std::size_t result = write_some_at(offset, buffers, options, ec);
        detail::throw_transfer_error(ec, "write_some_at", this->handle_, offset, buffers, options);
        return result;
    }

    /// Write some data to the file at an offset, with options.
    template <typename ConstBufferSequence>
    std::size_t write_some_at(std::uint64_t offset, const ConstBufferSequence& buffers,
                              const io_options& options, error_code& ec)
    {
        return detail::transfer(detail::operation_kind::write, this->handle_, offset, buffers,
                                detail::translate(options), ec);
    }

    /// Start an asynchronous write at an offset.
    /**
     * An initiating function for an asynchronous operation, which always returns immediately. Any
     * number of reads and writes may be outstanding on the file.
     *
     * The operation completes when one or more bytes have been written, when there is nothing to
     * write, or when an error occurs. What was started in one turn of the loop is handed to the
     * kernel together; as long as the kernel holds service_options::max_in_flight operations of the
     * execution context, further ones wait in kaio. What the page cache takes without waiting is
     * written on the loop, without a place in the kernel: in one turn of it 32 operations at most,
     * or about 1 MiB.
     *
     * @param offset Where in the file to write, in bytes. A file opened with @c append ignores it.
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
     * @c boost::asio::error::operation_aborted, and nothing has been transferred. One that the
     * kernel holds cannot be recalled: it completes when the kernel is done, with its true result.
     * So a time-out written as <tt>read || timer</tt> ends when the kernel lets go of the buffer,
     * which may be long after the timer.
     *
     * @par Errors
     * Those of pwritev(2), whichever way the kernel reports them; @c EBADF if the file is not open
     * or not open for writing; @c EINVAL for an offset above @c INT64_MAX, or for misalignment.
     *
     * @note The operation may not transmit all of the data. Consider using
     * @c boost::asio::async_write_at if you need to ensure that all of it is written.
     *
     * @par Example
     * @snippet random_access_file_doc.cpp async_write_some_at
     */
    template <typename ConstBufferSequence,
              BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code, std::size_t))
                  WriteToken BOOST_ASIO_DEFAULT_COMPLETION_TOKEN_TYPE(executor_type)>
    auto async_write_some_at(std::uint64_t offset, const ConstBufferSequence& buffers,
                             WriteToken&& token BOOST_ASIO_DEFAULT_COMPLETION_TOKEN(executor_type))
        -> decltype(asio::async_initiate<WriteToken, void(error_code, std::size_t)>(
            std::declval<initiate_async_write_some_at>(), token, offset, buffers))
    {
        return asio::async_initiate<WriteToken, void(error_code, std::size_t)>(
            initiate_async_write_some_at(this->handle_, this->executor_), token, offset, buffers);
    }

    /// Start an asynchronous write at an offset, with options.
    /**
     * As the form without options; besides,
     *
     * @param options What the write asks for. An option that the kernel or the file system lacks
     * makes the operation fail with @c operation_not_supported.
     */
    template <typename ConstBufferSequence,
              BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code, std::size_t))
                  WriteToken BOOST_ASIO_DEFAULT_COMPLETION_TOKEN_TYPE(executor_type)>
    auto async_write_some_at(std::uint64_t offset, const ConstBufferSequence& buffers,
                             const io_options& options,
                             WriteToken&& token BOOST_ASIO_DEFAULT_COMPLETION_TOKEN(executor_type))
        -> decltype(asio::async_initiate<WriteToken, void(error_code, std::size_t)>(
            std::declval<initiate_async_write_some_at>(), token, offset, buffers, options))
    {
        return asio::async_initiate<WriteToken, void(error_code, std::size_t)>(
            initiate_async_write_some_at(this->handle_, this->executor_), token, offset, buffers,
            options);
    }

    /// Read some data from the file at an offset.
    /**
     * Blocks until one or more bytes have been read, or until an error occurs.
     *
     * @param offset Where in the file to read, in bytes.
     *
     * @param buffers Where the data goes. Direct files ask for aligned memory, offset and length,
     * and may overwrite what follows the bytes read.
     *
     * @returns The number of bytes read.
     *
     * @throws boost::system::system_error Thrown on failure. @c boost::asio::error::eof says that
     * the offset is at or behind the end of the file.
     *
     * @note The read_some_at operation may not read all of the requested number of bytes. Consider
     * using @c boost::asio::read_at if you need to ensure that.
     *
     * @par Thread Safety
     * May be called at the same time as other write_some_at and read_some_at calls on the object.
     *
     * @par Example
     * @snippet random_access_file_doc.cpp read_some_at
     */
    template <typename MutableBufferSequence>
    std::size_t read_some_at(std::uint64_t offset, const MutableBufferSequence& buffers)
    {
        return read_some_at(offset, buffers, io_options());
    }

    /// Read some data from the file at an offset.
    template <typename MutableBufferSequence>
    std::size_t read_some_at(std::uint64_t offset, const MutableBufferSequence& buffers,
                             error_code& ec)
    {
        return read_some_at(offset, buffers, io_options(), ec);
    }

    /// Read some data from the file at an offset, with options.
    /** @param options What the read asks for. The priority is not used by synchronous calls. */
    template <typename MutableBufferSequence>
    std::size_t read_some_at(std::uint64_t offset, const MutableBufferSequence& buffers,
                             const io_options& options)
    {
        error_code ec;
        const std::size_t result = read_some_at(offset, buffers, options, ec);
        detail::throw_transfer_error(ec, "read_some_at", this->handle_, offset, buffers, options);
        return result;
    }

    /// Read some data from the file at an offset, with options.
    template <typename MutableBufferSequence>
    std::size_t read_some_at(std::uint64_t offset, const MutableBufferSequence& buffers,
                             const io_options& options, error_code& ec)
    {
        return detail::transfer(detail::operation_kind::read, this->handle_, offset, buffers,
                                detail::translate(options), ec);
    }

    /// Start an asynchronous read at an offset.
    /**
     * An initiating function for an asynchronous operation, which always returns immediately. Any
     * number of reads and writes may be outstanding on the file.
     *
     * The operation completes when one or more bytes have been read, when the buffers have no room
     * at all, at the end of the file, or when an error occurs. What was started in one turn of the
     * loop is handed to the kernel together; as long as the kernel holds
     * service_options::max_in_flight operations of the execution context, further ones wait in kaio.
     * What the page cache has is read on the loop, without a place in the kernel: in one turn of it
     * 32 operations at most, or about 1 MiB.
     *
     * @param offset Where in the file to read, in bytes.
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
     * @c boost::asio::error::operation_aborted, and nothing has been transferred. One that the
     * kernel holds cannot be recalled: it completes when the kernel is done, with its true result.
     * So a time-out written as <tt>read || timer</tt> ends when the kernel lets go of the buffer,
     * which may be long after the timer.
     *
     * @par Errors
     * Those of preadv(2), whichever way the kernel reports them; @c boost::asio::error::eof at or
     * behind the end of the file; @c EBADF if the file is not open or not open for reading;
     * @c EINVAL for an offset above @c INT64_MAX, or for misalignment.
     *
     * @note The operation may not read all of the requested number of bytes. Consider using
     * @c boost::asio::async_read_at if you need to ensure that.
     *
     * @par Example
     * @snippet random_access_file_doc.cpp async_read_some_at
     */
    template <typename MutableBufferSequence,
              BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code, std::size_t))
                  ReadToken BOOST_ASIO_DEFAULT_COMPLETION_TOKEN_TYPE(executor_type)>
    auto async_read_some_at(std::uint64_t offset, const MutableBufferSequence& buffers,
                            ReadToken&& token BOOST_ASIO_DEFAULT_COMPLETION_TOKEN(executor_type))
        -> decltype(asio::async_initiate<ReadToken, void(error_code, std::size_t)>(
            std::declval<initiate_async_read_some_at>(), token, offset, buffers))
    {
        return asio::async_initiate<ReadToken, void(error_code, std::size_t)>(
            initiate_async_read_some_at(this->handle_, this->executor_), token, offset, buffers);
    }

    /// Start an asynchronous read at an offset, with options.
    /**
     * As the form without options; besides,
     *
     * @param options What the read asks for. An option that the kernel or the file system lacks
     * makes the operation fail with @c operation_not_supported.
     */
    template <typename MutableBufferSequence,
              BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code, std::size_t))
                  ReadToken BOOST_ASIO_DEFAULT_COMPLETION_TOKEN_TYPE(executor_type)>
    auto async_read_some_at(std::uint64_t offset, const MutableBufferSequence& buffers,
                            const io_options& options,
                            ReadToken&& token BOOST_ASIO_DEFAULT_COMPLETION_TOKEN(executor_type))
        -> decltype(asio::async_initiate<ReadToken, void(error_code, std::size_t)>(
            std::declval<initiate_async_read_some_at>(), token, offset, buffers, options))
    {
        return asio::async_initiate<ReadToken, void(error_code, std::size_t)>(
            initiate_async_read_some_at(this->handle_, this->executor_), token, offset, buffers,
            options);
    }
};

} // namespace kaio

#endif // KAIO_BASIC_RANDOM_ACCESS_FILE_HPP
