//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// One buffer or thousands, empty or huge.

#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read_at.hpp>
#include <boost/asio/write_at.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/interposed_io.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

namespace {

constexpr std::size_t piece = 4096;

// A number of buffers, the pieces of one memory.
template <typename Buffer>
std::vector<Buffer> pieces(aligned_memory& memory, std::size_t size)
{
    std::vector<Buffer> result;
    for (std::size_t i = 0; i != memory.size(); i += size)
        result.emplace_back(memory.data() + i, size);
    return result;
}

// A range of addresses behind which there is only a little memory, mapped again and again.
class huge_memory
{
public:
    static constexpr std::size_t real_size = 64 << 20;

    explicit huge_memory(std::size_t size)
      : size_(size),
        address_(static_cast<char*>(
            ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)))
    {
        const int memory = ::memfd_create("kaio-test", MFD_CLOEXEC);
        bool good = address_ != MAP_FAILED && ::ftruncate(memory, real_size) == 0;
        for (std::size_t i = 0; good && i != size; i += real_size)
        {
            good = ::mmap(address_ + i, real_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                          memory, 0) != MAP_FAILED;
        }
        ::close(memory);
        BOOST_REQUIRE(good);
    }

    ~huge_memory()
    {
        ::munmap(address_, size_);
    }

    asio::mutable_buffer buffer() const
    {
        return {address_, size_};
    }

private:
    std::size_t size_;
    char* address_;
};

constexpr std::size_t huge = std::size_t(3) << 30;

// The most that one call transfers, and so one operation: 2 GiB less a page.
const std::size_t most =
    static_cast<std::size_t>(INT_MAX) - static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + 1;

// A file of one hole, which costs no disk.
struct huge_file
{
    explicit huge_file(asio::io_context& context) : file(context)
    {
        file.open(source.path(), kaio::file_base::read_write);
        file.resize(size);
    }

    static constexpr std::size_t size = (std::size_t(2) << 30) + (1 << 20);
    temporary_file source;
    kaio::random_access_file file;
};

// 4 GiB of the same 4 MiB.
class repeated_memory
{
public:
    std::vector<asio::mutable_buffer> buffers()
    {
        return std::vector<asio::mutable_buffer>(IOV_MAX, asio::buffer(memory_));
    }

private:
    std::vector<char> memory_ = std::vector<char>(4 << 20);
};

} // namespace

BOOST_AUTO_TEST_SUITE(transfer_sizes)

BOOST_DATA_TEST_CASE(any_number_of_buffers,
                     data::make(transfer_modes()) * data::make({1, 2, 16, 17, 64, 65, 100, 1024}),
                     mode, number)
{
    const std::size_t size = static_cast<std::size_t>(number) * piece;
    const std::string contents = pattern(0, size);
    asio::io_context context;
    temporary_file target;
    kaio::random_access_file file(context, target.path(), kaio::file_base::read_write | mode);
    aligned_memory memory(size);
    std::memcpy(memory.data(), contents.data(), size);

    // Twice, the second time at another offset.
    for (const std::size_t offset : {std::size_t(0), 3 * piece})
    {
        outcome written;
        file.async_write_some_at(offset, pieces<asio::const_buffer>(memory, piece),
                                 record_in(written));
        run_again(context);
        BOOST_TEST(written.succeeded(size), written);
        const bool as_written = target.contents().substr(offset) == contents;
        BOOST_TEST(as_written);

        aligned_memory back(size);
        outcome read;
        file.async_read_some_at(offset, pieces<asio::mutable_buffer>(back, piece), record_in(read));
        run_again(context);
        BOOST_TEST(read.succeeded(size), read);
        const bool as_read = back.text() == contents;
        BOOST_TEST(as_read);

        // The synchronous ways.
        std::memset(back.data(), 0, size);
        BOOST_TEST(file.write_some_at(offset, pieces<asio::const_buffer>(memory, piece)) == size);
        BOOST_TEST(file.read_some_at(offset, pieces<asio::mutable_buffer>(back, piece)) == size);
        const bool as_read_synchronously = back.text() == contents;
        BOOST_TEST(as_read_synchronously);
    }
}

// The kernel takes 1024 at once: a short transfer, which a composed operation completes.
BOOST_DATA_TEST_CASE(more_buffers_than_the_kernel_takes, data::make({1025, 3000}), number)
{
    const std::size_t size = static_cast<std::size_t>(number);
    const std::string contents = pattern(0, size);
    asio::io_context context;
    temporary_file target;
    kaio::random_access_file file(context, target.path(), kaio::file_base::read_write);
    aligned_memory memory(size);
    std::memcpy(memory.data(), contents.data(), size);

    outcome some;
    file.async_write_some_at(0, pieces<asio::const_buffer>(memory, 1), record_in(some));
    run(context);
    BOOST_TEST(some.succeeded(IOV_MAX), some);
    BOOST_TEST(file.size() == IOV_MAX);
    BOOST_TEST(file.write_some_at(0, pieces<asio::const_buffer>(memory, 1)) == IOV_MAX);

    outcome all;
    asio::async_write_at(file, 0, pieces<asio::const_buffer>(memory, 1), record_in(all));
    run_again(context);
    BOOST_TEST(all.succeeded(size), all);
    const bool as_written = target.contents() == contents;
    BOOST_TEST(as_written);

    aligned_memory back(size);
    outcome read;
    asio::async_read_at(file, 0, pieces<asio::mutable_buffer>(back, 1), record_in(read));
    run_again(context);
    BOOST_TEST(read.succeeded(size), read);
    const bool as_read = back.text() == contents;
    BOOST_TEST(as_read);
}

BOOST_AUTO_TEST_CASE(empty_buffers_among_others)
{
    asio::io_context context;
    temporary_file target;
    kaio::random_access_file file(context, target.path(), kaio::file_base::read_write);
    const std::string text = "text";
    std::vector<asio::const_buffer> buffers(3000);
    for (std::size_t i = 0; i != text.size(); ++i)
        buffers[i * 700 + 500] = asio::buffer(&text[i], 1);
    outcome written;
    file.async_write_some_at(0, buffers, record_in(written));
    run(context);
    BOOST_TEST(written.succeeded(text.size()), written);
    BOOST_TEST(target.contents() == text);
}

// The array of buffers may be gone as soon as the operation has been started.
BOOST_AUTO_TEST_CASE(the_buffer_sequence_is_copied)
{
    constexpr std::size_t count = 40;
    asio::io_context context;
    kaio::service_options options;
    options.max_in_flight = 2;
    kaio::make_aio_service(context, options);
    temporary_file source(count * piece);
    kaio::random_access_file file(context, source.path(), kaio::file_base::read_only);
    aligned_memory memory(count * piece);
    std::vector<outcome> results(count);
    for (std::size_t i = 0; i != count; ++i)
    {
        std::vector<asio::mutable_buffer> halves{{memory.data() + i * piece, 1000},
                                                 {memory.data() + i * piece + 1000, piece - 1000}};
        file.async_read_some_at(i * piece, halves, record_in(results[i]));
        std::fill(halves.begin(), halves.end(), asio::mutable_buffer());
    }
    run(context);
    for (const outcome& o : results)
        BOOST_TEST(o.succeeded(piece), o);
    const bool as_read = memory.text() == pattern(0, count * piece);
    BOOST_TEST(as_read);
}

BOOST_AUTO_TEST_CASE(eight_large_writes_at_once)
{
    constexpr std::size_t size = 1 << 20;
    asio::io_context context;
    temporary_file target;
    kaio::random_access_file file(context, target.path(), kaio::file_base::read_write);
    const std::string contents = pattern(0, 8 * size);
    std::vector<outcome> results(8);
    for (std::size_t i = 0; i != 8; ++i)
    {
        file.async_write_some_at(i * size, asio::buffer(&contents[i * size], size),
                                 record_in(results[i]));
    }
    run(context);
    for (const outcome& o : results)
        BOOST_TEST(o.succeeded(size), o);
    const bool as_written = target.contents() == contents;
    BOOST_TEST(as_written);
}

BOOST_AUTO_TEST_CASE(a_huge_read_is_cut_short)
{
    asio::io_context context;
    temporary_file source;
    kaio::random_access_file file(context);
    // A hole, which costs neither disk nor, read directly, page cache.
    file.open(source.path(), direct_io_available()
                                 ? kaio::file_base::read_write | kaio::file_base::direct
                                 : kaio::file_base::read_write);
    file.resize(huge);
    const huge_memory memory(huge);

    outcome some;
    file.async_read_some_at(0, memory.buffer(), record_in(some));
    run(context);
    BOOST_TEST(some.succeeded(most), some);

    outcome all;
    asio::async_read_at(file, 0, memory.buffer(), record_in(all));
    run_again(context);
    BOOST_TEST(all.succeeded(huge), all);

    // The same size in several buffers.
    outcome of_many;
    file.async_read_some_at(0, std::vector<asio::mutable_buffer>(4, memory.buffer()),
                            record_in(of_many));
    run_again(context);
    BOOST_TEST(of_many.succeeded(most), of_many);
    BOOST_TEST(asio::use_service<kaio::aio_service>(context).statistics().bytes_read ==
               some.bytes + all.bytes + of_many.bytes);
}

// All that it asks for is in the page cache. If that is too small, parts of it come from the disk.
BOOST_AUTO_TEST_CASE(a_huge_read_of_what_is_cached)
{
    asio::io_context context;
    huge_file f(context);
    repeated_memory memory;
    BOOST_TEST(f.file.read_some_at(0, memory.buffers()) == most);
    BOOST_TEST(f.file.read_some_at(most, memory.buffers()) == f.size - most);

    outcome result;
    f.file.async_read_some_at(0, memory.buffers(), record_in(result));
    run(context);
    BOOST_TEST(result.succeeded(most), result);
}

// A helper that goes on transfers no more in all than one call would. Nothing is written here.
BOOST_DATA_TEST_CASE(a_huge_write_in_two_parts,
                     data::make({std::size_t(1), std::size_t(100) << 20, most - 1}), first_part)
{
    const interposed_call hook([&](long, int, const ::iovec*, long, ::off_t, int) {
        return static_cast<long>(first_part);
    });
    std::size_t second_part = 0;
    const interposed_write write_hook(
        [&](int, const ::iovec* buffers, int n, ::off_t offset, int) -> ::ssize_t {
            BOOST_TEST(static_cast<std::size_t>(offset) == first_part);
            second_part = std::accumulate(
                buffers, buffers + n, std::size_t(0),
                [](std::size_t sum, const ::iovec& buffer) { return sum + buffer.iov_len; });
            second_part = std::min(second_part, most);
            return static_cast<::ssize_t>(second_part);
        });
    asio::io_context context;
    auto& service = kaio::make_aio_service(context, {});
    if (!service.statistics().kernel_aio)
        return skip("needs AIO");
    huge_file f(context);
    repeated_memory memory;
    outcome result;
    f.file.async_write_some_at(0, memory.buffers(), record_in(result));
    run(context);
    BOOST_TEST(result.succeeded(most), result);
    BOOST_TEST(second_part == most - first_part);
}

BOOST_AUTO_TEST_CASE(a_huge_write_is_cut_short)
{
    asio::io_context context;
    kaio::random_access_file file(context, "/dev/null", kaio::file_base::write_only);
    const huge_memory memory(huge);
    outcome some;
    file.async_write_some_at(0, memory.buffer(), record_in(some));
    run(context);
    BOOST_TEST(some.succeeded(most), some);
    BOOST_TEST(file.write_some_at(0, memory.buffer()) == most);

    outcome all;
    asio::async_write_at(file, 0, memory.buffer(), record_in(all));
    run_again(context);
    BOOST_TEST(all.succeeded(huge), all);
}

BOOST_AUTO_TEST_SUITE_END()
