//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// A file system goes down by force, in the midst of writes. Mounted again, it has all that a sync, or
// a write with data_sync, had covered.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/disk.hpp"
#include "support/random_seed.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/skip.hpp"
#include "support/take_down.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;
using boost::system::error_code;

using namespace kaio::test;

namespace {

constexpr std::size_t block = 4096;
constexpr std::size_t blocks = 64;

// Each version of a block has contents of its own.
std::string contents(std::size_t number, unsigned version)
{
    return pattern((std::uint64_t(version) * blocks + number) * block, block);
}

class workload
{
public:
    workload(std::string name, transfer_mode mode, unsigned seed)
      : name_(std::move(name)), mode_(mode), random_(seed)
    {
    }

    /// Write and sync, then have the file system go down while writes are in flight.
    bool run_until_it_goes_down(const std::string& directory)
    {
        asio::io_context context;
        kaio::random_access_file file(context, directory + name_,
                                      kaio::file_base::read_write | kaio::file_base::create |
                                          mode_);
        for (int round = 0; round != 20; ++round)
        {
            start_some(file);
            if (below(3) == 0)
                start_sync(file);
            run_again(context);
            check_all_succeeded();
        }
        start_some(file);
        start_sync(file);
        context.restart();
        for (std::size_t i = below(10); i != 0; --i)
            context.poll_one();
        // Who has lost power hears of nothing any more. That ext4 reports a sync as done which was
        // under way then, and wasn't (Linux 6.18), harms nobody.
        goes_down_ = true;
        const bool down = take_down(directory);
        run_again(context);
        writes_.clear();
        return down;
    }

    /// Look at what is there, in another way.
    void check(const std::string& directory) const
    {
        const int descriptor = ::open((directory + name_).c_str(), O_RDONLY | O_CLOEXEC);
        std::string found(block, '\0');
        for (std::size_t i = 0; i != blocks; ++i)
        {
            const state& b = states_[i];
            if (b.durable == 0)
                continue;
            found.assign(block, '\0');
            const ::ssize_t size =
                ::pread(descriptor, found.data(), block, static_cast<::off_t>(i * block));
            BOOST_TEST(size == static_cast<::ssize_t>(block));
            bool known = false;
            for (unsigned v = b.durable; v <= b.started; ++v)
                known = known || found == contents(i, v);
            BOOST_TEST(known, "block " << i << " has neither version " << b.durable
                                       << ", which was on the disk, nor a later one");
        }
        ::close(descriptor);
    }

    std::size_t durable_blocks() const
    {
        return static_cast<std::size_t>(std::count_if(states_.begin(), states_.end(),
                                                      [](const state& s) { return s.durable; }));
    }

private:
    struct state
    {
        unsigned started = 0;
        unsigned completed = 0;
        unsigned durable = 0;
        bool in_flight = false;
    };

    struct write
    {
        aligned_memory memory{block};
        std::size_t number = 0;
        unsigned version = 0;
        error_code error;
    };

    std::size_t below(std::size_t limit)
    {
        return random_() % limit;
    }

    void start_some(kaio::random_access_file& file)
    {
        for (std::size_t i = 1 + below(12); i != 0; --i)
        {
            const std::size_t number = below(blocks);
            state& b = states_[number];
            if (b.in_flight)
                continue;
            b.in_flight = true;
            writes_.emplace_back();
            write& w = writes_.back();
            w.number = number;
            w.version = ++b.started;
            contents(number, w.version).copy(w.memory.data(), block);
            kaio::io_options options;
            options.data_sync = below(4) == 0;
            file.async_write_some_at(
                number * block, asio::buffer(w.memory.data(), block), options,
                [this, &b, &w, durable = options.data_sync](error_code ec, std::size_t) {
                    b.in_flight = false;
                    w.error = ec;
                    if (ec)
                        return;
                    b.completed = w.version;
                    if (durable && !goes_down_)
                        b.durable = w.version;
                });
        }
    }

    // What had completed before is on the disk when it has completed.
    void start_sync(kaio::random_access_file& file)
    {
        const auto covered = std::make_shared<std::vector<state>>(states_);
        const auto synced = [this, covered](error_code ec) {
            for (std::size_t i = 0; !ec && !goes_down_ && i != blocks; ++i)
                states_[i].durable = std::max(states_[i].durable, (*covered)[i].completed);
        };
        if (below(2) == 0)
            file.async_sync_data(synced);
        else
            file.async_sync_all(synced);
    }

    void check_all_succeeded()
    {
        for (const write& w : writes_)
            BOOST_REQUIRE(!w.error);
        writes_.clear();
    }

    const std::string name_;
    const transfer_mode mode_;
    std::minstd_rand random_;
    bool goes_down_ = false;
    std::vector<state> states_ = std::vector<state>(blocks);
    std::deque<write> writes_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(durability)

BOOST_DATA_TEST_CASE(what_was_synced_survives_a_file_system_that_goes_down,
                     data::make(disks_that_can_go_down) * data::make(transfer_modes()), fs, mode)
{
    disk d(fs);
    if (!d.why_not.empty())
        return skip(d.why_not);
    const unsigned seed = random_seed();
    std::size_t durable = 0;
    for (unsigned i = 0; i != scaled(8, 2); ++i)
    {
        BOOST_TEST_CONTEXT("KAIO_TEST_SEED=" << seed << ", time " << i)
        {
            workload w("/file" + std::to_string(i), mode, seed + i);
            BOOST_REQUIRE(w.run_until_it_goes_down(d.mount->path()));
            d.mount.reset();
            d.mount = std::make_unique<mounted>(d.device->path(), fs.type);
            w.check(d.mount->path());
            durable += w.durable_blocks();
        }
    }
    BOOST_TEST(durable > 0U);
}

BOOST_AUTO_TEST_SUITE_END()
