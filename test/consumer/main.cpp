//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// What a program outside kaio's tree does first: write, read back, compare.

#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <string>

#include <unistd.h>

#include <boost/asio.hpp>

#include <kaio/kaio.hpp>

namespace asio = boost::asio;

int main()
{
    char path[] = "kaio_consumer_XXXXXX";
    int const fd = ::mkstemp(path);
    if (fd == -1)
    {
        std::perror("mkstemp");
        return EXIT_FAILURE;
    }
    ::unlink(path);

    asio::io_context context;
    kaio::random_access_file file(context, fd);

    std::string const written = "written by kaio, linked from outside";
    std::string read(written.size(), '\0');
    asio::async_write_at(
        file, 4096, asio::buffer(written), [&](boost::system::error_code ec, std::size_t) {
            if (ec)
            {
                std::cerr << "write: " << ec.message() << '\n';
                return;
            }
            asio::async_read_at(file, 4096, asio::buffer(read),
                                [](boost::system::error_code read_ec, std::size_t) {
                                    if (read_ec)
                                        std::cerr << "read: " << read_ec.message() << '\n';
                                });
        });
    context.run();

    std::cout << "kaio " << KAIO_VERSION_MAJOR << '.' << KAIO_VERSION_MINOR << '.'
              << KAIO_VERSION_PATCH << ": " << read << '\n';
    return read == written ? EXIT_SUCCESS : EXIT_FAILURE;
}
