//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BASIC_FILE_HPP
#define KAIO_BASIC_FILE_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution_context.hpp>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include <kaio/aio_service.hpp>
#include <kaio/detail/asio.hpp>
#include <kaio/detail/file/descriptor.hpp>
#include <kaio/detail/file/file_handle.hpp>
#include <kaio/detail/operation/start_operation.hpp>
#include <kaio/detail/operation/starts.hpp>
#include <kaio/detail/throw_error.hpp>
#include <kaio/file_base.hpp>
#include <kaio/io_alignment.hpp>

namespace kaio {

/// What all files of kaio have in common: everything but reading and writing.
/**
 * Each function that can fail comes in two forms. One takes an @c error_code, sets it, and (unless
 * @c BOOST_ASIO_NO_DEPRECATED is defined) returns it where it has nothing else to return; the other
 * throws @c boost::system::system_error. Error codes are those of the operating system, but for
 * @c boost::asio::error::already_open.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Unsafe.
 */
template <typename Executor = asio::any_io_executor>
class basic_file : public file_base
{
private:
    using initiation = detail::initiation<Executor>;

    static constexpr unsigned default_permissions = 0666;

public:
    /// The type of the executor associated with the object.
    using executor_type = Executor;

    /// Rebinds the file type to another executor.
    template <typename Executor1>
    struct rebind_executor
    {
        /// The file type when rebound to the specified executor.
        using other = basic_file<Executor1>;
    };

    /// The native representation of a file: a file descriptor.
    using native_handle_type = int;

    /// Construct a file without opening it.
    /**
     * @param executor The I/O executor that the file will use, by default, to dispatch handlers for
     * the asynchronous operations performed on it.
     *
     * @throws boost::system::system_error The context has no kaio::aio_service yet, and the kernel
     * refuses what that needs.
     */
    explicit basic_file(const executor_type& executor) : handle_(executor), executor_(executor)
    {
    }

    /// Construct a file without opening it.
    /**
     * @param context An execution context which provides the I/O executor of the file.
     */
    template <typename ExecutionContext, detail::enable_if_context<ExecutionContext> = 0>
    explicit basic_file(ExecutionContext& context)
      : basic_file(executor_type(context.get_executor()))
    {
    }

    /// Construct and open a file.
    /**
     * @param executor The I/O executor of the file.
     * @param path The path of the file.
     * @param open_flags How to open it, see file_base::flags.
     *
     * @throws boost::system::system_error Thrown on failure, as by open().
     */
    explicit basic_file(const executor_type& executor, const char* path,
                        file_base::flags open_flags)
      : basic_file(executor)
    {
        open(path, open_flags);
    }

    /// Construct and open a file.
    template <typename ExecutionContext, detail::enable_if_context<ExecutionContext> = 0>
    explicit basic_file(ExecutionContext& context, const char* path, file_base::flags open_flags)
      : basic_file(context)
    {
        open(path, open_flags);
    }

    /// Construct and open a file.
    explicit basic_file(const executor_type& executor, const std::string& path,
                        file_base::flags open_flags)
      : basic_file(executor, path.c_str(), open_flags)
    {
    }

    /// Construct and open a file.
    template <typename ExecutionContext, detail::enable_if_context<ExecutionContext> = 0>
    explicit basic_file(ExecutionContext& context, const std::string& path,
                        file_base::flags open_flags)
      : basic_file(context, path.c_str(), open_flags)
    {
    }

    /// Construct a file on an existing descriptor.
    /**
     * @param executor The I/O executor of the file.
     * @param native_file A descriptor, which the object owns from now on, unless it throws.
     *
     * @throws boost::system::system_error Thrown on failure, as by assign().
     */
    basic_file(const executor_type& executor, const native_handle_type& native_file)
      : basic_file(executor)
    {
        assign(native_file);
    }

    /// Construct a file on an existing descriptor.
    template <typename ExecutionContext, detail::enable_if_context<ExecutionContext> = 0>
    basic_file(ExecutionContext& context, const native_handle_type& native_file)
      : basic_file(context)
    {
        assign(native_file);
    }

    /// Move-construct a file from another.
    /**
     * Outstanding operations move along: they complete as if nothing had happened, and cancel() and
     * close() of the new object reach them.
     *
     * @note Following the move, the moved-from object is in the same state as if constructed using
     * the @c basic_file(const executor_type&) constructor.
     */
    basic_file(basic_file&& other) noexcept
      : handle_(std::move(other.handle_)), executor_(other.executor_)
    {
    }

    /// Move-assign a file from another.
    /** What the object held before is closed, as if by close(). */
    basic_file& operator=(basic_file&& other)
    {
        handle_ = std::move(other.handle_);
        executor_ = other.executor_;
        return *this;
    }

    // All files have access to each other's implementations.
    template <typename Executor1>
    friend class basic_file;

    /// Move-construct a file from a file of another executor type.
    template <typename Executor1, detail::enable_if_executor_convertible<Executor1, Executor> = 0>
    basic_file(basic_file<Executor1>&& other)
      : handle_(std::move(other.handle_)), executor_(other.executor_)
    {
        handle_.set_executor(executor_);
    }

    /// Move-assign a file from a file of another executor type.
    template <typename Executor1, detail::enable_if_executor_convertible<Executor1, Executor> = 0>
    basic_file& operator=(basic_file<Executor1>&& other)
    {
        handle_ = std::move(other.handle_);
        executor_ = executor_type(other.executor_);
        handle_.set_executor(executor_);
        return *this;
    }

    basic_file(const basic_file&) = delete;
    basic_file& operator=(const basic_file&) = delete;

    /// Get the executor associated with the object.
    const executor_type& get_executor() noexcept
    {
        return executor_;
    }

    /// Open the file.
    /**
     * The descriptor gets O_CLOEXEC. A file that is created gets the permissions 0666, less the
     * umask.
     *
     * @param path The path of the file.
     * @param open_flags How to open it, see file_base::flags.
     *
     * @throws boost::system::system_error Thrown on failure: @c boost::asio::error::already_open,
     * what open(2) reports, or @c ESPIPE for a pipe, a socket or a terminal, which have no offsets:
     * use @c boost::asio::posix::stream_descriptor for those. A named pipe is refused without a
     * wait for its other end.
     *
     * @par Example
     * @code
     * kaio::random_access_file file(my_context);
     * file.open("/path/to/my.file", kaio::random_access_file::read_only);
     * @endcode
     */
    void open(const char* path, file_base::flags open_flags)
    {
        error_code ec;
        open(path, open_flags, ec);
        detail::throw_error(ec, "open");
    }

    /// Open the file.
    KAIO_SYNC_OP_VOID open(const char* path, file_base::flags open_flags, error_code& ec)
    {
        return open(path, open_flags, default_permissions, ec);
    }

    /// Open the file.
    void open(const std::string& path, file_base::flags open_flags)
    {
        open(path.c_str(), open_flags);
    }

    /// Open the file.
    KAIO_SYNC_OP_VOID open(const std::string& path, file_base::flags open_flags, error_code& ec)
    {
        return open(path.c_str(), open_flags, ec);
    }

    /// Open the file, with permissions for the case that it is created.
    /**
     * @param path The path of the file.
     * @param open_flags How to open it, see file_base::flags.
     * @param permissions The permissions of a file that is created, less the umask: 0600, say.
     *
     * @throws boost::system::system_error Thrown on failure, as by the form without permissions.
     */
    void open(const char* path, file_base::flags open_flags, unsigned permissions)
    {
        error_code ec;
        open(path, open_flags, permissions, ec);
        detail::throw_error(ec, "open");
    }

    /// Open the file, with permissions for the case that it is created.
    KAIO_SYNC_OP_VOID open(const char* path, file_base::flags open_flags, unsigned permissions,
                           error_code& ec)
    {
        handle_.open(path, open_flags, permissions, ec);
        KAIO_SYNC_OP_VOID_RETURN(ec);
    }

    /// Open the file, with permissions for the case that it is created.
    void open(const std::string& path, file_base::flags open_flags, unsigned permissions)
    {
        open(path.c_str(), open_flags, permissions);
    }

    /// Open the file, with permissions for the case that it is created.
    KAIO_SYNC_OP_VOID open(const std::string& path, file_base::flags open_flags,
                           unsigned permissions, error_code& ec)
    {
        return open(path.c_str(), open_flags, permissions, ec);
    }

    /// Take over an existing descriptor.
    /**
     * @param native_file A descriptor, which the object owns from now on, unless this fails. With
     * -1 the object stays closed, and that is no error.
     *
     * What fcntl(2) changes in the descriptor's flags afterwards counts for the operations that begin
     * later, but for one thing: writes of a random-access file surely run one at a time only if it had
     * @c O_APPEND when it was taken over.
     *
     * @throws boost::system::system_error Thrown on failure: @c boost::asio::error::already_open,
     * @c EBADF, or @c ESPIPE for what has no offsets.
     */
    void assign(const native_handle_type& native_file)
    {
        error_code ec;
        assign(native_file, ec);
        detail::throw_error(ec, "assign");
    }

    /// Take over an existing descriptor.
    KAIO_SYNC_OP_VOID assign(const native_handle_type& native_file, error_code& ec)
    {
        handle_.assign(native_file, ec);
        KAIO_SYNC_OP_VOID_RETURN(ec);
    }

    /// Determine whether the file is open.
    bool is_open() const
    {
        return handle_.is_open();
    }

    /// Close the file.
    /**
     * Operations that still wait in kaio complete with @c boost::asio::error::operation_aborted.
     * Those that the kernel holds cannot be recalled: they complete later with their true results,
     * and their buffers stay in use until then. The call doesn't wait for them. The number of the
     * descriptor is not free for reuse before nothing can be using it any more.
     *
     * @throws boost::system::system_error Thrown on failure. Note that, even if the function
     * indicates an error, the underlying descriptor is closed. Closing a closed file is no error.
     */
    void close()
    {
        error_code ec;
        close(ec);
        detail::throw_error(ec, "close");
    }

    /// Close the file.
    KAIO_SYNC_OP_VOID close(error_code& ec)
    {
        handle_.close(ec);
        KAIO_SYNC_OP_VOID_RETURN(ec);
    }

    /// Give up ownership of the descriptor.
    /**
     * Outstanding operations fare as with close(). If another thread is just using the descriptor,
     * to hand operations to the kernel, to tell it of reads to come, or to carry one out, the call
     * waits for the end of that: kaio no longer touches the descriptor when it returns.
     *
     * @returns The descriptor, or -1 if the file is not open.
     */
    native_handle_type release()
    {
        error_code ec;
        const native_handle_type result = release(ec);
        detail::throw_error(ec, "release");
        return result;
    }

    /// Give up ownership of the descriptor.
    native_handle_type release(error_code& ec)
    {
        return handle_.release(ec);
    }

    /// Get the descriptor, or -1 if the file is not open.
    native_handle_type native_handle()
    {
        return handle_.descriptor();
    }

    /// Cancel all asynchronous operations on the file.
    /**
     * Operations that still wait in kaio complete with @c boost::asio::error::operation_aborted.
     * Those that the kernel holds complete later, with their true results: Linux has no way of
     * recalling a transfer to or from a file (@c io_cancel fails with EINVAL for all of them).
     *
     * @throws boost::system::system_error Thrown on failure: @c EBADF if the file is not open.
     */
    void cancel()
    {
        error_code ec;
        cancel(ec);
        detail::throw_error(ec, "cancel");
    }

    /// Cancel all asynchronous operations on the file.
    KAIO_SYNC_OP_VOID cancel(error_code& ec)
    {
        handle_.cancel(ec);
        KAIO_SYNC_OP_VOID_RETURN(ec);
    }

    /// Get the size of the file in bytes; of a block device, its capacity.
    /** @throws boost::system::system_error Thrown on failure: @c EBADF if the file is not open. */
    std::uint64_t size() const
    {
        error_code ec;
        const std::uint64_t result = size(ec);
        detail::throw_error(ec, "size");
        return result;
    }

    /// Get the size of the file in bytes; of a block device, its capacity.
    std::uint64_t size(error_code& ec) const
    {
        int error = 0;
        const std::uint64_t result = detail::descriptor::size(handle_.descriptor(), error);
        ec = detail::system_error_code(error);
        return result;
    }

    /// Get what direct transfers of the file have to be multiples of.
    /**
     * The kernel is asked (Linux 6.1 and newer, on most file systems), otherwise the device; where
     * neither is known it is 4096, which suits every file. It is the same whether or not the file was
     * opened with file_base::direct. Only the kernel knows whether a transfer that is not aligned
     * will fail.
     *
     * @returns The alignments in bytes; 0 for what has no direct I/O.
     *
     * @throws boost::system::system_error Thrown on failure: @c EBADF if the file is not open.
     */
    io_alignment alignment() const
    {
        error_code ec;
        const io_alignment result = alignment(ec);
        detail::throw_error(ec, "alignment");
        return result;
    }

    /// Get what direct transfers of the file have to be multiples of.
    io_alignment alignment(error_code& ec) const
    {
        int error = 0;
        const io_alignment result = detail::descriptor::alignment(handle_.descriptor(), error);
        ec = detail::system_error_code(error);
        return result;
    }

    /// Alter the size of the file.
    /**
     * @param n The new size in bytes. What is added reads as zeros.
     *
     * @throws boost::system::system_error Thrown on failure.
     */
    void resize(std::uint64_t n)
    {
        error_code ec;
        resize(n, ec);
        detail::throw_error(ec, "resize");
    }

    /// Alter the size of the file.
    KAIO_SYNC_OP_VOID resize(std::uint64_t n, error_code& ec)
    {
        int error = 0;
        detail::descriptor::resize(handle_.descriptor(), n, error);
        ec = detail::system_error_code(error);
        KAIO_SYNC_OP_VOID_RETURN(ec);
    }

    /// Bring the data and the metadata of completed writes to stable storage, and wait for it.
    /** @throws boost::system::system_error Thrown on failure. */
    void sync_all()
    {
        error_code ec;
        sync_all(ec);
        detail::throw_error(ec, "sync_all");
    }

    /// Bring the data and the metadata of completed writes to stable storage, and wait for it.
    KAIO_SYNC_OP_VOID sync_all(error_code& ec)
    {
        int error = 0;
        detail::descriptor::sync_all(handle_.descriptor(), error);
        ec = detail::system_error_code(error);
        KAIO_SYNC_OP_VOID_RETURN(ec);
    }

    /// Bring the data of completed writes to stable storage, and wait for it.
    /** @throws boost::system::system_error Thrown on failure. */
    void sync_data()
    {
        error_code ec;
        sync_data(ec);
        detail::throw_error(ec, "sync_data");
    }

    /// Bring the data of completed writes to stable storage, and wait for it.
    KAIO_SYNC_OP_VOID sync_data(error_code& ec)
    {
        int error = 0;
        detail::descriptor::sync_data(handle_.descriptor(), error);
        ec = detail::system_error_code(error);
        KAIO_SYNC_OP_VOID_RETURN(ec);
    }

    /// Start to bring the data and the metadata of completed writes to stable storage.
    /**
     * An initiating function for an asynchronous operation, which always returns immediately. The
     * operation completes when all that writes had completed before it was started is on stable
     * storage, or when an error occurs, which may be that of an earlier write. @b Writes @b that
     * @b are @b outstanding @b when @b it @b is @b started @b are @b not @b covered: the kernel
     * doesn't order them. To make sure of one write alone, use io_options::data_sync.
     *
     * It is the IOCB_CMD_FSYNC of Linux AIO, or fsync(2) on a helper thread where the file has none.
     *
     * @param token The completion token that will be used to produce a completion handler, which
     * is never called from within this function, unless (Boost 1.82 and newer) its associated
     * immediate executor does so.
     *
     * @par Completion Signature
     * @code void(boost::system::error_code) @endcode
     *
     * @par Executor
     * The handler is called on its associated executor, by default that of the file, as if by
     * @c boost::asio::dispatch from a thread that runs the file's execution context.
     *
     * @par Per-Operation Cancellation
     * All types are supported, and mean the same: an operation that has not begun completes at once
     * with @c boost::asio::error::operation_aborted; one that has begun completes when it is done,
     * with its true result.
     *
     * @par Errors
     * Those of fsync(2); @c EBADF if the file is not open.
     *
     * @par Example
     * @snippet basic_file_doc.cpp async_sync_all
     */
    template <BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code))
                  CompletionToken BOOST_ASIO_DEFAULT_COMPLETION_TOKEN_TYPE(executor_type)>
    auto async_sync_all(CompletionToken&& token BOOST_ASIO_DEFAULT_COMPLETION_TOKEN(executor_type))
        -> decltype(asio::async_initiate<CompletionToken, void(error_code)>(
            std::declval<initiation>(), token,
            detail::start_sync(detail::operation_kind::sync_all)))
    {
        return asio::async_initiate<CompletionToken, void(error_code)>(
            initiation(handle_, executor_), token,
            detail::start_sync(detail::operation_kind::sync_all));
    }

    /// Start to bring the data of completed writes to stable storage.
    /**
     * An initiating function for an asynchronous operation, which always returns immediately. The
     * operation completes when all that writes had completed before it was started is on stable
     * storage, or when an error occurs, which may be that of an earlier write. @b Writes @b that
     * @b are @b outstanding @b when @b it @b is @b started @b are @b not @b covered: the kernel
     * doesn't order them. To make sure of one write alone, use io_options::data_sync.
     *
     * It is the IOCB_CMD_FDSYNC of Linux AIO, or fdatasync(2) on a helper thread where the file has none.
     *
     * @param token The completion token that will be used to produce a completion handler, which
     * is never called from within this function, unless (Boost 1.82 and newer) its associated
     * immediate executor does so.
     *
     * @par Completion Signature
     * @code void(boost::system::error_code) @endcode
     *
     * @par Executor
     * The handler is called on its associated executor, by default that of the file, as if by
     * @c boost::asio::dispatch from a thread that runs the file's execution context.
     *
     * @par Per-Operation Cancellation
     * All types are supported, and mean the same: an operation that has not begun completes at once
     * with @c boost::asio::error::operation_aborted; one that has begun completes when it is done,
     * with its true result.
     *
     * @par Errors
     * Those of fdatasync(2); @c EBADF if the file is not open.
     *
     * @par Example
     * @snippet basic_file_doc.cpp async_sync_data
     */
    template <BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code))
                  CompletionToken BOOST_ASIO_DEFAULT_COMPLETION_TOKEN_TYPE(executor_type)>
    auto async_sync_data(CompletionToken&& token BOOST_ASIO_DEFAULT_COMPLETION_TOKEN(executor_type))
        -> decltype(asio::async_initiate<CompletionToken, void(error_code)>(
            std::declval<initiation>(), token,
            detail::start_sync(detail::operation_kind::sync_data)))
    {
        return asio::async_initiate<CompletionToken, void(error_code)>(
            initiation(handle_, executor_), token,
            detail::start_sync(detail::operation_kind::sync_data));
    }

    /// Start to open the file.
    /**
     * An initiating function for an asynchronous operation, which always returns immediately. The
     * file is opened on a helper thread, with the permissions 0666 less the umask if it is created,
     * and is_open() from just before the handler is called.
     *
     * If the object is closed or destroyed, or cancel() is called, before the operation completes,
     * it completes with @c boost::asio::error::operation_aborted, and nothing stays open.
     *
     * @param path The path of the file, which is copied.
     *
     * @param open_flags How to open it, see file_base::flags.
     *
     * @param token The completion token that will be used to produce a completion handler, which
     * is never called from within this function, unless (Boost 1.82 and newer) its associated
     * immediate executor does so.
     *
     * @par Completion Signature
     * @code void(boost::system::error_code) @endcode
     *
     * @par Executor
     * The handler is called on its associated executor, by default that of the file, as if by
     * @c boost::asio::dispatch from a thread that runs the file's execution context.
     *
     * @par Per-Operation Cancellation
     * All types are supported, and mean the same: an operation that has not begun completes at once
     * with @c boost::asio::error::operation_aborted; one that has begun completes when it is done,
     * with its true result. open(2) may be long in doing it: of a file on a mount that hangs, under
     * a lease, or of a device that waits for something. So long it keeps a helper thread, and the
     * destruction of the execution context waits for it.
     *
     * @par Errors
     * Those of open(); @c boost::asio::error::already_started while another async_open is
     * outstanding on the object.
     *
     * @par Thread Safety
     * The object is modified by the thread that calls the handler.
     *
     * @par Example
     * @snippet basic_file_doc.cpp async_open
     */
    template <BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code))
                  CompletionToken BOOST_ASIO_DEFAULT_COMPLETION_TOKEN_TYPE(executor_type)>
    auto async_open(const std::string& path, file_base::flags open_flags,
                    CompletionToken&& token BOOST_ASIO_DEFAULT_COMPLETION_TOKEN(executor_type))
        -> decltype(asio::async_initiate<CompletionToken, void(error_code)>(
            std::declval<initiation>(), token,
            detail::start_open(path, open_flags, default_permissions)))
    {
        return asio::async_initiate<CompletionToken, void(error_code)>(
            initiation(handle_, executor_), token,
            detail::start_open(path, open_flags, default_permissions));
    }

    /// Start to open the file, with permissions for the case that it is created.
    /**
     * As the form without permissions; besides,
     *
     * @param permissions The permissions of a file that is created, less the umask: 0600, say.
     */
    template <BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code))
                  CompletionToken BOOST_ASIO_DEFAULT_COMPLETION_TOKEN_TYPE(executor_type)>
    auto async_open(const std::string& path, file_base::flags open_flags, unsigned permissions,
                    CompletionToken&& token BOOST_ASIO_DEFAULT_COMPLETION_TOKEN(executor_type))
        -> decltype(asio::async_initiate<CompletionToken, void(error_code)>(
            std::declval<initiation>(), token, detail::start_open(path, open_flags, permissions)))
    {
        return asio::async_initiate<CompletionToken, void(error_code)>(
            initiation(handle_, executor_), token,
            detail::start_open(path, open_flags, permissions));
    }

    /// Start to close the file.
    /**
     * An initiating function for an asynchronous operation, which always returns immediately. The
     * object is closed when this function returns, and can be used for another file at once; the
     * descriptor is closed on a helper thread. Operations that are outstanding fare as with
     * close(), and are not waited for.
     *
     * @param token The completion token that will be used to produce a completion handler, which
     * is never called from within this function, unless (Boost 1.82 and newer) its associated
     * immediate executor does so.
     *
     * @par Completion Signature
     * @code void(boost::system::error_code) @endcode
     *
     * @par Executor
     * The handler is called on its associated executor, by default that of the file, as if by
     * @c boost::asio::dispatch from a thread that runs the file's execution context.
     *
     * @par Per-Operation Cancellation
     * None: a file that is being closed cannot be left half-closed.
     *
     * @par Errors
     * Those of close(2), which on some file systems are those of earlier writes. The descriptor is
     * closed in any case. Closing a closed file is no error.
     *
     * @par Example
     * @snippet basic_file_doc.cpp async_close
     */
    template <BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code))
                  CompletionToken BOOST_ASIO_DEFAULT_COMPLETION_TOKEN_TYPE(executor_type)>
    auto async_close(CompletionToken&& token BOOST_ASIO_DEFAULT_COMPLETION_TOKEN(executor_type))
        -> decltype(asio::async_initiate<CompletionToken, void(error_code)>(
            std::declval<initiation>(), token, detail::start_close()))
    {
        return asio::async_initiate<CompletionToken, void(error_code)>(
            initiation(handle_, executor_), token, detail::start_close());
    }

    /// Start to alter the size of the file.
    /**
     * An initiating function for an asynchronous operation, which always returns immediately. The
     * size is altered on a helper thread. Transfers that are outstanding see the file as it was
     * before or as it is after.
     *
     * @param n The new size in bytes. What is added reads as zeros.
     *
     * @param token The completion token that will be used to produce a completion handler, which
     * is never called from within this function, unless (Boost 1.82 and newer) its associated
     * immediate executor does so.
     *
     * @par Completion Signature
     * @code void(boost::system::error_code) @endcode
     *
     * @par Executor
     * The handler is called on its associated executor, by default that of the file, as if by
     * @c boost::asio::dispatch from a thread that runs the file's execution context.
     *
     * @par Per-Operation Cancellation
     * All types are supported, and mean the same: an operation that has not begun completes at once
     * with @c boost::asio::error::operation_aborted; one that has begun completes when it is done,
     * with its true result.
     *
     * @par Errors
     * Those of ftruncate(2); @c EBADF if the file is not open.
     *
     * @par Example
     * @snippet basic_file_doc.cpp async_resize
     */
    template <BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code))
                  CompletionToken BOOST_ASIO_DEFAULT_COMPLETION_TOKEN_TYPE(executor_type)>
    auto async_resize(std::uint64_t n,
                      CompletionToken&& token BOOST_ASIO_DEFAULT_COMPLETION_TOKEN(executor_type))
        -> decltype(asio::async_initiate<CompletionToken, void(error_code)>(
            std::declval<initiation>(), token, detail::start_job<detail::resize_request>({n})))
    {
        return asio::async_initiate<CompletionToken, void(error_code)>(
            initiation(handle_, executor_), token, detail::start_job<detail::resize_request>({n}));
    }

    /// Start to have space allocated for a range of the file.
    /**
     * An initiating function for an asynchronous operation, which always returns immediately. It is
     * fallocate(2) on a helper thread: afterwards writes to the range don't fail for lack of space,
     * and direct writes to it need not wait for metadata. The file grows if the range ends behind
     * its end; what is added reads as zeros.
     *
     * @param offset Where the range begins, in bytes.
     *
     * @param length How long it is, in bytes.
     *
     * @param token The completion token that will be used to produce a completion handler, which
     * is never called from within this function, unless (Boost 1.82 and newer) its associated
     * immediate executor does so.
     *
     * @par Completion Signature
     * @code void(boost::system::error_code) @endcode
     *
     * @par Executor
     * The handler is called on its associated executor, by default that of the file, as if by
     * @c boost::asio::dispatch from a thread that runs the file's execution context.
     *
     * @par Per-Operation Cancellation
     * All types are supported, and mean the same: an operation that has not begun completes at once
     * with @c boost::asio::error::operation_aborted; one that has begun completes when it is done,
     * with its true result.
     *
     * @par Errors
     * Those of fallocate(2), among them @c operation_not_supported on file systems that have no
     * such function; @c EBADF if the file is not open.
     *
     * @par Example
     * @snippet basic_file_doc.cpp async_allocate
     */
    template <BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code))
                  CompletionToken BOOST_ASIO_DEFAULT_COMPLETION_TOKEN_TYPE(executor_type)>
    auto async_allocate(std::uint64_t offset, std::uint64_t length,
                        CompletionToken&& token BOOST_ASIO_DEFAULT_COMPLETION_TOKEN(executor_type))
        -> decltype(asio::async_initiate<CompletionToken, void(error_code)>(
            std::declval<initiation>(), token,
            detail::start_job<detail::allocate_request>({offset, length})))
    {
        return asio::async_initiate<CompletionToken, void(error_code)>(
            initiation(handle_, executor_), token,
            detail::start_job<detail::allocate_request>({offset, length}));
    }

protected:
    /// Protected destructor to prevent deletion through this type.
    /** Closes the file, as if by close(). */
    ~basic_file() = default;

    detail::file_handle handle_;
    executor_type executor_;
};

} // namespace kaio

#endif // KAIO_BASIC_FILE_HPP
