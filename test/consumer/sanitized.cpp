//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Compiled with AddressSanitizer, and linked with a kaio without: the memory of operations goes back
// and forth between the two, and none of it may be lost.

#include <stdlib.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <exception>
#include <iostream>
#include <kaio/random_access_file.hpp>
#include <vector>

int main()
try
{
    constexpr std::size_t waves = 100;
    constexpr std::size_t reads = 200;
    std::vector<char> blocks(reads * 512);
    std::size_t right = 0;

    boost::asio::io_context context;
    kaio::random_access_file file(context, "sanitized.data",
                                  kaio::file_base::create | kaio::file_base::read_write);
    file.resize(blocks.size());
    for (std::size_t wave = 0; wave != waves; ++wave)
    {
        for (std::size_t i = 0; i != reads; ++i)
            file.async_read_some_at(
                i * 512, boost::asio::buffer(&blocks[i * 512], 512),
                [&](boost::system::error_code ec, std::size_t n) { right += !ec && n == 512; });
        context.run();
        context.restart();
    }
    std::cout << right << " reads of " << waves * reads << " were right\n";
    return right == waves * reads ? 0 : 1;
}
catch (const std::exception& e)
{
    std::cerr << e.what() << '\n';
    return 1;
}
