//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SIMULATION_LIFE_HPP
#define KAIO_TEST_SIMULATION_LIFE_HPP

#include <cstddef>
#include <cstdint>

namespace kaio {
namespace test {

/// What happened in lives.
struct life_figures
{
    std::size_t operations = 0;
    std::size_t cancelled = 0;
    std::size_t failed = 0;
    std::size_t cut_short = 0;
    std::size_t not_started = 0;
    std::size_t abandoned = 0;
};

/// The whole life of an execution context with files, drawn by a seed, on a simulated kernel.
/** What goes wrong ends the program, with the seed. */
void live(std::uint32_t seed, life_figures& figures);

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SIMULATION_LIFE_HPP
