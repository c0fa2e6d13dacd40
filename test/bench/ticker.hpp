//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_TICKER_HPP
#define KAIO_BENCH_TICKER_HPP

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>

#include "latency_histogram.hpp"

namespace bench {

/// Shows how late a loop is: a timer on a fixed schedule, which no late tick shifts.
class ticker
{
public:
    explicit ticker(boost::asio::io_context& context,
                    std::chrono::nanoseconds interval = std::chrono::milliseconds(1))
      : timer_(context), interval_(interval)
    {
    }

    void start()
    {
        running_ = true;
        timer_.expires_after(interval_);
        wait();
    }

    void stop()
    {
        running_ = false;
        timer_.cancel();
    }

    /// How long after its time each tick came.
    const latency_histogram& lateness() const noexcept
    {
        return lateness_;
    }

private:
    void wait()
    {
        timer_.async_wait([this](boost::system::error_code) {
            if (!running_)
                return;
            lateness_.record(std::chrono::steady_clock::now() - timer_.expiry());
            timer_.expires_at(timer_.expiry() + interval_);
            wait();
        });
    }

    boost::asio::steady_timer timer_;
    std::chrono::nanoseconds interval_;
    latency_histogram lateness_;
    bool running_ = false;
};

} // namespace bench

#endif // KAIO_BENCH_TICKER_HPP
