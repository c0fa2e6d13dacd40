//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Built once for each way of configuring Asio: many blocks are written and read back, all of them
// outstanding at once, between the ticks of a timer.

#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <kaio/kaio.hpp>

namespace asio = boost::asio;

namespace {

constexpr std::size_t depth = 32;
constexpr std::size_t block_size = 4096;

using block = std::array<unsigned char, block_size>;

struct outcome
{
    std::size_t calls = 0;
    std::size_t failures = 0;

    void count(const boost::system::error_code& ec, std::size_t bytes_transferred)
    {
        ++calls;
        failures += ec || bytes_transferred != block_size;
    }
};

bool expect(bool condition, const char* what)
{
    if (!condition)
        std::fprintf(stderr, "failed: %s\n", what);
    return condition;
}

// Whether the context ran out of work, with time to spare.
bool run(asio::io_context& context)
{
    context.restart();
    context.run_for(std::chrono::seconds(30));
    return context.stopped();
}

bool write_and_read(asio::io_context& context, kaio::random_access_file& file)
{
    std::array<block, depth> written;
    std::array<block, depth> read;
    for (std::size_t i = 0; i != depth; ++i)
    {
        written[i].fill(static_cast<unsigned char>(i + 1));
        read[i].fill(0);
    }

    outcome writes;
    for (std::size_t i = 0; i != depth; ++i)
    {
        file.async_write_some_at(i * block_size, asio::buffer(written[i]),
                                 [&](boost::system::error_code ec, std::size_t bytes_transferred) {
                                     writes.count(ec, bytes_transferred);
                                 });
    }
    bool good = expect(writes.calls == 0, "no handler is called by an initiating function");
    good &= expect(run(context), "run() returns once all is written");
    good &= expect(writes.calls == depth && writes.failures == 0, "all is written");

    int ticks = 0;
    asio::steady_timer timer(context, std::chrono::milliseconds(1));
    timer.async_wait([&](boost::system::error_code) { ++ticks; });

    outcome reads;
    for (std::size_t i = depth; i-- != 0;)
    {
        file.async_read_some_at(i * block_size, asio::buffer(read[i]),
                                [&](boost::system::error_code ec, std::size_t bytes_transferred) {
                                    reads.count(ec, bytes_transferred);
                                });
    }
    good &= expect(run(context), "run() returns once all is read");
    good &= expect(reads.calls == depth && reads.failures == 0, "all is read");
    good &= expect(read == written, "what is read is what was written");
    good &= expect(ticks == 1, "the timer goes on");
    return good;
}

bool report_errors(asio::io_context& context, kaio::random_access_file& file)
{
    boost::system::error_code at_end;
    block memory;
    file.async_read_some_at(depth * block_size, asio::buffer(memory),
                            [&](boost::system::error_code ec, std::size_t) { at_end = ec; });
    bool good = expect(run(context), "run() returns after a read at the end");
    good &= expect(at_end == asio::error::eof, "a read at the end is eof");

    boost::system::error_code ec;
    file.open("/nonexistent", kaio::file_base::read_only, ec);
    good &= expect(ec == asio::error::already_open, "a file opens once");
    return good;
}

} // namespace

int main()
{
    char path[] = "kaio_macros_XXXXXX";
    const int descriptor = ::mkstemp(path);
    if (descriptor == -1)
    {
        std::perror("mkstemp");
        return EXIT_FAILURE;
    }
    ::unlink(path);

    asio::io_context context;
    kaio::random_access_file file(context, descriptor);
    bool good = write_and_read(context, file);
    good &= report_errors(context, file);

    const kaio::service_statistics statistics =
        asio::use_service<kaio::aio_service>(context).statistics();
    good &= expect(statistics.operations_started == 2 * depth + 1, "every operation is counted");
    good &= expect(statistics.outstanding == 0, "nothing is left");
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
