//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_RANDOM_SEED_HPP
#define KAIO_TEST_SUPPORT_RANDOM_SEED_HPP

#include <cstdlib>
#include <iostream>
#include <random>

namespace kaio {
namespace test {

/// KAIO_TEST_SEED, or a new seed each time. Printed, so that a failure can be repeated.
inline unsigned random_seed()
{
    const char* const text = std::getenv("KAIO_TEST_SEED");
    const unsigned seed =
        text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : std::random_device()();
    std::cout << "KAIO_TEST_SEED=" << seed << std::endl;
    return seed;
}

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_RANDOM_SEED_HPP
