//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The examples of the reference of basic_file, compiled and run.

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <iostream>
#include <string>

#include <kaio/random_access_file.hpp>

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

void report(const char* what, const error_code& ec)
{
    std::cout << what << ": " << ec.message() << '\n';
}

void open_examples(asio::io_context& my_context, kaio::random_access_file& file)
{
    //! [async_open]
    file.async_open("my.file", kaio::file_base::read_write | kaio::file_base::create,
                    [](const error_code& ec) {
                        // The file is open from here on, unless there is an error.
                        report("open", ec);
                    });
    //! [async_open]
    my_context.run();
    my_context.restart();

    //! [async_allocate]
    file.async_allocate(0, 1 << 20, [&](const error_code& ec) {
        // Direct writes to the first MiB need not wait for the file system now.
        report("allocate", ec);
    });
    //! [async_allocate]
    my_context.run();
    my_context.restart();
}

void sync_examples(asio::io_context& my_context, kaio::random_access_file& file)
{
    const std::string data = "what must not be lost";

    //! [async_sync_data]
    file.async_write_some_at(0, asio::buffer(data), [&](error_code ec, std::size_t) {
        // Only writes that have completed are covered: start it in the handler of the last one.
        if (!ec)
            file.async_sync_data([](const error_code& failed) { report("sync data", failed); });
    });
    //! [async_sync_data]
    my_context.run();
    my_context.restart();

    //! [async_resize]
    file.async_resize(data.size(), [](const error_code& ec) { report("resize", ec); });
    //! [async_resize]
    my_context.run();
    my_context.restart();

    //! [async_sync_all]
    file.async_sync_all([](const error_code& ec) { report("sync all", ec); });
    //! [async_sync_all]
    my_context.run();
    my_context.restart();
}

void close_examples(asio::io_context& my_context, kaio::random_access_file& file)
{
    //! [async_close]
    file.async_close([](const error_code& ec) { report("close", ec); });
    // The object can be used for another file already.
    //! [async_close]
    my_context.run();
    my_context.restart();
}

} // namespace

int main()
{
    try
    {
        asio::io_context my_context;
        kaio::random_access_file file(my_context);
        open_examples(my_context, file);
        sync_examples(my_context, file);
        close_examples(my_context, file);
        std::remove("my.file");
    }
    catch (const std::exception& e)
    {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
