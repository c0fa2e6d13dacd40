//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_LOOP_CONTENDER_HPP
#define KAIO_BENCH_LOOP_CONTENDER_HPP

#include <cstdint>

#include "asio_loop.hpp"
#include "contender.hpp"
#include "latency_histogram.hpp"

namespace bench {

/// A contender whose loop can do other work besides.
class loop_contender : public contender
{
public:
    explicit loop_contender(bench::lane& lane) : loop_(lane)
    {
    }

    std::uint64_t echo_round_trips() const override
    {
        return loop_.echo_round_trips();
    }

    latency_histogram lateness() const override
    {
        return loop_.lateness();
    }

protected:
    asio_loop loop_;
};

} // namespace bench

#endif // KAIO_BENCH_LOOP_CONTENDER_HPP
