//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Whole lives of execution contexts on a simulated kernel. Each follows from a seed: threads,
// completions and faults come in an order that is drawn.

#include <sched.h>

#include <boost/test/unit_test.hpp>
#include <cstdint>

#include "simulation/life.hpp"
#include "support/random_seed.hpp"
#include "support/scale.hpp"

using namespace kaio::test;

namespace {

// Only one thread runs at a time. They hand over faster on one processor: 1,000 lives a second
// instead of 300.
void stay_on_one_processor()
{
    ::cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &set);
    ::sched_setaffinity(0, sizeof set, &set);
}

} // namespace

BOOST_AUTO_TEST_SUITE(simulation)

BOOST_AUTO_TEST_CASE(whole_lives_keep_all_promises)
{
    stay_on_one_processor();
    const std::uint32_t seed = random_seed();
    const auto lives = static_cast<std::uint32_t>(scaled(3000, 300));
    life_figures figures;
    for (std::uint32_t i = 0; i != lives; ++i)
        live(seed + i, figures);
    BOOST_TEST_MESSAGE(lives << " lives, " << figures.operations << " operations: "
                             << figures.cancelled << " cancelled, " << figures.failed << " failed, "
                             << figures.cut_short << " cut short, " << figures.not_started
                             << " without memory; " << figures.abandoned << " lives ended early");
    BOOST_TEST(figures.operations > lives);
}

BOOST_AUTO_TEST_SUITE_END()
