//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_EXAMPLE_DEMO_CONTENDERS_HPP
#define KAIO_EXAMPLE_DEMO_CONTENDERS_HPP

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <exception>
#include <functional>
#include <iostream>
#include <kaio/random_access_file.hpp>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include "contender_program.hpp"
#include "demo_load.hpp"
#include "file_reader.hpp"
#include "progress_bar.hpp"
#include "read_load.hpp"
#include "read_table.hpp"
#include "thread_pool_reader.hpp"

/// The same reads by kaio and by what else an Asio program could use, one after another, each alone.
class contenders
{
public:
    explicit contenders(const demo_load& load)
      : load_(load), check_(load.make_check()), reads_(load.reads(*check_))
    {
    }

    void run()
    {
        measure("kaio::random_access_file", 0, [&](const std::string& name) { with_kaio(name); });
        measure("asio::thread_pool, 32 threads", 0.25,
                [&](const std::string& name) { with_thread_pool(name, 32); });
        measure("asio::thread_pool, 8 threads", 0.5,
                [&](const std::string& name) { with_thread_pool(name, 8); });
        measure("boost::asio::random_access_file", 0.75,
                [&](const std::string& name) { with_io_uring(name); });
        std::cout << "\nThe same reads and checks by each contender alone, one after another\n"
                  << table_
                  << "\n  CPU is that of the whole process, user and system. The threads of the"
                     " pools check what\n  they read and read on, without telling a loop.\n";
    }

private:
    void measure(const std::string& name, double progress,
                 const std::function<void(const std::string&)>& contender)
    {
        const bench::progress_bar bar("reading by " + name, progress);
        reads_.start_cold();
        try
        {
            contender(name);
        }
        catch (const std::exception& e)
        {
            throw std::runtime_error(name + ": " + e.what());
        }
    }

    void with_kaio(const std::string& name)
    {
        boost::asio::io_context context(1);
        bench::file_reader<kaio::random_access_file> reader(context, reads_);
        reader.start([] {});
        context.run();
        table_.add(name, reader.result().figures());
    }

    void with_thread_pool(const std::string& name, std::size_t threads)
    {
        bench::thread_pool_reader reader(reads_, threads);
        table_.add(name, reader.run().figures());
    }

    void with_io_uring(const std::string& name)
    {
        const contender_program program("kaio_demo_io_uring");
        if (!program.exists())
            return table_.add_missing(name, "built without liburing");

        const contender_program::outcome outcome = program.run(load_.to_text());
        if (outcome.exit_code == contender_program::not_available)
            return table_.add_missing(name, outcome.output);
        bench::read_figures figures;
        std::istringstream output(outcome.output);
        if (outcome.exit_code != contender_program::measured || !(output >> figures))
            throw std::runtime_error(outcome.output);
        table_.add(name, figures);
    }

    demo_load load_;
    std::unique_ptr<bench::read_check> check_;
    bench::read_load reads_;
    bench::read_table table_;
};

#endif // KAIO_EXAMPLE_DEMO_CONTENDERS_HPP
