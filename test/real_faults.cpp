//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// What goes wrong below: file systems that go down, disks that lose their blocks, files that change
// while they are read.

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstddef>
#include <deque>
#include <string>

#include <kaio/kaio.hpp>

#include "support/disk.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/system_error.hpp"
#include "support/take_down.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;
using kaio::file_base;

using namespace kaio::test;

namespace {

constexpr std::size_t block = 4096;
constexpr std::size_t blocks = 64;

struct transfer
{
    aligned_memory memory{block};
    outcome result;
};

struct load
{
    explicit load(const std::string& path, file_base::flags flags) : file(context, path, flags)
    {
    }

    transfer& read(std::size_t number)
    {
        transfers.emplace_back();
        transfer& t = transfers.back();
        file.async_read_some_at(number * block, asio::buffer(t.memory.data(), block),
                                record_in(t.result));
        return t;
    }

    transfer& write(std::size_t number)
    {
        transfers.emplace_back();
        transfer& t = transfers.back();
        pattern(number * block, block).copy(t.memory.data(), block);
        file.async_write_some_at(number * block, asio::buffer(t.memory.data(), block),
                                 record_in(t.result));
        return t;
    }

    asio::io_context context;
    kaio::random_access_file file;
    std::deque<transfer> transfers;
};

bool is_fault(const outcome& o)
{
    return o.failed(system_error(EIO)) || o.failed(system_error(EROFS));
}

// Each byte is that of the file, or was taken away.
bool is_pattern_or_zero(transfer& t, std::size_t number)
{
    const std::string expected = pattern(number * block, block);
    for (std::size_t i = 0; i != t.result.bytes; ++i)
    {
        const char byte = t.memory.data()[i];
        if (byte != expected[i] && byte != '\0')
            return false;
    }
    return true;
}

} // namespace

BOOST_AUTO_TEST_SUITE(real_faults)

BOOST_DATA_TEST_CASE(a_file_system_goes_down_under_load,
                     data::make(disks_that_can_go_down) * data::make(transfer_modes()), fs, mode)
{
    disk d(fs);
    if (!d.why_not.empty())
        return skip(d.why_not);
    {
        load l(d.mount->path() + "/file", file_base::read_write | file_base::create | mode);
        for (std::size_t i = 0; i != blocks; i += 2)
            l.write(i);
        run(l.context);
        for (const transfer& t : l.transfers)
            BOOST_TEST(t.result.succeeded(block), t.result);

        outcome synced;
        for (std::size_t i = 0; i != blocks; i += 2)
        {
            l.write(i + 1);
            l.read(i);
        }
        l.file.async_sync_data(
            [handler = record_in(synced)](const auto& ec) mutable { handler(ec, 0); });
        l.context.restart();
        l.context.poll_one();
        BOOST_TEST(take_down(d.mount->path()));
        run_again(l.context);
        for (const transfer& t : l.transfers)
            BOOST_TEST((t.result.succeeded(block) || is_fault(t.result)), t.result);
        BOOST_TEST((synced.succeeded(0) || is_fault(synced)), synced);

        // From now on each write fails, and so does a sync.
        const transfer& late = l.write(0);
        outcome late_sync;
        l.file.async_sync_all(
            [handler = record_in(late_sync)](const auto& ec) mutable { handler(ec, 0); });
        run_again(l.context);
        BOOST_TEST(is_fault(late.result), late.result);
        BOOST_TEST(is_fault(late_sync), late_sync);
        boost::system::error_code ec;
        l.file.close(ec);
        BOOST_TEST(!l.file.is_open());
    }
}

BOOST_DATA_TEST_CASE(a_disk_loses_its_blocks, data::make(transfer_modes()), mode)
{
    if (!is_root())
        return skip("needs root");
    if (!why_no_loop_device().empty())
        return skip(why_no_loop_device());
    const temporary_directory place;
    const image_file image(place.path() + "/image", 16 << 20);
    const loop_device device(image.path());
    load l(device.path(), file_base::read_only | mode);
    l.read(0);
    run(l.context);
    BOOST_TEST(l.transfers.front().result.succeeded(block), l.transfers.front().result);

    BOOST_REQUIRE(::truncate(image.path().c_str(), 0) == 0);
    for (std::size_t i = 100; i != 100 + blocks; ++i)
        l.read(i);
    run_again(l.context);
    for (std::size_t i = 1; i != l.transfers.size(); ++i)
        BOOST_TEST(l.transfers[i].result.failed(system_error(EIO)), l.transfers[i].result);
}

BOOST_DATA_TEST_CASE(a_file_shrinks_and_grows_while_it_is_read, data::make(transfer_modes()), mode)
{
    const temporary_file target(blocks * block);
    load l(target.path(), file_base::read_only | mode);
    for (std::size_t round = 0; round != 20; ++round)
    {
        for (std::size_t i = 0; i != blocks; ++i)
            l.read(i);
        l.context.restart();
        for (std::size_t i = 0; i != round; ++i)
            l.context.poll_one();
        BOOST_REQUIRE(::truncate(target.path().c_str(), round % 2 == 0 ? 0 : 10 * block + 7) == 0);
        for (std::size_t i = 0; i != round; ++i)
            l.context.poll_one();
        BOOST_REQUIRE(::truncate(target.path().c_str(), blocks * block) == 0);
        run_again(l.context);
        for (std::size_t i = 0; i != blocks; ++i)
        {
            transfer& t = l.transfers[i];
            const bool right = (t.result.calls == 1 && !t.result.ec && t.result.bytes != 0 &&
                                is_pattern_or_zero(t, i)) ||
                               t.result.failed(asio::error::eof);
            BOOST_TEST(right, t.result);
        }
        l.transfers.clear();
    }
}

BOOST_DATA_TEST_CASE(a_file_is_replaced_while_it_is_read, data::make(transfer_modes()), mode)
{
    const temporary_file target(blocks * block);
    load l(target.path(), file_base::read_only | mode);
    for (std::size_t i = 0; i != blocks; ++i)
        l.read(i);
    l.context.poll_one();
    const std::string other = target.path() + ".other";
    ::close(::open(other.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    BOOST_REQUIRE(::rename(other.c_str(), target.path().c_str()) == 0);
    run_again(l.context);
    for (std::size_t i = 0; i != blocks; ++i)
    {
        BOOST_TEST(l.transfers[i].result.succeeded(block), l.transfers[i].result);
        const bool right = l.transfers[i].memory.text() == pattern(i * block, block);
        BOOST_TEST(right);
    }
}

BOOST_AUTO_TEST_SUITE_END()
