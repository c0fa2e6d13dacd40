//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_REQUESTS_HPP
#define KAIO_DETAIL_OPERATION_REQUESTS_HPP

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/context/engine.hpp>
#include <kaio/detail/file/descriptor.hpp>
#include <kaio/detail/operation/operation_record.hpp>
#include <kaio/detail/operation/outcomes.hpp>

namespace kaio {
namespace detail {

// What is particular to each kind of operation. A helper carries out those that have a member call(): it
// passes the descriptor of the file, and gets a result or a negative errno.

struct transfer_request
{
    static const char* name(const operation_record& record) noexcept
    {
        if (record.request().kind == operation_kind::read)
            return record.request().at_position ? "async_read_some" : "async_read_some_at";
        return record.request().at_position ? "async_write_some" : "async_write_some_at";
    }

    transfer_outcome outcome(const operation_record& record) const noexcept
    {
        return transfer_outcome(record);
    }
};

struct sync_request
{
    static const char* name(const operation_record& record) noexcept
    {
        return record.request().kind == operation_kind::sync_all ? "async_sync_all"
                                                                 : "async_sync_data";
    }

    plain_outcome outcome(const operation_record& record) const noexcept
    {
        return plain_outcome(record);
    }
};

struct resize_request
{
    std::uint64_t size;

    static const char* name(const operation_record&) noexcept
    {
        return "async_resize";
    }

    std::int64_t call(int descriptor) const noexcept
    {
        int error = 0;
        descriptor::resize(descriptor, size, error);
        return -error;
    }

    plain_outcome outcome(const operation_record& record) const noexcept
    {
        return plain_outcome(record);
    }
};

struct allocate_request
{
    std::uint64_t offset;
    std::uint64_t length;

    static const char* name(const operation_record&) noexcept
    {
        return "async_allocate";
    }

    std::int64_t call(int descriptor) const noexcept
    {
        int error = 0;
        descriptor::allocate(descriptor, offset, length, error);
        return -error;
    }

    plain_outcome outcome(const operation_record& record) const noexcept
    {
        return plain_outcome(record);
    }
};

/// A file that is being opened, and later its descriptor, which it closes if nobody takes it.
class opening
{
public:
    opening(std::shared_ptr<engine> e, open_file& file) noexcept
      : engine_(std::move(e)), file_(&file)
    {
        engine_->reference(*file_);
    }

    opening(opening&& other) noexcept
      : engine_(std::move(other.engine_)), file_(std::exchange(other.file_, nullptr)),
        descriptor_(std::exchange(other.descriptor_, -1)), description_(other.description_)
    {
    }

    opening& operator=(opening&&) = delete;

    ~opening()
    {
        int ignored = 0;
        if (descriptor_ != -1)
            descriptor::close(descriptor_, ignored);
        if (file_)
            fail();
    }

    /// Take over a descriptor.
    void opened(int descriptor) noexcept
    {
        descriptor_ = descriptor;
        description_ = traits_of(descriptor);
    }

    /// Give the descriptor to the file. False if that was closed or cancelled meanwhile.
    bool succeed() noexcept
    {
        const bool taken = engine_->opened(*file_, descriptor_, description_);
        if (taken)
            descriptor_ = -1;
        let_go();
        return taken;
    }

    /// Leave the file closed.
    void fail() noexcept
    {
        engine_->not_opened(*file_);
        let_go();
    }

private:
    // Before the handler is called: from then on the file belongs to its object alone.
    void let_go() noexcept
    {
        engine_->dereference(*std::exchange(file_, nullptr));
    }

    // A handler may be queued on another context for longer than this one lives.
    std::shared_ptr<engine> engine_;
    open_file* file_;
    int descriptor_ = -1;
    file_traits description_;
};

/// What an opening tells its handler. The file is open from just before the handler is called.
class open_outcome
{
public:
    open_outcome(const error_code& ec, opening&& file) noexcept : ec_(ec), file_(std::move(file))
    {
    }

    template <typename Handler>
    void deliver(Handler&& handler)
    {
        if (ec_)
            file_.fail();
        else if (!file_.succeed())
            ec_ = asio::error::operation_aborted;
        std::forward<Handler>(handler)(ec_);
    }

    const error_code& ec() const noexcept
    {
        return ec_;
    }

private:
    error_code ec_;
    opening file_;
};

struct open_request
{
    std::string path;
    int flags;
    unsigned permissions;
    descriptor::access_pattern pattern;
    opening file;

    static const char* name(const operation_record&) noexcept
    {
        return "async_open";
    }

    std::int64_t call(int) noexcept
    {
        int error = 0;
        const int descriptor = descriptor::open(path.c_str(), flags, permissions, pattern, error);
        if (error == 0)
        {
            file.opened(descriptor);
            descriptor::check_seekable(descriptor, error);
        }
        return -error;
    }

    open_outcome outcome(const operation_record& record) noexcept
    {
        return open_outcome(error_of(record.progress().result), std::move(file));
    }
};

/// Has a helper close a file. It is closed in any case, also without a helper.
class close_request
{
public:
    close_request(engine& e, open_file& file) noexcept : engine_(&e), file_(&file)
    {
    }

    close_request(close_request&& other) noexcept
      : engine_(other.engine_), file_(std::exchange(other.file_, nullptr))
    {
    }

    close_request& operator=(close_request&&) = delete;

    ~close_request()
    {
        if (file_)
            engine_->close(file_);
    }

    static const char* name(const operation_record&) noexcept
    {
        return "async_close";
    }

    std::int64_t call(int) noexcept
    {
        return -engine_->close(std::exchange(file_, nullptr));
    }

    plain_outcome outcome(const operation_record& record) const noexcept
    {
        return plain_outcome(record);
    }

private:
    engine* engine_;
    open_file* file_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_REQUESTS_HPP
