//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SIMULATION_REAL_CALLS_HPP
#define KAIO_TEST_SIMULATION_REAL_CALLS_HPP

#include <dlfcn.h>

// The C library's own function behind one that the simulation stands in front of.
#define KAIO_REAL(name)                                                                          \
    ([]() -> decltype(&::name) {                                                                 \
        static const auto real = reinterpret_cast<decltype(&::name)>(::dlsym(RTLD_NEXT, #name)); \
        return real;                                                                             \
    }())

#endif // KAIO_TEST_SIMULATION_REAL_CALLS_HPP
