//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_CPU_TIME_HPP
#define KAIO_BENCH_CPU_TIME_HPP

#include <sys/resource.h>
#include <sys/time.h>

#include <chrono>

namespace bench {

/// What all threads of this process, the kernel's workers for it included, have used so far.
inline std::chrono::microseconds cpu_time() noexcept
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto sum = [](const timeval& t) {
        return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
    };
    return sum(usage.ru_utime) + sum(usage.ru_stime);
}

} // namespace bench

#endif // KAIO_BENCH_CPU_TIME_HPP
