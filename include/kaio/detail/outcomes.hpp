//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OUTCOMES_HPP
#define KAIO_DETAIL_OUTCOMES_HPP

#include <boost/asio/append.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <utility>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/operation_record.hpp>
#include <kaio/detail/throw_error.hpp>

namespace kaio {
namespace detail {

/// The error code of a result as the engine gives it: a negative errno, or anything else.
inline error_code error_of(std::int64_t result) noexcept
{
    return result < 0 ? system_error_code(static_cast<int>(-result)) : error_code();
}

/// What a read or a write tells its handler.
class transfer_outcome
{
public:
    explicit transfer_outcome(const error_code& ec) noexcept : ec_(ec)
    {
    }

    explicit transfer_outcome(const operation_record& record) noexcept
      : ec_(error_of(record.result_)),
        bytes_transferred_(record.result_ < 0 ? 0 : static_cast<std::size_t>(record.result_))
    {
        if (record.result_ == 0 && record.kind_ == operation_kind::read)
            ec_ = asio::error::eof;
    }

    template <typename Handler>
    void deliver(Handler&& handler)
    {
        std::forward<Handler>(handler)(ec_, bytes_transferred_);
    }

    template <typename Executor, typename Handler>
    void post(const Executor& executor, Handler&& handler)
    {
        asio::post(executor, asio::append(std::forward<Handler>(handler), ec_, bytes_transferred_));
    }

    const error_code& ec() const noexcept
    {
        return ec_;
    }

    std::size_t bytes_transferred() const noexcept
    {
        return bytes_transferred_;
    }

private:
    error_code ec_;
    std::size_t bytes_transferred_ = 0;
};

/// What an operation that has no other result tells its handler.
class plain_outcome
{
public:
    explicit plain_outcome(const error_code& ec) noexcept : ec_(ec)
    {
    }

    explicit plain_outcome(const operation_record& record) noexcept : ec_(error_of(record.result_))
    {
    }

    template <typename Handler>
    void deliver(Handler&& handler)
    {
        std::forward<Handler>(handler)(ec_);
    }

    template <typename Executor, typename Handler>
    void post(const Executor& executor, Handler&& handler)
    {
        asio::post(executor, asio::append(std::forward<Handler>(handler), ec_));
    }

    const error_code& ec() const noexcept
    {
        return ec_;
    }

private:
    error_code ec_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OUTCOMES_HPP
