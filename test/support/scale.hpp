//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_SCALE_HPP
#define KAIO_TEST_SUPPORT_SCALE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace kaio {
namespace test {

/// How much of the full work the long tests do, in percent: KAIO_TEST_SCALE, 100 unless set.
inline std::size_t scale_percent()
{
    const char* text = std::getenv("KAIO_TEST_SCALE");
    const long percent = text ? std::strtol(text, nullptr, 10) : 100;
    return percent > 0 ? static_cast<std::size_t>(percent) : 100;
}

/// A number of repetitions, scaled, but never below a minimum.
inline std::size_t scaled(std::size_t n, std::size_t minimum = 1)
{
    return std::max(minimum, n * scale_percent() / 100);
}

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_SCALE_HPP
