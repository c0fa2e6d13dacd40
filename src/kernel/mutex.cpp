//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "kernel/mutex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kaio {
namespace detail {
namespace {

static_assert(sizeof(std::atomic<int>) == sizeof(int) && std::atomic<int>::is_always_lock_free,
              "the kernel sees an int");

void relax() noexcept
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

} // namespace

// What is done under the lock is short: it is often free before a sleep could begin.
void mutex::wait_and_lock() noexcept
{
    constexpr int most_looks = 100;
    for (int i = 0; i != most_looks; ++i)
    {
        int expected = unlocked;
        if (state_.load(std::memory_order_relaxed) == unlocked &&
            state_.compare_exchange_weak(expected, locked, std::memory_order_acquire,
                                         std::memory_order_relaxed))
            return;
        relax();
    }
    while (state_.exchange(waited_for, std::memory_order_acquire) != unlocked)
        ::syscall(SYS_futex, &state_, FUTEX_WAIT_PRIVATE, waited_for, nullptr, nullptr, 0);
}

void mutex::wake_one() noexcept
{
    ::syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

} // namespace detail
} // namespace kaio
