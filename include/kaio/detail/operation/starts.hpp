//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_STARTS_HPP
#define KAIO_DETAIL_OPERATION_STARTS_HPP

#include <sys/uio.h>

#include <cstdint>
#include <string>
#include <utility>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/file/file_handle.hpp>
#include <kaio/detail/operation/operation_record.hpp>
#include <kaio/detail/operation/outcomes.hpp>
#include <kaio/detail/operation/requests.hpp>
#include <kaio/file_base.hpp>

namespace kaio {
namespace detail {

// The arguments of start_operation(). start_transfer.hpp has that for transfers.

/// What these have in common: an open file, no buffers, a helper, and an error code as the result.
struct start_on_open_file
{
    using outcome = plain_outcome;
    static constexpr bool cancellable = true;

    static bool may_begin(const file_handle& handle) noexcept
    {
        return handle.is_open();
    }

    static error_code result_at_once(const file_handle&) noexcept
    {
        return asio::error::bad_descriptor;
    }

    static operation_kind kind() noexcept
    {
        return operation_kind::job;
    }

    static std::uint32_t vector_count() noexcept
    {
        return 0;
    }

    static void fill(::iovec*) noexcept
    {
    }

    template <typename Operation>
    static void describe(Operation& operation) noexcept
    {
        operation.set_job([](operation_record& record, int descriptor) {
            return static_cast<Operation&>(record).details().call(descriptor);
        });
    }

    static open_file& file(const file_handle& handle) noexcept
    {
        return *handle.file();
    }
};

/// Brings the data, or data and metadata, of a file to stable storage.
class start_sync : public start_on_open_file
{
public:
    explicit start_sync(operation_kind kind) noexcept : kind_(kind)
    {
    }

    operation_kind kind() const noexcept
    {
        return kind_;
    }

    static sync_request request(const file_handle&) noexcept
    {
        return {};
    }

    /// The kernel has commands for it.
    static void describe(const operation_record&) noexcept
    {
    }

private:
    operation_kind kind_;
};

/// Has a helper do something with a file.
template <typename Request>
class start_job : public start_on_open_file
{
public:
    explicit start_job(const Request& request) : request_(request)
    {
    }

    Request request(const file_handle&) noexcept
    {
        return std::move(request_);
    }

private:
    Request request_;
};

/// Has a helper open a file.
class start_open : public start_on_open_file
{
public:
    start_open(std::string path, file_base::flags open_flags, unsigned permissions)
      : path_(std::move(path)), flags_(open_flags), permissions_(permissions)
    {
    }

    bool may_begin(file_handle& handle) noexcept
    {
        return handle.prepare_open(refusal_);
    }

    error_code result_at_once(const file_handle&) const noexcept
    {
        return refusal_;
    }

    open_request request(file_handle& handle)
    {
        return {std::move(path_), flags_, permissions_, handle.pattern(), handle.begin_open()};
    }

private:
    std::string path_;
    file_base::flags flags_;
    unsigned permissions_;
    error_code refusal_;
};

/// Has a helper close a file.
struct start_close : start_on_open_file
{
    // If a close was cancelled, nobody would have the file.
    static constexpr bool cancellable = false;

    static bool may_begin(const file_handle& handle) noexcept
    {
        return handle.file() != nullptr;
    }

    static error_code result_at_once(const file_handle&) noexcept
    {
        return {};
    }

    static close_request request(file_handle& handle) noexcept
    {
        return handle.begin_close();
    }

    static open_file& file(const file_handle& handle) noexcept
    {
        return handle.service().engine()->no_file();
    }
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_STARTS_HPP
