//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_MIX_HPP
#define KAIO_BENCH_MIX_HPP

#include <cstdint>

namespace bench {

/// Turns a counter into a random number: the output function of SplitMix64.
constexpr std::uint64_t mix(std::uint64_t value) noexcept
{
    value += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

} // namespace bench

#endif // KAIO_BENCH_MIX_HPP
