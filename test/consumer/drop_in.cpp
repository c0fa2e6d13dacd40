//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// A program that knows Boost.Asio only, and gets its files from kaio::drop_in.

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include <boost/asio.hpp>

namespace asio = boost::asio;

int main()
{
    std::FILE* const temporary = std::tmpfile();
    if (!temporary)
    {
        std::perror("tmpfile");
        return EXIT_FAILURE;
    }

    asio::io_context context;
    asio::random_access_file file(context, ::dup(::fileno(temporary)));
    std::string const written = "written by boost::asio::random_access_file";
    std::string read(written.size(), '\0');
    asio::async_write_at(file, 4096, asio::buffer(written),
                         [&](boost::system::error_code ec, std::size_t) {
                             if (!ec)
                                 asio::async_read_at(file, 4096, asio::buffer(read),
                                                     [](boost::system::error_code, std::size_t) {});
                         });
    context.run();

    std::cout << read << '\n';
    return read == written ? EXIT_SUCCESS : EXIT_FAILURE;
}
