//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// first_write.cpp as a C++20 coroutine: it reads from top to bottom, and errors are exceptions.

#include <boost/asio.hpp>
#include <iostream>
#include <kaio/kaio.hpp>

namespace asio = boost::asio;

asio::awaitable<void> write_block()
{
    using file_type = kaio::random_access_file;
    // Static, because the frame of a coroutine isn't aligned for direct I/O.
    alignas(4096) static char block[1024] = "written by kaio\n";

    file_type file(co_await asio::this_coro::executor, "first_write_coroutine.data",
                   file_type::create | file_type::write_only | file_type::direct);

    const std::size_t written =
        co_await file.async_write_some_at(0, asio::buffer(block), asio::use_awaitable);
    std::cout << written << " bytes\n";
}

int main()
try
{
    asio::io_context context;
    asio::co_spawn(context, write_block(), [](std::exception_ptr failure) {
        if (failure)
            std::rethrow_exception(failure);
    });
    context.run();
}
catch (const std::exception& e)
{
    std::cerr << e.what() << '\n';
    return 1;
}
