//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/detail/schedule_point.hpp>

#if defined(KAIO_PERTURB)

#include <sched.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <random>

namespace kaio {
namespace detail {
namespace {

std::uint32_t seed_of_this_thread() noexcept
{
    static std::atomic<std::uint32_t> threads{0};
    const char* const text = ::secure_getenv("KAIO_PERTURB_SEED");
    const std::uint32_t seed =
        text ? static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10)) : 1;
    return seed * 2654435761u + threads++;
}

} // namespace

// Weak: a simulation has its own.
[[gnu::weak]] void schedule_point() noexcept
{
    thread_local std::minstd_rand random(seed_of_this_thread());
    constexpr std::uint32_t one_in_so_many_yields = 16;
    constexpr std::uint32_t one_in_so_many_sleeps = 256;
    constexpr long longest_sleep = 200'000;

    const int error = errno;
    if (random() / 16 % one_in_so_many_sleeps == 0)
    {
        const ::timespec time = {0, static_cast<long>(random() % longest_sleep)};
        ::nanosleep(&time, nullptr);
    }
    else if (random() / 16 % one_in_so_many_yields == 0)
        ::sched_yield();
    errno = error;
}

} // namespace detail
} // namespace kaio

#endif // KAIO_PERTURB
