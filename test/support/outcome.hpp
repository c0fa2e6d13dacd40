//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_OUTCOME_HPP
#define KAIO_TEST_SUPPORT_OUTCOME_HPP

#include <atomic>
#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <memory>
#include <utility>

#include "initiation_guard.hpp"

namespace kaio {
namespace test {

/// The outcome of an operation: how often its handler was called and destroyed, and with what
/// arguments.
struct outcome
{
    std::atomic<int> calls{0};
    std::atomic<bool> inline_call{false};
    boost::system::error_code ec;
    std::size_t bytes = 0;

    bool succeeded(std::size_t expected_bytes) const
    {
        return calls == 1 && !inline_call && !ec && bytes == expected_bytes;
    }

    bool failed(const boost::system::error_code& expected) const
    {
        return calls == 1 && !inline_call && ec == expected && bytes == 0;
    }

    bool aborted() const
    {
        return failed(boost::asio::error::operation_aborted);
    }
};

/// A move-only handler that keeps its results in an outcome.
class record_in
{
public:
    explicit record_in(outcome& result) : result_(&result)
    {
    }

    record_in(record_in&& other) noexcept : result_(std::exchange(other.result_, nullptr))
    {
    }

    record_in(const record_in&) = delete;
    record_in& operator=(const record_in&) = delete;

    void operator()(const boost::system::error_code& ec, std::size_t bytes)
    {
        if (initiation_guard::active())
            result_->inline_call = true;
        result_->ec = ec;
        result_->bytes = bytes;
        ++result_->calls;
    }

private:
    outcome* result_;
};

inline std::ostream& boost_test_print_type(std::ostream& os, const outcome& o)
{
    return os << o.calls << " calls, " << o.ec.message() << ", " << o.bytes << " bytes"
              << (o.inline_call ? ", called inside the initiating function" : "");
}

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_OUTCOME_HPP
