//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_EXAMPLE_DEMO_ONE_LOOP_HPP
#define KAIO_EXAMPLE_DEMO_ONE_LOOP_HPP

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <kaio/aio_service.hpp>
#include <kaio/random_access_file.hpp>
#include <memory>
#include <sstream>
#include <string>

#include "demo_load.hpp"
#include "file_reader.hpp"
#include "latency_histogram.hpp"
#include "number_text.hpp"
#include "progress_bar.hpp"
#include "read_check.hpp"
#include "read_load.hpp"
#include "tcp_echo.hpp"
#include "ticker.hpp"

/// What a loop does besides reading files: a TCP echo session, and a timer each millisecond.
class other_work
{
public:
    explicit other_work(boost::asio::io_context& context) : echo_(context), ticker_(context)
    {
    }

    void start()
    {
        started_ = bench::clock::now();
        echo_.start();
        ticker_.start();
    }

    void stop()
    {
        elapsed_ = bench::clock::now() - started_;
        echo_.stop();
        ticker_.stop();
    }

    double echoes_per_second() const
    {
        if (echo_.failure())
            throw boost::system::system_error(echo_.failure(), "TCP echo session");
        return static_cast<double>(echo_.round_trips()) /
               std::chrono::duration<double>(elapsed_).count();
    }

    const bench::latency_histogram& lateness() const noexcept
    {
        return ticker_.lateness();
    }

private:
    bench::tcp_echo echo_;
    bench::ticker ticker_;
    bench::clock::time_point started_;
    bench::clock::duration elapsed_{};
};

/// The demo's main part: one thread runs one io_context, which reads the file through kaio and
/// serves a TCP session and a timer at the same time.
class one_loop
{
public:
    explicit one_loop(const demo_load& load) : check_(load.make_check()), load_(load.reads(*check_))
    {
    }

    /// Returns the number of reads.
    std::uint64_t run()
    {
        std::cout << "\nkaio, on a thread that serves a TCP echo session and a 1 ms timer, too"
                  << std::endl;
        run_without_reads();
        return run_with_reads();
    }

private:
    // For comparison.
    void run_without_reads()
    {
        const bench::progress_bar progress("TCP and timer alone");
        boost::asio::io_context context(1);
        other_work alone(context);
        boost::asio::steady_timer end(
            context, std::min<bench::clock::duration>(load_.duration, std::chrono::seconds(1)));
        end.async_wait([&](boost::system::error_code) { alone.stop(); });
        alone.start();
        context.run();
        echoes_alone_ = alone.echoes_per_second();
        lateness_alone_ = alone.lateness();
    }

    std::uint64_t run_with_reads()
    {
        load_.start_cold();
        boost::asio::io_context context(1);
        bench::file_reader<kaio::random_access_file> reader(context, load_);
        other_work beside(context);
        {
            const bench::progress_bar progress("reads, TCP and timer", 0.5);
            beside.start();
            reader.start([&] { beside.stop(); });
            context.run();
        }
        report(reader.result(), beside);
        report(boost::asio::use_service<kaio::aio_service>(context).statistics());
        return reader.result().latency.count();
    }

    void report(const bench::read_result& reads, const other_work& beside) const
    {
        using bench::decimal;
        using bench::grouped;
        using bench::rounded;
        const bench::read_figures figures = reads.figures();
        const bench::latency_histogram& lateness = beside.lateness();
        std::cout << "  reads       " << grouped(reads.latency.count()) << " in "
                  << decimal(std::chrono::duration<double>(reads.elapsed).count(), 1)
                  << " s: " << rounded(figures.reads_per_second) << "/s, latency p50 "
                  << rounded(figures.p50_us) << " us, p99 " << rounded(figures.p99_us)
                  << " us, p99.9 " << rounded(figures.p999_us) << " us\n"
                  << "  TCP echoes  " << rounded(beside.echoes_per_second()) << " round trips/s ("
                  << rounded(echoes_alone_) << " without the reads)\n"
                  << "  1 ms timer  at worst " << milliseconds(lateness.max()) << " late, p99 "
                  << milliseconds(lateness.percentile(0.99)) << " (without the reads "
                  << milliseconds(lateness_alone_.max()) << ", p99 "
                  << milliseconds(lateness_alone_.percentile(0.99)) << ")\n";
    }

    static void report(const kaio::service_statistics& statistics)
    {
        std::cout << "  kaio's service:\n";
        std::stringstream lines;
        lines << statistics;
        for (std::string line; std::getline(lines, line);)
            std::cout << "    " << line << '\n';
    }

    static std::string milliseconds(std::chrono::nanoseconds duration)
    {
        return bench::decimal(std::chrono::duration<double, std::milli>(duration).count(), 2) +
               " ms";
    }

    std::unique_ptr<bench::read_check> check_;
    bench::read_load load_;
    double echoes_alone_ = 0;
    bench::latency_histogram lateness_alone_;
};

#endif // KAIO_EXAMPLE_DEMO_ONE_LOOP_HPP
