//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Transfers of nothing, at the end of a file, across it and beyond it; and limits of its size.

#include <signal.h>
#include <sys/resource.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/system_error.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

namespace {

struct result_of
{
    boost::system::error_code ec;
    std::size_t bytes = 0;

    bool operator==(const result_of& other) const
    {
        return ec == other.ec && bytes == other.bytes;
    }

    friend std::ostream& operator<<(std::ostream& os, const result_of& r)
    {
        return os << r.bytes << " bytes, " << r.ec.message();
    }
};

result_of success(std::size_t bytes)
{
    return {{}, bytes};
}

result_of failure(const boost::system::error_code& ec)
{
    return {ec, 0};
}

struct end_fixture
{
    explicit end_fixture(transfer_mode mode = transfer_mode::buffered)
      : file(context, target.path(), kaio::file_base::read_write | mode), memory(16 * block_size)
    {
        std::memset(memory.data(), 'x', memory.size());
    }

    asio::mutable_buffer buffer(std::size_t size)
    {
        return asio::buffer(memory.data(), size);
    }

    // Both ways, which have to agree.
    result_of read(std::uint64_t offset, std::size_t size)
    {
        result_of result;
        file.async_read_some_at(offset, buffer(size),
                                [&](boost::system::error_code ec, std::size_t bytes) {
                                    result = {ec, bytes};
                                });
        run_again(context);
        result_of synchronous;
        synchronous.bytes = file.read_some_at(offset, buffer(size), synchronous.ec);
        BOOST_TEST(result == synchronous);
        return result;
    }

    // Only the asynchronous way, as a write changes what the next one finds.
    result_of write(std::uint64_t offset, std::size_t size)
    {
        result_of result;
        file.async_write_some_at(offset, buffer(size),
                                 [&](boost::system::error_code ec, std::size_t bytes) {
                                     result = {ec, bytes};
                                 });
        run_again(context);
        return result;
    }

    asio::io_context context;
    temporary_file target;
    kaio::random_access_file file;
    aligned_memory memory;
};

// The largest size that a process may give to a file.
class size_limit
{
public:
    explicit size_limit(std::size_t size) : handler_(::signal(SIGXFSZ, SIG_IGN))
    {
        ::getrlimit(RLIMIT_FSIZE, &saved_);
        ::rlimit limit = saved_;
        limit.rlim_cur = size;
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }

    ~size_limit()
    {
        ::setrlimit(RLIMIT_FSIZE, &saved_);
        ::signal(SIGXFSZ, handler_);
    }

private:
    ::rlimit saved_;
    void (*handler_)(int);
};

} // namespace

BOOST_AUTO_TEST_SUITE(ends_of_file)

BOOST_DATA_TEST_CASE(empty_transfers_succeed_at_any_offset, data::make(transfer_modes()), mode)
{
    end_fixture f(mode);
    f.file.resize(block_size);
    const std::uint64_t largest = static_cast<std::uint64_t>(INT64_MAX);
    for (const std::uint64_t offset :
         {std::uint64_t(0), std::uint64_t(block_size), std::uint64_t(10 * block_size), largest})
    {
        BOOST_TEST(f.read(offset, 0) == success(0));
        BOOST_TEST(f.write(offset, 0) == success(0));

        // Nor are there buffers at all, or only empty ones.
        for (const std::size_t count : {0u, 1u, 3u})
        {
            const std::vector<asio::mutable_buffer> buffers(count, f.buffer(0));
            outcome of_read;
            outcome of_write;
            f.file.async_read_some_at(offset, buffers, record_in(of_read));
            f.file.async_write_some_at(offset, buffers, record_in(of_write));
            run_again(f.context);
            BOOST_TEST(of_read.succeeded(0), of_read);
            BOOST_TEST(of_write.succeeded(0), of_write);
        }
    }
    BOOST_TEST(f.file.size() == block_size);
}

BOOST_DATA_TEST_CASE(reads_at_the_end, data::make(transfer_modes()), mode)
{
    end_fixture f(mode);
    BOOST_TEST(f.read(0, block_size) == failure(asio::error::eof));
    f.file.resize(300);
    BOOST_TEST(f.read(0, block_size) == success(300));
    f.file.resize(2 * block_size);
    BOOST_TEST(f.read(0, 4 * block_size) == success(2 * block_size));
    BOOST_TEST(f.read(block_size, 2 * block_size) == success(block_size));
    BOOST_TEST(f.read(2 * block_size, block_size) == failure(asio::error::eof));
    BOOST_TEST(f.read(1000 * block_size, block_size) == failure(asio::error::eof));
    BOOST_TEST(f.read(std::uint64_t(1) << 62, block_size) == failure(asio::error::eof));
    f.file.resize(2 * block_size + 1);
    BOOST_TEST(f.read(2 * block_size, block_size) == success(1));
}

BOOST_AUTO_TEST_CASE(a_read_is_cut_short_by_the_end)
{
    end_fixture f;
    const std::string text = "eighteen letters..";
    outcome written;
    f.file.async_write_some_at(0, asio::buffer(text), record_in(written));
    run(f.context);
    BOOST_TEST(written.succeeded(18), written);
    BOOST_TEST(f.read(0, 128) == success(18));
    BOOST_TEST(std::string(f.memory.data(), 18) == text);
    BOOST_TEST(f.read(17, 128) == success(1));
    BOOST_TEST(f.read(18, 128) == failure(asio::error::eof));
}

BOOST_AUTO_TEST_CASE(offsets_that_do_not_fit)
{
    end_fixture f;
    const auto largest = static_cast<std::uint64_t>(INT64_MAX);
    for (const std::uint64_t offset : {largest + 1, largest + 2, UINT64_MAX - 1, UINT64_MAX})
    {
        BOOST_TEST(f.read(offset, 100) == failure(asio::error::invalid_argument));
        BOOST_TEST(f.write(offset, 100) == failure(asio::error::invalid_argument));
    }
    // The offset fits, its sum with the size doesn't.
    BOOST_TEST(f.read(largest, 100) == failure(asio::error::invalid_argument));
    BOOST_TEST(f.write(largest - 50, 100) == failure(asio::error::invalid_argument));
    BOOST_TEST(f.file.size() == 0);
}

BOOST_DATA_TEST_CASE(a_write_beyond_the_end, data::make(transfer_modes()), mode)
{
    end_fixture f(mode);
    BOOST_TEST(f.write(10 * block_size, block_size) == success(block_size));
    BOOST_TEST(f.file.size() == 11 * block_size);
    BOOST_TEST(f.read(0, 11 * block_size) == success(11 * block_size));
    const bool as_expected = f.memory.text().substr(0, 11 * block_size) ==
                             std::string(10 * block_size, '\0') + std::string(block_size, 'x');
    BOOST_TEST(as_expected);
}

BOOST_DATA_TEST_CASE(each_handler_sees_the_size_that_its_write_made, data::make(transfer_modes()),
                     mode)
{
    const std::size_t count = scaled(4000, 200);
    end_fixture f(mode);
    std::size_t too_small = 0;
    std::size_t completed = 0;
    for (std::size_t i = 0; i != count; ++i)
    {
        const std::uint64_t offset = i * block_size;
        f.file.async_write_some_at(
            offset, f.buffer(block_size),
            [&, &file = f.file, offset](boost::system::error_code ec, std::size_t bytes) {
                ++completed;
                too_small += ec || file.size() < offset + bytes;
            });
    }
    run(f.context);
    BOOST_TEST(completed == count);
    BOOST_TEST(too_small == 0);
    BOOST_TEST(f.file.size() == count * block_size);
}

BOOST_AUTO_TEST_CASE(sizes_that_are_too_large)
{
    end_fixture f;
    f.write(0, 100);
    for (const std::uint64_t size : {UINT64_MAX, static_cast<std::uint64_t>(INT64_MAX) + 1})
    {
        boost::system::error_code ec;
        f.file.resize(size, ec);
        BOOST_TEST((ec == system_error(EFBIG) || ec == system_error(EINVAL)), ec.message());
        BOOST_CHECK_THROW(f.file.resize(size), boost::system::system_error);
        BOOST_TEST(f.file.size() == 100);
    }
}

BOOST_DATA_TEST_CASE(a_limit_of_the_size_cuts_writes_short, data::make(transfer_modes()), mode)
{
    end_fixture f(mode);
    const size_limit limit(8 * block_size);
    BOOST_TEST(f.write(6 * block_size, 4 * block_size) == success(2 * block_size));
    BOOST_TEST(f.write(8 * block_size, block_size) == failure(system_error(EFBIG)));
    BOOST_TEST(f.write(100 * block_size, block_size) == failure(system_error(EFBIG)));
    BOOST_TEST(f.write(8 * block_size, 0) == success(0));
    BOOST_TEST(f.read(8 * block_size, block_size) == failure(asio::error::eof));
    BOOST_TEST(f.file.size() == 8 * block_size);

    boost::system::error_code ec;
    f.file.resize(9 * block_size, ec);
    BOOST_TEST(ec == system_error(EFBIG));

    // The others of a batch are not harmed.
    outcome within;
    outcome across;
    outcome beyond;
    f.file.async_write_some_at(8 * block_size, f.buffer(block_size), record_in(beyond));
    f.file.async_write_some_at(7 * block_size, f.buffer(2 * block_size), record_in(across));
    f.file.async_write_some_at(0, f.buffer(block_size), record_in(within));
    run_again(f.context);
    BOOST_TEST(beyond.failed(system_error(EFBIG)), beyond);
    BOOST_TEST(across.succeeded(block_size), across);
    BOOST_TEST(within.succeeded(block_size), within);
}

BOOST_AUTO_TEST_SUITE_END()
