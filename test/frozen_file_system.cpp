//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// While a file system is frozen, for a snapshot, its writes wait, whatever the kernel is asked. The
// loop goes on where writes are left to threads.

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/blocked_helper.hpp"
#include "support/disk.hpp"
#include "support/frozen.hpp"
#include "support/outcome.hpp"
#include "support/page_cache.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

using kaio::submission_mode;

namespace kaio {

std::ostream& operator<<(std::ostream& os, submission_mode mode)
{
    return os << (mode == submission_mode::on_loop     ? "on_loop"
                  : mode == submission_mode::on_thread ? "on_thread"
                                                       : "writes_on_thread");
}

} // namespace kaio

namespace {

constexpr std::size_t blocks = 64;

const file_system file_systems[] = {{"ext4", "mkfs.ext4", "-q -F", 64},
                                    {"xfs", "mkfs.xfs", "-q -f", 320}};
const submission_mode modes[] = {submission_mode::on_thread, submission_mode::writes_on_thread};
const transfer_mode transfers[] = {transfer_mode::buffered, transfer_mode::direct};

// Ticks of a timer, each started by the one before.
class ticks
{
public:
    ticks(asio::io_context& context, int count) : timer_(context), left_(count)
    {
        start();
    }

    bool over() const
    {
        return left_ == 0;
    }

private:
    void start()
    {
        timer_.expires_after(std::chrono::milliseconds(1));
        timer_.async_wait([this](boost::system::error_code) {
            if (--left_ != 0)
                start();
        });
    }

    asio::steady_timer timer_;
    int left_;
};

// The operations on a file. They outlive the context, and so the kernel's use of their memory.
class work
{
public:
    void prepare(kaio::random_access_file& file)
    {
        file_ = &file;
        // So that nothing is left to be written when it is read.
        pattern(0, blocks * block_size).copy(memory_.data(), blocks * block_size);
        file.write_some_at(0, asio::buffer(memory_.data(), blocks * block_size));
        file.sync_all();
    }

    void start_write(std::size_t block)
    {
        writes_.emplace_back();
        file_->async_write_some_at(block * block_size,
                                   asio::buffer(memory_.data() + block * block_size, block_size),
                                   record_in(writes_.back()));
    }

    // Reads existing data into other memory.
    void start_read(std::size_t block)
    {
        reads_.emplace_back();
        const std::size_t place = (blocks + block) * block_size;
        file_->async_read_some_at(block * block_size,
                                  asio::buffer(memory_.data() + place, block_size),
                                  record_in(reads_.back()));
    }

    std::size_t written() const
    {
        return succeeded(writes_);
    }

    std::size_t read() const
    {
        return succeeded(reads_);
    }

private:
    static std::size_t succeeded(const std::deque<outcome>& outcomes)
    {
        std::size_t result = 0;
        for (const outcome& o : outcomes)
            result += o.succeeded(block_size);
        return result;
    }

    kaio::random_access_file* file_ = nullptr;
    aligned_memory memory_{2 * blocks * block_size};
    std::deque<outcome> writes_;
    std::deque<outcome> reads_;
};

// Whether a write has been handed to the kernel, by a thread.
bool begun(const kaio::service_statistics& s)
{
    return s.helper_operations + s.helper_submissions == 1;
}

enum class other_work
{
    started_with_the_write,
    started_when_it_waits
};

std::ostream& operator<<(std::ostream& os, other_work when)
{
    return os << (when == other_work::started_with_the_write ? "started with the write"
                                                             : "started when it waits");
}

const other_work moments[] = {other_work::started_with_the_write,
                              other_work::started_when_it_waits};

void check_that_the_loop_goes_on(const disk& d, submission_mode mode, transfer_mode transfer,
                                 other_work when)
{
    constexpr std::size_t some = 20;
    const temporary_file elsewhere;
    work there;
    work here;
    asio::io_context context;
    kaio::service_options options;
    options.submission = mode;
    auto& service = kaio::make_aio_service(context, options);
    const auto flags = kaio::file_base::read_write | kaio::file_base::create | transfer;
    kaio::random_access_file file_there(context, d.mount->path() + "/file", flags);
    kaio::random_access_file file_here(context, elsewhere.path(), flags);
    there.prepare(file_there);
    here.prepare(file_here);

    frozen freeze(d.mount->path());
    there.start_write(0);
    if (when == other_work::started_when_it_waits)
    {
        context.poll();
        wait_until([&] { return begun(service.statistics()); });
    }
    for (std::size_t i = 0; i != some; ++i)
    {
        there.start_read(1 + i);
        here.start_read(i);
        here.start_write(some + i);
    }
    const ticks timer(context, 20);
    run_until(context, [&] {
        return there.read() == some && here.read() == some && here.written() == some &&
               timer.over();
    });
    BOOST_TEST(there.written() == 0U);

    BOOST_TEST(freeze.thaw());
    run_until(context, [&] { return there.written() == 1; });
}

} // namespace

BOOST_AUTO_TEST_SUITE(frozen_file_system)

BOOST_DATA_TEST_CASE(the_loop_goes_on,
                     data::make(file_systems) * data::make(modes) * data::make(transfers) *
                         data::make(moments),
                     fs, mode, transfer, when)
{
    const disk d(fs);
    if (!d.why_not.empty())
        return skip(d.why_not);
    if (transfer == transfer_mode::direct && !direct_io_available())
        return skip("no direct I/O in " + directory());
    check_that_the_loop_goes_on(d, mode, transfer, when);
}

BOOST_AUTO_TEST_SUITE_END()
