//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// How late a loop is on which a timer has a fixed schedule of 1 ms, beside work on files that makes
// io_submit wait: with kaio, and with io_submit called as it comes.

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iomanip>
#include <iostream>
#include <kaio/kaio.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "aligned_memory.hpp"
#include "descriptor.hpp"
#include "plain_aio.hpp"
#include "ticker.hpp"

namespace asio = boost::asio;
using bench::plain_aio;

namespace {

constexpr std::size_t largest_block = 64 * 1024;
constexpr std::size_t file_size = 256 * 1024 * 1024;
constexpr std::size_t depth = 32;

using result_function = std::function<void(long)>;

// The two contenders: both start operations on a file, and report a size or a negative errno.

class with_kaio
{
private:
    static auto report(result_function f)
    {
        return [f](boost::system::error_code ec, std::size_t n) {
            f(ec ? -ec.value() : static_cast<long>(n));
        };
    }

public:
    with_kaio(asio::io_context& context, const std::string& path, int flags)
      : file_(context, path, static_cast<kaio::file_base::flags>(flags))
    {
    }

    void read(void* data, std::size_t size, std::uint64_t offset, result_function f)
    {
        file_.async_read_some_at(offset, asio::buffer(data, size), report(std::move(f)));
    }

    void write(void* data, std::size_t size, std::uint64_t offset, result_function f)
    {
        file_.async_write_some_at(offset, asio::buffer(data, size), report(std::move(f)));
    }

    void sync(result_function f)
    {
        file_.async_sync_all([f](boost::system::error_code ec) { f(-ec.value()); });
    }

private:
    kaio::random_access_file file_;
};

class with_io_submit
{
public:
    with_io_submit(asio::io_context& context, const std::string& path, int flags)
      : aio_(context), file_(bench::open_file(path, flags))
    {
        // As Asio's files and kaio's do.
        ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_RANDOM);
    }

    void read(void* data, std::size_t size, std::uint64_t offset, result_function f)
    {
        aio_.read(file_.get(), data, size, offset, std::move(f));
    }

    void write(void* data, std::size_t size, std::uint64_t offset, result_function f)
    {
        aio_.write(file_.get(), data, size, offset, std::move(f));
    }

    void sync(result_function f)
    {
        aio_.sync(file_.get(), std::move(f));
    }

private:
    plain_aio aio_;
    bench::descriptor file_;
};

struct load
{
    const char* name;
    int flags;
    std::size_t block_size;
    bool reads;
    bool extends;
    bool syncs;
};

const load loads[] = {
    {"cold buffered reads, 4 KiB", O_RDONLY, 4096, true, false, false},
    {"extending direct writes, 64 KiB", O_RDWR | O_DIRECT, largest_block, false, true, false},
    {"buffered writes, 64 KiB", O_RDWR, largest_block, false, false, false},
    {"the same, each synced", O_RDWR, largest_block, false, false, true},
};

void prepare(const std::string& path, const load& l)
{
    const bench::descriptor file(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (file.get() < 0)
        bench::throw_errno("cannot create " + path);
    const bench::aligned_memory block(largest_block);
    for (std::size_t at = 0; at != file_size && !l.extends; at += largest_block)
    {
        if (::pwrite(file.get(), block.data(), largest_block, static_cast<off_t>(at)) < 0)
            bench::throw_errno("cannot write " + path);
    }
    ::fsync(file.get());
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
}

struct outcome
{
    std::uint64_t operations = 0;
    bench::latency_histogram lateness;
};

template <typename Contender>
outcome run(const std::string& path, const load& l, std::chrono::milliseconds duration)
{
    asio::io_context context;
    Contender contender(context, path, l.flags);
    bench::ticker ticker(context);
    const bench::aligned_memory memory(depth * largest_block);
    const auto end = std::chrono::steady_clock::now() + duration;
    outcome result;
    std::uint64_t next = 0;
    std::size_t running = depth;

    std::function<void(std::size_t)> start = [&](std::size_t slot) {
        if (std::chrono::steady_clock::now() >= end)
        {
            if (--running == 0)
                ticker.stop();
            return;
        }
        void* const data = memory.data() + slot * largest_block;
        // A stride that visits all blocks, far apart.
        const std::uint64_t block = l.extends ? next : next * 389 % (file_size / l.block_size);
        ++next;
        const auto done = [&, slot](long n) {
            if (n < 0)
                throw std::runtime_error(std::string(l.name) + ": errno " + std::to_string(-n));
            ++result.operations;
            start(slot);
        };
        if (l.reads)
            contender.read(data, l.block_size, block * l.block_size, done);
        else if (l.syncs)
            contender.write(data, l.block_size, block * l.block_size,
                            [&, done](long) { contender.sync(done); });
        else
            contender.write(data, l.block_size, block * l.block_size, done);
    };

    ticker.start();
    for (std::size_t slot = 0; slot != depth; ++slot)
        start(slot);
    context.run();
    result.lateness = ticker.lateness();
    return result;
}

bench::latency_histogram idle(std::chrono::milliseconds duration)
{
    asio::io_context context;
    bench::ticker ticker(context);
    ticker.start();
    context.run_for(duration);
    return ticker.lateness();
}

void print(const char* what, const char* who, std::uint64_t operations, double seconds,
           const bench::latency_histogram& lateness)
{
    const auto ms = [](std::chrono::nanoseconds t) { return static_cast<double>(t.count()) / 1e6; };
    std::cout << std::left << std::setw(34) << what << std::setw(11) << who << std::right
              << std::fixed << std::setprecision(0) << std::setw(9)
              << static_cast<double>(operations) / seconds << std::setprecision(2) << std::setw(10)
              << ms(lateness.percentile(0.99)) << std::setw(10) << ms(lateness.percentile(0.999))
              << std::setw(10) << ms(lateness.max()) << '\n';
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app("How late a 1 ms timer is beside work on files, with kaio and with io_submit");
    std::string directory = ".";
    double seconds = 3;
    app.add_option("--dir", directory, "Where to put the file: the file system to measure");
    app.add_option("--seconds", seconds, "How long to measure each load")
        ->check(CLI::Range(0.1, 600.0));
    CLI11_PARSE(app, argc, argv);

    const std::string path = directory + "/kaio-stall-" + std::to_string(::getpid());
    int status = 0;
    try
    {
        const std::chrono::milliseconds duration(static_cast<int>(seconds * 1000));
        std::cout << "32 operations outstanding; lateness of a 1 ms timer in ms\n\n"
                  << std::left << std::setw(45) << "" << std::right << std::setw(9) << "ops/s"
                  << std::setw(10) << "p99" << std::setw(10) << "p99.9" << std::setw(10) << "worst"
                  << '\n';
        print("idle", "", 0, seconds, idle(duration));
        for (const load& l : loads)
        {
            prepare(path, l);
            const outcome ours = run<with_kaio>(path, l, duration);
            print(l.name, "kaio", ours.operations, seconds, ours.lateness);
            prepare(path, l);
            const outcome plain = run<with_io_submit>(path, l, duration);
            print("", "io_submit", plain.operations, seconds, plain.lateness);
        }
    }
    catch (const std::exception& e)
    {
        std::cerr << e.what() << '\n';
        status = 1;
    }
    ::unlink(path.c_str());
    return status;
}
