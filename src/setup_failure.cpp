//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/detail/context/setup_failure.hpp>

namespace kaio {
namespace detail {

setup_failure::setup_failure(int error, const std::string& refused)
  : std::runtime_error(refused), error_(error)
{
}

setup_failure::~setup_failure() = default;

} // namespace detail
} // namespace kaio
