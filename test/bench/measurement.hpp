//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_MEASUREMENT_HPP
#define KAIO_BENCH_MEASUREMENT_HPP

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "allocation_counter.hpp"
#include "cell.hpp"
#include "contender.hpp"
#include "cpu_time.hpp"
#include "lane.hpp"
#include "latency_histogram.hpp"
#include "test_files.hpp"

namespace bench {

/// What a contender did in a cell.
struct measurement
{
    std::chrono::nanoseconds elapsed{};
    std::chrono::microseconds cpu{};
    std::uint64_t operations = 0;
    std::uint64_t allocations = 0;
    std::uint64_t bytes_started = 0;
    std::uint64_t echo_round_trips = 0;
    latency_histogram latency;
    latency_histogram lateness;
    std::map<std::string, double> statistics;
};

/// Runs a cell: one thread for each lane, which makes its contender, warms up and then, together
/// with the others, does what is measured.
class cell_run
{
public:
    cell_run(const cell& c, const contender_factory& make)
      : cell_(c), make_(make), files_(c),
        begin_(static_cast<std::ptrdiff_t>(c.loops), stamp{this, false}),
        end_(static_cast<std::ptrdiff_t>(c.loops), stamp{this, true})
    {
        for (std::size_t i = 0; i != c.loops; ++i)
            lanes_.emplace_back(c, i);
    }

    /// Throws what went wrong first, if anything did.
    measurement run()
    {
        std::vector<std::thread> others;
        for (std::size_t i = 1; i != cell_.loops; ++i)
            others.emplace_back([this, i] { run_lane(lanes_[i]); });
        run_lane(lanes_[0]);
        for (std::thread& t : others)
            t.join();
        if (failure_)
            std::rethrow_exception(failure_);
        std::uint64_t rounds = lanes_[0].complete_rounds();
        for (const lane& l : lanes_)
        {
            result_.latency.merge(l.latency());
            result_.operations += l.operations();
            rounds = std::min(rounds, l.complete_rounds());
        }
        files_.verify_written(rounds * cell_.depth);
        return std::move(result_);
    }

private:
    struct stamp
    {
        void operator()() const noexcept
        {
            if (!at_end)
                run->files_.reset();
            measurement& m = run->result_;
            if (at_end)
                count_allocations(false);
            m.cpu = cpu_time() - m.cpu;
            m.elapsed = clock::now().time_since_epoch() - m.elapsed;
            if (!at_end)
                count_allocations(run->cell_.count_allocations);
        }

        cell_run* run;
        bool at_end;
    };

    void run_lane(lane& l)
    {
        std::unique_ptr<contender> c;
        guarded([&] {
            c = make_(l);
            l.start_phase(false);
            run_phase(*c, l);
        });
        begin_.arrive_and_wait();
        guarded([&] {
            if (failed())
                return;
            l.start_phase(true);
            run_phase(*c, l);
        });
        end_.arrive_and_wait();
        if (c)
            add(*c);
    }

    static void run_phase(contender& c, lane& l)
    {
        do
            c.run();
        while (l.another_wave());
        l.rethrow();
    }

    template <typename Function>
    void guarded(Function function)
    {
        try
        {
            function();
        }
        catch (...)
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (!failure_)
                failure_ = std::current_exception();
        }
    }

    bool failed()
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return failure_ != nullptr;
    }

    void add(contender& c)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        result_.allocations = allocations();
        result_.bytes_started += c.bytes_started();
        result_.echo_round_trips += c.echo_round_trips();
        result_.lateness.merge(c.lateness());
        for (const auto& [name, value] : c.statistics())
            result_.statistics[name] += value;
    }

    const cell& cell_;
    const contender_factory& make_;
    test_files files_;
    std::deque<lane> lanes_;
    std::barrier<stamp> begin_;
    std::barrier<stamp> end_;
    std::mutex mutex_;
    measurement result_;
    std::exception_ptr failure_;
};

} // namespace bench

#endif // KAIO_BENCH_MEASUREMENT_HPP
