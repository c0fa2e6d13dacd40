//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Whatever is written is read back as it was, by any number of operations at once.

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/needs_aio.hpp"
#include "support/outcome.hpp"
#include "support/random_seed.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

namespace {

// Operations that all have to transfer what they were asked for.
class expectations
{
public:
    auto expect(std::size_t bytes)
    {
        ++started_;
        return [this, bytes](boost::system::error_code ec, std::size_t transferred) {
            good_ += !ec && transferred == bytes;
            ++completed_;
        };
    }

    void check() const
    {
        BOOST_TEST(completed_ == started_);
        BOOST_TEST(good_ == started_);
    }

private:
    std::size_t started_ = 0;
    std::size_t completed_ = 0;
    std::size_t good_ = 0;
};

bool equal(const void* a, const std::string& b)
{
    return std::memcmp(a, b.data(), b.size()) == 0;
}

} // namespace

BOOST_AUTO_TEST_SUITE(correct_data)

BOOST_TEST_DECORATOR(*boost::unit_test::precondition(&needs_aio))
BOOST_DATA_TEST_CASE(ten_thousand_blocks_on_a_bounded_queue, data::make(transfer_modes()), mode)
{
    const std::size_t count = scaled(10000, 500);
    const std::string contents = pattern(0, count * block_size);
    asio::io_context context;
    kaio::service_options options;
    options.max_in_flight = 32;
    const kaio::aio_service& service = kaio::make_aio_service(context, options);
    temporary_file target;
    kaio::random_access_file file(context, target.path(), kaio::file_base::read_write | mode);
    file.resize(contents.size());

    aligned_memory memory(contents.size());
    std::memcpy(memory.data(), contents.data(), contents.size());
    expectations writes;
    for (std::size_t i = 0; i != count; ++i)
    {
        file.async_write_some_at(i * block_size,
                                 asio::buffer(memory.data() + i * block_size, block_size),
                                 writes.expect(block_size));
    }
    run(context);
    writes.check();

    std::memset(memory.data(), 0, contents.size());
    expectations reads;
    for (std::size_t i = count; i-- != 0;)
    {
        file.async_read_some_at(i * block_size,
                                asio::buffer(memory.data() + i * block_size, block_size),
                                reads.expect(block_size));
    }
    run_again(context);
    reads.check();
    BOOST_TEST(equal(memory.data(), contents));
    file.sync_all();
    file.close();
    const bool stored = target.contents() == contents;
    BOOST_TEST(stored);

    const kaio::service_statistics statistics = service.statistics();
    if (mode == transfer_mode::direct)
        BOOST_TEST(statistics.in_flight_high_water == 32);
    BOOST_TEST(statistics.operations_completed == 2 * count);
    BOOST_TEST(statistics.bytes_written == contents.size());
    BOOST_TEST(statistics.bytes_read == contents.size());
}

BOOST_DATA_TEST_CASE(overlapping_reads_of_many_sizes, data::make(transfer_modes()), mode)
{
    constexpr std::size_t file_size = 1024 * 1024;
    const std::size_t unit = mode == transfer_mode::direct ? block_size : 1;
    const std::size_t count = scaled(1000, 100);
    asio::io_context context;
    temporary_file source(file_size);
    kaio::random_access_file file(context, source.path(), kaio::file_base::read_only | mode);

    std::minstd_rand random(random_seed());
    std::vector<std::pair<std::size_t, std::unique_ptr<aligned_memory>>> reads;
    expectations all;
    for (std::size_t i = 0; i != count; ++i)
    {
        const std::size_t offset = random() % (file_size / unit) * unit;
        const std::size_t most = std::min<std::size_t>(file_size - offset, 100000 / unit * unit);
        const std::size_t size = (1 + random() % (most / unit)) * unit;
        reads.emplace_back(offset, new aligned_memory(size));
        aligned_memory& memory = *reads.back().second;
        file.async_read_some_at(offset, asio::buffer(memory.data(), size), all.expect(size));
    }
    run(context);
    all.check();
    for (const auto& [offset, memory] : reads)
        BOOST_TEST(equal(memory->data(), pattern(offset, memory->size())));
}

BOOST_DATA_TEST_CASE(two_large_reads_that_overlap, data::make(transfer_modes()), mode)
{
    constexpr std::size_t size = 5 * 1024 * 1024;
    asio::io_context context;
    temporary_file source(size + block_size);
    kaio::random_access_file file(context, source.path(), kaio::file_base::read_only | mode);
    aligned_memory first(size);
    aligned_memory second(size);
    expectations all;
    file.async_read_some_at(0, asio::buffer(first.data(), size), all.expect(size));
    file.async_read_some_at(block_size, asio::buffer(second.data(), size), all.expect(size));
    run(context);
    all.check();
    BOOST_TEST(equal(first.data(), pattern(0, size)));
    BOOST_TEST(equal(second.data(), pattern(block_size, size)));
}

BOOST_DATA_TEST_CASE(writes_to_the_same_block_are_not_mixed, data::make(transfer_modes()), mode)
{
    constexpr std::size_t count = 16;
    asio::io_context context;
    temporary_file target(block_size);
    kaio::random_access_file file(context, target.path(), kaio::file_base::read_write | mode);
    std::vector<std::unique_ptr<aligned_memory>> blocks;
    expectations all;
    for (std::size_t i = 0; i != count; ++i)
    {
        blocks.emplace_back(new aligned_memory(block_size));
        std::memset(blocks.back()->data(), static_cast<int>('a' + i), block_size);
        file.async_write_some_at(0, asio::buffer(blocks.back()->data(), block_size),
                                 all.expect(block_size));
    }
    run(context);
    all.check();
    const std::string contents = target.contents();
    const bool one_of_them = contents.size() == block_size && contents[0] >= 'a' &&
                             contents[0] < static_cast<char>('a' + count) &&
                             contents == std::string(block_size, contents[0]);
    BOOST_TEST(one_of_them);
}

BOOST_DATA_TEST_CASE(write_then_read_many_times, data::make(transfer_modes()), mode)
{
    const std::size_t rounds = scaled(3000, 100);
    asio::io_context context;
    temporary_file target(block_size);
    kaio::random_access_file file(context, target.path(), kaio::file_base::read_write | mode);
    aligned_memory out(block_size);
    aligned_memory in(block_size);
    std::size_t round = 0;
    std::size_t good = 0;
    std::function<void()> next = [&] {
        std::memcpy(out.data(), pattern(round, block_size).data(), block_size);
        file.async_write_some_at(
            0, asio::buffer(out.data(), block_size),
            [&](boost::system::error_code write_ec, std::size_t written) {
                file.async_read_some_at(
                    0, asio::buffer(in.data(), block_size),
                    [&, write_ec, written](boost::system::error_code ec, std::size_t bytes) {
                        good += !write_ec && !ec && written == block_size && bytes == block_size &&
                                std::memcmp(in.data(), out.data(), block_size) == 0;
                        if (++round != rounds)
                            next();
                    });
            });
    };
    next();
    run(context);
    BOOST_TEST(good == rounds);
}

// Small direct writes that share blocks of the file system, beyond its end and in a hole.
BOOST_AUTO_TEST_CASE(direct_writes_inside_one_block)
{
    constexpr std::size_t sector = 512;
    temporary_file target;
    asio::io_context context;
    kaio::random_access_file file(context);
    aligned_memory memory(2 * block_size);
    const std::string expected = pattern(0, 2 * block_size);
    std::memcpy(memory.data(), expected.data(), expected.size());

    boost::system::error_code ec;
    file.open(target.path(), kaio::file_base::read_write | kaio::file_base::direct, ec);
    if (!ec)
        file.write_some_at(0, asio::buffer(memory.data(), sector), ec);
    if (ec)
        return skip("no direct I/O of 512 bytes in " + directory());

    for (const std::uint64_t size : {std::uint64_t(0), std::uint64_t(2 * block_size)})
    {
        file.resize(0);
        file.resize(size);
        expectations all;
        for (std::size_t i = 0; i != 2 * block_size; i += sector)
        {
            file.async_write_some_at(i, asio::buffer(memory.data() + i, sector),
                                     all.expect(sector));
        }
        run_again(context);
        all.check();
        const bool as_written = target.contents() == expected;
        BOOST_TEST(as_written);
    }
}

BOOST_DATA_TEST_CASE(a_hole_that_was_filled_reads_as_data, data::make(transfer_modes()), mode)
{
    constexpr std::size_t count = 64;
    asio::io_context context;
    temporary_file target;
    kaio::random_access_file file(context, target.path(), kaio::file_base::read_write | mode);
    file.resize(2 * count * block_size);

    std::vector<std::unique_ptr<aligned_memory>> blocks;
    std::size_t good = 0;
    for (std::size_t i = 0; i != count; ++i)
    {
        blocks.emplace_back(new aligned_memory(block_size));
        aligned_memory& block = *blocks.back();
        const std::size_t offset = 2 * i * block_size;
        std::memcpy(block.data(), pattern(offset, block_size).data(), block_size);
        file.async_write_some_at(
            offset, asio::buffer(block.data(), block_size),
            [&, offset](boost::system::error_code, std::size_t) {
                std::memset(block.data(), 0, block_size);
                file.async_read_some_at(
                    offset, asio::buffer(block.data(), block_size),
                    [&, offset](boost::system::error_code ec, std::size_t bytes) {
                        good += !ec && bytes == block_size &&
                                equal(block.data(), pattern(offset, block_size));
                    });
            });
    }
    run(context);
    BOOST_TEST(good == count);
}

// While a file grows, its readers see the end of file or the new data, never zeros.
BOOST_DATA_TEST_CASE(readers_of_a_growing_file_see_no_zeros, data::make(transfer_modes()), mode)
{
    const std::size_t count = scaled(500, 50);
    asio::io_context context;
    temporary_file target;
    kaio::random_access_file file(context, target.path(), kaio::file_base::read_write | mode);
    aligned_memory written(block_size);
    std::memset(written.data(), 'x', block_size);
    const std::string expected(block_size, 'x');

    std::size_t end = 0;
    bool done = false;
    std::function<void()> grow = [&] {
        file.async_write_some_at(end * block_size, asio::buffer(written.data(), block_size),
                                 [&](boost::system::error_code ec, std::size_t bytes) {
                                     BOOST_REQUIRE(!ec);
                                     BOOST_REQUIRE(bytes == block_size);
                                     done = ++end == count;
                                     if (!done)
                                         grow();
                                 });
    };
    std::size_t wrong = 0;
    std::vector<std::unique_ptr<aligned_memory>> blocks;
    std::function<void(aligned_memory&)> look = [&](aligned_memory& block) {
        file.async_read_some_at(end * block_size, asio::buffer(block.data(), block_size),
                                [&](boost::system::error_code ec, std::size_t bytes) {
                                    wrong += ec ? ec != asio::error::eof
                                                : !equal(block.data(), expected.substr(0, bytes));
                                    if (!done)
                                        look(block);
                                });
    };
    grow();
    for (int i = 0; i != 8; ++i)
    {
        blocks.emplace_back(new aligned_memory(block_size));
        look(*blocks.back());
    }
    run(context);
    BOOST_TEST(end == count);
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()
