//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/detail/context/escaped_exceptions.hpp>

namespace kaio {
namespace detail {
namespace {

thread_local unsigned escaped = 0;

} // namespace

unsigned escaped_exceptions() noexcept
{
    return escaped;
}

void exception_counter::count() noexcept
{
    ++escaped;
}

} // namespace detail
} // namespace kaio
