//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_ASIO_LOOP_HPP
#define KAIO_BENCH_ASIO_LOOP_HPP

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "lane.hpp"
#include "tcp_echo.hpp"
#include "ticker.hpp"

namespace bench {

/// The event loop of the contenders with Asio, and what else runs on it.
class asio_loop
{
public:
    explicit asio_loop(bench::lane& lane)
      : lane_(lane), threads_(lane.cell().threads / lane.cell().loops),
        context_(static_cast<int>(threads_))
    {
    }

    boost::asio::io_context& context() noexcept
    {
        return context_;
    }

    bench::lane& lane() noexcept
    {
        return lane_;
    }

    /// Begins all slots and runs the loop until all have ended.
    /** Start carries out the operation of a slot, and calls completed() with its result. */
    template <typename Start, typename Started>
    void run(Start start, Started started)
    {
        context_.restart();
        begin_other_work();
        active_ = lane_.slots().size();
        for (slot& s : lane_.slots())
        {
            if (lane_.begin(s))
                start(s);
            else
                end();
        }
        started();
        run_threads();
        end_other_work();
    }

    /// Whether there is more to carry out in a slot whose operation had this result.
    bool completed(slot& s, long result)
    {
        if (lane_.completed(s, result))
            return true;
        end();
        return false;
    }

    /// A slot has ended. With the last one all else that runs on the loop ends.
    void end()
    {
        if (--active_ != 0)
            return;
        for (const auto& echo : echoes_)
            echo->stop();
        if (ticker_)
            ticker_->stop();
    }

    std::uint64_t echo_round_trips() const noexcept
    {
        return round_trips_;
    }

    const latency_histogram& lateness() const noexcept
    {
        return lateness_;
    }

private:
    void begin_other_work()
    {
        for (std::size_t i = 0; i != lane_.cell().echo_sessions; ++i)
            echoes_.push_back(std::make_unique<tcp_echo>(context_));
        for (const auto& echo : echoes_)
            echo->start();
        if (lane_.cell().ticker)
            ticker_.emplace(context_).start();
    }

    void run_threads()
    {
        std::vector<std::thread> others;
        for (std::size_t i = 1; i < threads_; ++i)
            others.emplace_back([this] {
                lane_.enter();
                context_.run();
            });
        context_.run();
        for (std::thread& t : others)
            t.join();
    }

    void end_other_work()
    {
        round_trips_ = 0;
        for (const auto& echo : echoes_)
        {
            if (echo->failure())
                throw boost::system::system_error(echo->failure(), "echo");
            round_trips_ += echo->round_trips();
        }
        echoes_.clear();
        if (ticker_)
            lateness_ = ticker_->lateness();
        ticker_.reset();
    }

    bench::lane& lane_;
    std::size_t threads_;
    boost::asio::io_context context_;
    std::atomic<std::size_t> active_{0};
    std::vector<std::unique_ptr<tcp_echo>> echoes_;
    std::optional<ticker> ticker_;
    std::uint64_t round_trips_ = 0;
    latency_histogram lateness_;
};

} // namespace bench

#endif // KAIO_BENCH_ASIO_LOOP_HPP
