//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_READ_RESULT_HPP
#define KAIO_BENCH_READ_RESULT_HPP

#include <chrono>
#include <istream>
#include <ostream>

#include "latency_histogram.hpp"

namespace bench {

/// The figures of a contender, as programs pass them on: a line of numbers.
struct read_figures
{
    double reads_per_second = 0;
    double cpu_us_per_read = 0;
    double p50_us = 0;
    double p99_us = 0;
    double p999_us = 0;

    friend std::ostream& operator<<(std::ostream& os, const read_figures& f)
    {
        return os << f.reads_per_second << ' ' << f.cpu_us_per_read << ' ' << f.p50_us << ' '
                  << f.p99_us << ' ' << f.p999_us;
    }

    friend std::istream& operator>>(std::istream& is, read_figures& f)
    {
        return is >> f.reads_per_second >> f.cpu_us_per_read >> f.p50_us >> f.p99_us >> f.p999_us;
    }
};

/// What a contender did.
struct read_result
{
    std::chrono::nanoseconds elapsed{};
    std::chrono::microseconds cpu{};
    latency_histogram latency;

    read_figures figures() const
    {
        using seconds = std::chrono::duration<double>;
        using microseconds = std::chrono::duration<double, std::micro>;
        const auto reads = static_cast<double>(latency.count());
        return {reads / seconds(elapsed).count(), microseconds(cpu).count() / reads,
                microseconds(latency.percentile(0.5)).count(),
                microseconds(latency.percentile(0.99)).count(),
                microseconds(latency.percentile(0.999)).count()};
    }
};

} // namespace bench

#endif // KAIO_BENCH_READ_RESULT_HPP
