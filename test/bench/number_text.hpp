//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_NUMBER_TEXT_HPP
#define KAIO_BENCH_NUMBER_TEXT_HPP

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <sstream>
#include <string>

namespace bench {

/// 1234567 as "1,234,567".
inline std::string grouped(std::uint64_t number)
{
    std::string text = std::to_string(number);
    for (std::size_t i = text.size(); i > 3; i -= 3)
        text.insert(i - 3, ",");
    return text;
}

/// The nearest whole number, grouped.
inline std::string rounded(double number)
{
    return grouped(static_cast<std::uint64_t>(std::llround(number)));
}

/// With so many decimals.
inline std::string decimal(double number, int decimals)
{
    std::ostringstream text;
    text << std::fixed << std::setprecision(decimals) << number;
    return text.str();
}

} // namespace bench

#endif // KAIO_BENCH_NUMBER_TEXT_HPP
