//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_ENGINE_HOLD_UPS_HPP
#define KAIO_ENGINE_HOLD_UPS_HPP

#include <chrono>

namespace kaio {
namespace detail {

/// A submission or a seek that takes longer has waited for something.
/** A batch that finds everything at hand takes 3-5 us for each operation (virtio disk, Linux 6.18). */
constexpr std::chrono::milliseconds longest_without_wait(1);

} // namespace detail
} // namespace kaio

#endif // KAIO_ENGINE_HOLD_UPS_HPP
