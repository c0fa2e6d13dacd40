//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The demo's reads by boost::asio::random_access_file. A program of its own, because its Asio is
// built with io_uring.

#include <boost/asio/io_context.hpp>
#include <boost/asio/random_access_file.hpp>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>

#include "demo/contender_program.hpp"
#include "demo/demo_load.hpp"
#include "file_reader.hpp"

int main(int argc, char** argv)
try
{
    const demo_load load = demo_load::from_text(argc == 2 ? argv[1] : "");
    const std::unique_ptr<bench::read_check> check = load.make_check();
    const bench::read_load reads = load.reads(*check);

    boost::asio::io_context context(1);
    std::optional<bench::file_reader<boost::asio::random_access_file>> reader;
    try
    {
        reader.emplace(context, reads);
    }
    catch (const std::exception& e)
    {
        std::cout << e.what() << '\n';
        return contender_program::not_available;
    }
    reader->start([] {});
    context.run();
    std::cout << reader->result().figures() << '\n';
    return contender_program::measured;
}
catch (const std::exception& e)
{
    std::cout << e.what() << '\n';
    return contender_program::failed;
}
