//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_FILE_FILE_HANDLE_HPP
#define KAIO_DETAIL_FILE_FILE_HANDLE_HPP

#include <utility>

#include <kaio/aio_service.hpp>
#include <kaio/detail/asio.hpp>
#include <kaio/detail/context/engine.hpp>
#include <kaio/detail/file/descriptor.hpp>
#include <kaio/detail/operation/handler_tracking.hpp>
#include <kaio/detail/operation/requests.hpp>
#include <kaio/detail/throw_error.hpp>
#include <kaio/file_base.hpp>

namespace kaio {
namespace detail {

/// The part of a file object that doesn't depend on its executor: a descriptor and its owner.
class file_handle
{
public:
    /// A handle for a file with an executor.
    template <typename Executor>
    explicit file_handle(const Executor& executor)
      : service_(&use_aio_service(executor)), on_context_(runs_on_context(executor))
    {
    }

    file_handle(file_handle&& other) noexcept
      : service_(other.service_), file_(std::exchange(other.file_, nullptr)),
        pattern_(other.pattern_), on_context_(other.on_context_)
    {
    }

    /// Say what is the executor of the file now.
    template <typename Executor>
    void set_executor(const Executor& executor) noexcept
    {
        on_context_ = runs_on_context(executor);
    }

    file_handle& operator=(file_handle&& other) noexcept
    {
        if (this != &other)
        {
            error_code ignored;
            close(ignored);
            service_ = other.service_;
            file_ = std::exchange(other.file_, nullptr);
            on_context_ = other.on_context_;
        }
        return *this;
    }

    ~file_handle()
    {
        error_code ignored;
        close(ignored);
    }

    aio_service& service() const noexcept
    {
        return *service_;
    }

    /// Whether the executor of the file is the context's own, on which turns are run.
    bool on_context() const noexcept
    {
        return on_context_;
    }

    bool is_open() const noexcept
    {
        return descriptor() != -1;
    }

    int descriptor() const noexcept
    {
        return file_ ? engine().descriptor(*file_) : -1;
    }

    open_file* file() const noexcept
    {
        return file_;
    }

    /// How the files that are opened from now on will be used.
    descriptor::access_pattern pattern() const noexcept
    {
        return pattern_;
    }

    void expect(descriptor::access_pattern pattern) noexcept
    {
        pattern_ = pattern;
    }

    /// Whether another file may be opened. What could not be opened before is forgotten.
    bool prepare_open(error_code& ec) noexcept
    {
        ec = error_code();
        if (!file_)
            return true;
        switch (engine().state(*file_))
        {
        case file_state::open:
            ec = asio::error::already_open;
            break;
        case file_state::opening:
            ec = asio::error::already_started;
            break;
        case file_state::closed:
            engine().close(std::exchange(file_, nullptr));
            break;
        }
        return !ec;
    }

    /// Become a file that is going to be opened.
    opening begin_open()
    {
        file_ = engine().begin_open();
        return opening(service_->engine(), *file_);
    }

    /// Become closed, and return what is still to be closed.
    close_request begin_close() noexcept
    {
        cancel();
        return close_request(engine(), *std::exchange(file_, nullptr));
    }

    void open(const char* path, file_base::flags open_flags, unsigned permissions, error_code& ec)
    {
        if (!prepare_open(ec))
            return;
        int error = 0;
        const int opened = descriptor::open(path, open_flags, permissions, pattern_, error);
        ec = system_error_code(error);
        if (ec)
            return;
        assign(opened, ec);
        if (ec)
            descriptor::close(opened, error);
    }

    void assign(int handle, error_code& ec)
    {
        // As with Asio's files, taking over no descriptor leaves the object closed.
        if (!prepare_open(ec) || handle == -1)
            return;
        int error = 0;
        descriptor::check_seekable(handle, error);
        ec = system_error_code(error);
        if (ec)
            return;
        try
        {
            file_ = engine().adopt(handle);
        }
        catch (const std::bad_alloc&)
        {
            ec = asio::error::no_memory;
        }
    }

    void close(error_code& ec) noexcept
    {
        ec = error_code();
        if (!file_)
            return;
        KAIO_HANDLER_OPERATION(*this, "close");
        cancel();
        ec = system_error_code(engine().close(std::exchange(file_, nullptr)));
    }

    int release(error_code& ec) noexcept
    {
        ec = error_code();
        if (!file_)
            return -1;
        KAIO_HANDLER_OPERATION(*this, "release");
        cancel();
        return engine().release(std::exchange(file_, nullptr));
    }

    void cancel(error_code& ec) noexcept
    {
        ec = file_ ? error_code() : error_code(asio::error::bad_descriptor);
        if (!file_)
            return;
        KAIO_HANDLER_OPERATION(*this, "cancel");
        cancel();
    }

private:
    class engine& engine() const noexcept
    {
        return *service_->engine();
    }

    template <typename Executor>
    bool runs_on_context(const Executor& executor) const noexcept
    {
        return !service_->is_shut_down() && service_->dispatcher().context().runs(executor);
    }

    void cancel() noexcept
    {
        if (engine().cancel(*file_) && !service_->is_shut_down())
            service_->dispatcher().schedule_turn();
    }

    aio_service* service_;
    open_file* file_ = nullptr;
    descriptor::access_pattern pattern_ = descriptor::access_pattern::random;
    bool on_context_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_FILE_FILE_HANDLE_HPP
