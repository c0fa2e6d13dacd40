//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_SCHEDULE_POINT_HPP
#define KAIO_DETAIL_SCHEDULE_POINT_HPP

#include <kaio/detail/config.hpp>

namespace kaio {
namespace detail {

#if defined(KAIO_PERTURB)

/// A place where a thread could lose its processor. In a build for tests it does, at random.
KAIO_DECL void schedule_point() noexcept;

#else

inline void schedule_point() noexcept
{
}

#endif

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_SCHEDULE_POINT_HPP
