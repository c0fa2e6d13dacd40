//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_PLAIN_OUTCOME_HPP
#define KAIO_TEST_SUPPORT_PLAIN_OUTCOME_HPP

#include <boost/system/error_code.hpp>

#include "outcome.hpp"

namespace kaio {
namespace test {

/// record_in for the operations whose only result is an error code.
class record_plain_in
{
public:
    explicit record_plain_in(outcome& result) : record_(result)
    {
    }

    void operator()(const boost::system::error_code& ec)
    {
        record_(ec, 0);
    }

private:
    record_in record_;
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_PLAIN_OUTCOME_HPP
