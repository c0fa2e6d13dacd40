//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_ALLOCATION_COUNTER_HPP
#define KAIO_BENCH_ALLOCATION_COUNTER_HPP

#include <cstdint>

namespace bench {

/// Count the calls of malloc and its family from now on, or no more. Threads may be running.
void count_allocations(bool on) noexcept;

/// The calls counted, free not among them.
std::uint64_t allocations() noexcept;

/// What was allocated and not freed while counting; 0 if not counting.
std::uint64_t live_bytes() noexcept;

} // namespace bench

#endif // KAIO_BENCH_ALLOCATION_COUNTER_HPP
