//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The classic first program of Linux AIO: open a file for direct I/O, write 1024 bytes to it, wait
// for the event, print the result. Here without io_setup, iocb and io_getevents.

#include <boost/asio.hpp>
#include <iostream>
#include <kaio/kaio.hpp>

int main()
try
{
    using file_type = kaio::random_access_file;
    alignas(4096) static char block[1024] = "written by kaio\n";

    boost::asio::io_context context;
    file_type file(context, "first_write.data",
                   file_type::create | file_type::write_only | file_type::direct);

    int status = 1;
    file.async_write_some_at(0, boost::asio::buffer(block),
                             [&](boost::system::error_code ec, std::size_t written) {
                                 std::cout << written << " bytes: " << ec.message() << '\n';
                                 status = ec ? 1 : 0;
                             });
    context.run();
    return status;
}
catch (const std::exception& e)
{
    std::cerr << e.what() << '\n';
    return 1;
}
