//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Appending writes land one after the other, in the order in which they were started.

#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/interposed_io.hpp"
#include "support/outcome.hpp"
#include "support/refusing_kernel.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

namespace {

bool is_on_xfs(const std::string& path)
{
    struct statfs status
    {
    };
    return ::statfs(path.c_str(), &status) == 0 && status.f_type == XFS_SUPER_MAGIC;
}

constexpr std::size_t count = 32;

enum class way
{
    open_flag,
    option
};

std::ostream& operator<<(std::ostream& os, way w)
{
    return os << (w == way::open_flag ? "file_base::append" : "io_options::append");
}

const way ways[] = {way::open_flag, way::option};

struct append_fixture
{
    explicit append_fixture(way w, transfer_mode mode = transfer_mode::buffered,
                            std::size_t max_in_flight = 256)
      : how(w), flags(kaio::file_base::read_write | mode)
    {
        kaio::service_options options;
        options.max_in_flight = max_in_flight;
        kaio::make_aio_service(context, options);
        if (how == way::open_flag)
            flags |= kaio::file_base::append;
        file = std::make_unique<kaio::random_access_file>(context, target.path(), flags);
    }

    // Append a block of a letter, in a number of buffers. The offset doesn't matter.
    outcome& append(kaio::random_access_file& to, char letter, std::size_t buffers = 1)
    {
        blocks.emplace_back(block_size);
        std::memset(blocks.back().data(), letter, block_size);
        results.emplace_back();
        kaio::io_options options;
        options.append = how == way::option;
        std::vector<asio::const_buffer> parts;
        for (std::size_t i = 0; i != buffers; ++i)
            parts.emplace_back(blocks.back().data() + i * block_size / buffers,
                               block_size / buffers);
        to.async_write_some_at(blocks.size() % 3 * block_size, parts, options,
                               record_in(results.back()));
        return results.back();
    }

    outcome& append(char letter)
    {
        return append(*file, letter);
    }

    // The letters of the blocks.
    std::string letters() const
    {
        const std::string contents = target.contents();
        BOOST_REQUIRE(contents.size() % block_size == 0);
        std::string result;
        for (std::size_t i = 0; i != contents.size(); i += block_size)
        {
            const bool whole =
                contents.compare(i, block_size, std::string(block_size, contents[i])) == 0;
            result += whole ? contents[i] : '?';
        }
        return result;
    }

    void check_all() const
    {
        for (const outcome& o : results)
            BOOST_TEST(o.succeeded(block_size), o);
    }

    way how;
    kaio::file_base::flags flags;
    temporary_file target;
    std::deque<aligned_memory> blocks;
    std::deque<outcome> results;
    asio::io_context context;
    std::unique_ptr<kaio::random_access_file> file;
};

char letter(std::size_t i)
{
    return static_cast<char>('A' + i);
}

std::string letters_up_to(std::size_t n)
{
    std::string result;
    for (std::size_t i = 0; i != n; ++i)
        result += letter(i);
    return result;
}

// Two of a file are never under way at the same time, wherever they are carried out.
class overlap_detector
{
public:
    overlap_detector()
      : submit_([this](::aio_context_t kernel, long n, ::iocb** blocks) {
            std::set<unsigned> descriptors;
            for (long i = 0; i != n; ++i)
                overlaps_ += !descriptors.insert(blocks[i]->aio_fildes).second;
            return kernel_submit(kernel, n, blocks);
        }),
        write_([this](int descriptor, const ::iovec* buffers, int n, ::off_t offset, int flags) {
            {
                const std::lock_guard<std::mutex> lock(mutex_);
                overlaps_ += !writing_.insert(descriptor).second;
            }
            const ::ssize_t result = kernel_write(descriptor, buffers, n, offset, flags);
            const std::lock_guard<std::mutex> lock(mutex_);
            writing_.erase(descriptor);
            return result;
        })
    {
    }

    int overlaps() const
    {
        return overlaps_;
    }

private:
    std::atomic<int> overlaps_{0};
    std::mutex mutex_;
    std::set<int> writing_;
    interposed_submit submit_;
    interposed_write write_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(append)

BOOST_DATA_TEST_CASE(thirty_two_at_once_keep_their_order,
                     data::make(ways) * data::make(transfer_modes()), how, mode)
{
    const std::size_t rounds = scaled(50, 5);
    append_fixture f(how, mode);
    std::string expected;
    for (std::size_t round = 0; round != rounds; ++round)
    {
        for (std::size_t i = 0; i != count; ++i)
            f.append(letter(i));
        run_again(f.context);
        expected += letters_up_to(count);
    }
    f.check_all();
    BOOST_TEST(f.letters() == expected);
}

BOOST_DATA_TEST_CASE(they_keep_their_order_among_reads,
                     data::make(ways) * data::make(transfer_modes()) * data::make({1, 2, 256}), how,
                     mode, max_in_flight)
{
    append_fixture f(how, mode, static_cast<std::size_t>(max_in_flight));
    f.append('A');
    run(f.context);

    std::deque<aligned_memory> memory;
    std::deque<outcome> reads;
    for (std::size_t i = 1; i != count; ++i)
    {
        f.append(letter(i));
        for (int r = 0; r != 3; ++r)
        {
            memory.emplace_back(block_size);
            reads.emplace_back();
            f.file->async_read_some_at(0, asio::buffer(memory.back().data(), block_size),
                                       record_in(reads.back()));
        }
    }
    run_again(f.context);
    f.check_all();
    BOOST_TEST(f.letters() == letters_up_to(count));
    for (std::size_t i = 0; i != reads.size(); ++i)
    {
        BOOST_TEST(reads[i].succeeded(block_size), reads[i]);
        BOOST_TEST(memory[i].text() == std::string(block_size, 'A'));
    }
}

BOOST_AUTO_TEST_CASE(among_writes_at_offsets)
{
    append_fixture f(way::option);
    f.append('-');
    run(f.context);
    const std::string block(block_size, '*');
    std::vector<outcome> overwrites(count);
    for (std::size_t i = 0; i != count; ++i)
    {
        f.append(letter(i));
        f.file->async_write_some_at(0, asio::buffer(block), record_in(overwrites[i]));
    }
    run_again(f.context);
    f.check_all();
    for (const outcome& o : overwrites)
        BOOST_TEST(o.succeeded(block_size), o);
    BOOST_TEST(f.letters() == "*" + letters_up_to(count));
}

BOOST_DATA_TEST_CASE(started_in_handlers, data::make(ways), how)
{
    append_fixture f(how);
    std::size_t next = 0;
    std::function<void()> step = [&] {
        if (next == count)
            return;
        f.append(letter(next++));
        asio::post(f.context, step);
    };
    step();
    run(f.context);
    f.check_all();
    BOOST_TEST(f.letters() == letters_up_to(count));
}

BOOST_DATA_TEST_CASE(each_file_has_one_under_way_at_a_time,
                     data::make(ways) * data::make(transfer_modes()), how, mode)
{
    append_fixture f(how, mode);
    append_fixture other_target(how, mode);
    kaio::random_access_file other(f.context, other_target.target.path(), f.flags);
    const overlap_detector detector;
    for (std::size_t i = 0; i != count; ++i)
    {
        f.append(letter(i));
        f.append(other, letter(i));
    }
    run(f.context);
    f.check_all();
    BOOST_TEST(detector.overlaps() == 0);
    BOOST_TEST(f.letters() == letters_up_to(count));
    BOOST_TEST(other_target.letters() == letters_up_to(count));
}

// An append that may not wait can be cut short. No other append may get in before the rest.
BOOST_DATA_TEST_CASE(through_two_descriptors,
                     data::make(ways) * data::make(transfer_modes()) * data::make({1, 2}), how,
                     mode, buffers)
{
    append_fixture f(how, mode);
    // Also by write(2), of two threads: 35 of 64 blocks were in the file. Seen on Linux 6.18.
    if (mode == transfer_mode::direct && is_on_xfs(f.target.path()))
        return skip("XFS lets direct appends through two descriptors overwrite each other");
    kaio::random_access_file other(f.context, f.target.path(), f.flags);
    const refusing_kernel kernel(refusal::half);
    for (std::size_t i = 0; i != count; ++i)
    {
        f.append(*f.file, letter(i), static_cast<std::size_t>(buffers));
        f.append(other, '*', static_cast<std::size_t>(buffers));
    }
    run(f.context);
    f.check_all();
    std::string letters = f.letters();
    BOOST_TEST(letters.size() == 2 * count);
    letters.erase(std::remove(letters.begin(), letters.end(), '*'), letters.end());
    BOOST_TEST(letters == letters_up_to(count));
}

BOOST_DATA_TEST_CASE(when_the_kernel_refuses_some, data::make(ways) * data::make(transfer_modes()),
                     how, mode)
{
    append_fixture f(how, mode);
    std::atomic<int> calls{0};
    const interposed_submit hook([&](::aio_context_t kernel, long n, ::iocb** blocks) {
        const int call = ++calls;
        return call % 5 == 0 ? -EAGAIN : call % 3 == 0 ? -EFAULT : kernel_submit(kernel, n, blocks);
    });
    const interposed_write write_hook(
        [&](int descriptor, const ::iovec* buffers, int n, ::off_t offset, int flags) {
            if (++calls % 3 != 0)
                return kernel_write(descriptor, buffers, n, offset, flags);
            errno = EFAULT;
            return ::ssize_t(-1);
        });
    for (std::size_t i = 0; i != count; ++i)
        f.append(letter(i));
    run(f.context);

    std::string expected;
    for (std::size_t i = 0; i != count; ++i)
    {
        const outcome& o = f.results[i];
        const bool refused = o.failed({EFAULT, boost::system::system_category()});
        BOOST_TEST((refused || o.succeeded(block_size)), o);
        if (!refused)
            expected += letter(i);
    }
    BOOST_TEST(expected.size() < count);
    BOOST_TEST(f.letters() == expected);
}

BOOST_DATA_TEST_CASE(when_some_are_cancelled, data::make(ways), how)
{
    append_fixture f(how);
    std::promise<void> some_cancelled;
    std::atomic<int> writes{0};
    // The first few are done, and one is under way.
    const interposed_write hook(
        [&](int descriptor, const ::iovec* buffers, int n, ::off_t offset, int flags) {
            if (++writes == 5)
                some_cancelled.get_future().wait_for(time_bound);
            return kernel_write(descriptor, buffers, n, offset, flags);
        });
    for (std::size_t i = 0; i != count; ++i)
        f.append(letter(i));
    run_until(f.context, [&] { return f.results[3].calls != 0; });
    f.file->cancel();
    some_cancelled.set_value();
    f.append('z');
    run_again(f.context);

    std::string expected;
    for (std::size_t i = 0; i != f.results.size(); ++i)
    {
        const outcome& o = f.results[i];
        BOOST_TEST((o.aborted() || o.succeeded(block_size)), o);
        if (!o.aborted())
            expected += f.blocks[i].data()[0];
    }
    BOOST_TEST(expected.back() == 'z');
    BOOST_TEST(expected == "ABCDEz");
    BOOST_TEST(f.letters() == expected);
}

BOOST_AUTO_TEST_SUITE_END()
