//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_CONTEXT_SETUP_FAILURE_HPP
#define KAIO_DETAIL_CONTEXT_SETUP_FAILURE_HPP

#include <stdexcept>
#include <string>

#include <kaio/detail/config.hpp>

namespace kaio {
namespace detail {

/// Why an engine could not be set up: an errno, and in words what was refused.
class KAIO_DECL setup_failure : public std::runtime_error
{
public:
    setup_failure(int error, const std::string& refused);
    ~setup_failure() override;

    int error() const noexcept
    {
        return error_;
    }

private:
    int error_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_CONTEXT_SETUP_FAILURE_HPP
