//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_PROGRAM_HPP
#define KAIO_BENCH_PROGRAM_HPP

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cell.hpp"
#include "contender.hpp"
#include "measurement.hpp"
#include "mix.hpp"
#include "test_files.hpp"

namespace bench {

/// A program that measures one cell by one contender, and prints the figures as "name value" lines.
class program
{
public:
    enum exit_code
    {
        measured = 0,
        failed = 1,
        missing = 3
    };

    program(const char* description, contender_table contenders)
      : contenders_(std::move(contenders)), app_(description)
    {
        define_options();
    }

    int run(int argc, char** argv)
    {
        CLI11_PARSE(app_, argc, argv);
        try
        {
            if (create_)
                create_files();
            else
                measure();
            return measured;
        }
        catch (const not_available& e)
        {
            std::cout << "missing " << e.what() << '\n';
            return missing;
        }
        catch (const std::exception& e)
        {
            std::cerr << cell_.contender << ": " << e.what() << '\n';
            return failed;
        }
    }

private:
    void define_options()
    {
        static const std::map<std::string, bench::access> accesses = {
            {"read", access::read},
            {"write", access::write},
            {"mixed", access::mixed},
            {"extend", access::extend},
            {"write_sync", access::write_sync}};
        static const std::map<std::string, bench::cache> caches = {
            {"direct", cache::direct}, {"warm", cache::warm}, {"cold", cache::cold}};
        std::vector<std::string> names;
        for (const auto& c : contenders_)
            names.push_back(c.first);

        app_.add_option("--contender", cell_.contender, "Who is measured")
            ->check(CLI::IsMember(names));
        app_.add_option("--access", cell_.access, "What the operations do")
            ->transform(CLI::CheckedTransformer(accesses));
        app_.add_option("--cache", cell_.cache, "Where their data is")
            ->transform(CLI::CheckedTransformer(caches));
        app_.add_option("--file", file_, "File or block device to use")->required();
        app_.add_option("--files", files_, "That many, named FILE.0, FILE.1 ...");
        app_.add_option("--file-size", cell_.file_size, "Of each file, in bytes")->required();
        app_.add_option("--block-size", cell_.block_size, "Bytes of each operation")
            ->check(CLI::Range(16, 16 * 1024 * 1024));
        app_.add_option("--depth", cell_.depth, "Operations outstanding, on all loops together")
            ->check(CLI::Range(1, 1000000));
        app_.add_option("--threads", cell_.threads, "Threads, on all loops together")
            ->check(CLI::Range(1, 64));
        app_.add_option("--loops", cell_.loops, "Event loops")->check(CLI::Range(1, 64));
        app_.add_option("--seconds", seconds_, "How long")->check(CLI::Range(0.001, 3600.0));
        app_.add_option("--operations", cell_.operations,
                        "How many operations, instead of how long");
        app_.add_option("--warm-up", cell_.warm_up_operations, "How many operations before");
        app_.add_flag("--waves", cell_.waves, "Start all at once, and wait for all");
        app_.add_option("--echo", cell_.echo_sessions, "TCP echo sessions on the same loop");
        app_.add_flag("--ticker", cell_.ticker, "How late a timer of 1 ms is on the same loop");
        app_.add_flag("--count-allocations", cell_.count_allocations,
                      "Calls of malloc per operation");
        app_.add_flag("--bare", cell_.bare,
                      "Repeat one operation, don't check or time it; needs --operations");
        app_.add_option("--max-in-flight", cell_.max_in_flight, "kaio's option");
        app_.add_option("--max-batch", cell_.max_batch, "kaio's option");
        app_.add_flag("--create", create_, "Only create the files");
    }

    void measure()
    {
        complete();
        const auto make = contenders_.find(cell_.contender);
        if (make == contenders_.end())
            throw CLI::RequiredError("--contender");
        raise_descriptor_limit();
        print(cell_run(cell_, make->second).run());
    }

    void create_files()
    {
        complete();
        for (const std::string& path : cell_.paths)
            create_test_file(path, cell_.file_size);
    }

    void complete()
    {
        if (files_ == 0)
            cell_.paths = {file_};
        for (std::size_t i = 0; i != files_; ++i)
            cell_.paths.push_back(file_ + "." + std::to_string(i));
        cell_.file_size -= cell_.file_size % cell_.block_size;
        if (cell_.file_size == 0)
            throw std::runtime_error("the file is smaller than a block");
        if (cell_.depth % cell_.loops != 0 || cell_.threads % cell_.loops != 0)
            throw std::runtime_error("depth and threads must be multiples of loops");
        if (cell_.bare && cell_.operations == 0)
            throw std::runtime_error("--bare needs --operations");
        cell_.duration = std::chrono::nanoseconds(std::llround(seconds_ * 1e9));
        cell_.content_seed = mix(static_cast<std::uint64_t>(
            std::chrono::system_clock::now().time_since_epoch().count()));
    }

    static void raise_descriptor_limit()
    {
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }

    void print(const measurement& m) const
    {
        const double seconds = std::chrono::duration<double>(m.elapsed).count();
        const auto operations = static_cast<double>(m.operations);
        std::cout.precision(9);
        line("operations", operations);
        line("seconds", seconds);
        line("ops_per_second", operations / seconds);
        line("cpu_us_per_op", operations == 0 ? 0 : us(m.cpu) / operations);
        print_percentiles("", m.latency);
        if (cell_.count_allocations)
        {
            line("allocations_per_op",
                 static_cast<double>(m.allocations) / std::max(operations, 1.0));
            line("bytes_per_outstanding",
                 static_cast<double>(m.bytes_started) / static_cast<double>(cell_.depth));
        }
        if (cell_.echo_sessions != 0)
            line("echo_per_second", static_cast<double>(m.echo_round_trips) / seconds);
        if (cell_.ticker)
            print_percentiles("late_", m.lateness);
        for (const auto& [name, value] : m.statistics)
            line(name, value);
        print_histogram("latency_ns", m.latency);
        if (cell_.ticker)
            print_histogram("lateness_ns", m.lateness);
    }

    static void print_percentiles(const std::string& prefix, const latency_histogram& h)
    {
        line(prefix + "p50_us", us(h.percentile(0.5)));
        line(prefix + "p90_us", us(h.percentile(0.9)));
        line(prefix + "p99_us", us(h.percentile(0.99)));
        line(prefix + "p999_us", us(h.percentile(0.999)));
        line(prefix + "max_us", us(h.max()));
    }

    // Pairs of a duration and how many lasted no longer, but longer than the pair before.
    static void print_histogram(const char* name, const latency_histogram& h)
    {
        std::cout << name;
        h.for_each([](std::chrono::nanoseconds duration, std::uint64_t count) {
            std::cout << ' ' << duration.count() << ':' << count;
        });
        std::cout << '\n';
    }

    static void line(const std::string& name, double value)
    {
        std::cout << name << ' ' << value << '\n';
    }

    static double us(std::chrono::duration<double, std::micro> duration)
    {
        return duration.count();
    }

    contender_table contenders_;
    CLI::App app_;
    cell cell_;
    std::string file_;
    std::size_t files_ = 0;
    double seconds_ = 1;
    bool create_ = false;
};

} // namespace bench

#endif // KAIO_BENCH_PROGRAM_HPP
