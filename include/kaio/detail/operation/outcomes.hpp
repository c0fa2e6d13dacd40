//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_OUTCOMES_HPP
#define KAIO_DETAIL_OPERATION_OUTCOMES_HPP

#include <boost/asio/append.hpp>
#include <boost/asio/post.hpp>
#include <boost/assert.hpp>
#include <cstddef>
#include <utility>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/operation/operation_record.hpp>
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
    /// What is known without a transfer: an error of the system, or that there was nothing to do.
    explicit transfer_outcome(const error_code& ec) noexcept : result_(-ec.value())
    {
        BOOST_ASSERT(!ec || ec.category() == boost::system::system_category());
    }

    explicit transfer_outcome(const operation_record& record) noexcept
      : result_(record.progress().result),
        at_end_(record.progress().result == 0 && record.request().kind == operation_kind::read)
    {
    }

    template <typename Handler>
    void deliver(Handler&& handler)
    {
        std::forward<Handler>(handler)(ec(), bytes_transferred());
    }

    template <typename Executor, typename Handler>
    void post(const Executor& executor, Handler&& handler)
    {
        asio::post(executor,
                   asio::append(std::forward<Handler>(handler), ec(), bytes_transferred()));
    }

    error_code ec() const noexcept
    {
        if (result_ > 0)
            return error_code();
        return at_end_ ? error_code(asio::error::eof) : error_of(result_);
    }

    std::size_t bytes_transferred() const noexcept
    {
        return result_ < 0 ? 0 : static_cast<std::size_t>(result_);
    }

private:
    std::int64_t result_;
    bool at_end_ = false;
};

/// What an operation that has no other result tells its handler.
class plain_outcome
{
public:
    explicit plain_outcome(const error_code& ec) noexcept : ec_(ec)
    {
    }

    explicit plain_outcome(const operation_record& record) noexcept
      : ec_(error_of(record.progress().result))
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

#endif // KAIO_DETAIL_OPERATION_OUTCOMES_HPP
