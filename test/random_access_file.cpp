//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read_at.hpp>
#include <boost/asio/write_at.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <kaio/aio_service.hpp>
#include <kaio/random_access_file.hpp>
#include <string>
#include <vector>

#include "support/needs_aio.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using boost::system::system_error;
using namespace kaio::test;
using kaio::file_base;
using kaio::random_access_file;

// A handler that brings its buffers along, as composed operations do.
struct buffer_owner
{
    static void read_into(random_access_file& file, std::vector<asio::mutable_buffer> buffers,
                          outcome& result)
    {
        buffer_owner self{std::move(buffers), &result};
        file.async_read_some_at(0, self.buffers, std::move(self));
    }

    void operator()(error_code ec, std::size_t bytes)
    {
        record_in{*result}(ec, bytes);
    }

    std::vector<asio::mutable_buffer> buffers;
    outcome* result;
};

struct fixture : context_fixture
{
    // One read, by the call that waits and by the one that doesn't: they agree.
    template <typename Buffers>
    error_code read(random_access_file& file, std::uint64_t offset, const Buffers& buffers,
                    std::size_t& bytes)
    {
        error_code ec = asio::error::fault;
        bytes = file.read_some_at(offset, buffers, ec);
        check_throwing_twin(ec, bytes, [&] { return file.read_some_at(offset, buffers); });
        outcome result;
        initiate([&] { file.async_read_some_at(offset, buffers, record_in(result)); });
        run_again(context);
        check_same(result, ec, bytes);
        return ec;
    }

    template <typename Buffers>
    error_code write(random_access_file& file, std::uint64_t offset, const Buffers& buffers,
                     std::size_t& bytes)
    {
        error_code ec = asio::error::fault;
        bytes = file.write_some_at(offset, buffers, ec);
        check_throwing_twin(ec, bytes, [&] { return file.write_some_at(offset, buffers); });
        outcome result;
        initiate([&] { file.async_write_some_at(offset, buffers, record_in(result)); });
        run_again(context);
        check_same(result, ec, bytes);
        return ec;
    }

    template <typename Function>
    static void check_throwing_twin(const error_code& ec, std::size_t bytes, Function function)
    {
        try
        {
            const std::size_t result = function();
            BOOST_TEST(!ec);
            BOOST_TEST(result == bytes);
        }
        catch (const system_error& e)
        {
            BOOST_TEST(e.code() == ec);
            BOOST_TEST(std::string(e.what()).find("_some_at") != std::string::npos, e.what());
        }
    }

    static void check_same(const outcome& result, const error_code& ec, std::size_t bytes)
    {
        BOOST_TEST(result.calls == 1);
        BOOST_TEST(!result.inline_call);
        BOOST_TEST(result.ec == ec);
        BOOST_TEST(result.bytes == bytes);
    }

    // The same, for what must fail.
    error_code read_error(random_access_file& file, std::uint64_t offset,
                          const asio::mutable_buffer& buffer)
    {
        std::size_t bytes = 1;
        const error_code ec = read(file, offset, buffer, bytes);
        BOOST_TEST(bytes == 0u);
        return ec;
    }

    error_code write_error(random_access_file& file, std::uint64_t offset,
                           const asio::const_buffer& buffer)
    {
        std::size_t bytes = 1;
        const error_code ec = write(file, offset, buffer, bytes);
        BOOST_TEST(bytes == 0u);
        return ec;
    }
};

const error_code eof = asio::error::eof;
constexpr auto invalid_argument = boost::system::errc::invalid_argument;
constexpr auto bad_descriptor = boost::system::errc::bad_file_descriptor;

BOOST_FIXTURE_TEST_SUITE(random_access_file_header, fixture)

BOOST_AUTO_TEST_CASE(reads_and_writes_go_where_they_should)
{
    temporary_file f(10000);
    random_access_file file(context, f.path(), file_base::read_write);
    std::size_t bytes = 0;
    std::string text(500, '\0');
    BOOST_TEST(!read(file, 1234, asio::buffer(text), bytes));
    BOOST_TEST(bytes == 500u);
    BOOST_CHECK(text == pattern(1234, 500));

    BOOST_TEST(!write(file, 4000, asio::buffer("here it is", 10), bytes));
    BOOST_TEST(bytes == 10u);
    BOOST_CHECK(f.contents() == pattern(0, 4000) + "here it is" + pattern(4010, 5990));
}

BOOST_AUTO_TEST_CASE(the_end_of_the_file)
{
    temporary_file f(1000), empty;
    random_access_file file(context, f.path(), file_base::read_only);
    std::string text(200, '\0');
    BOOST_TEST(read_error(file, 1000, asio::buffer(text)) == eof);
    BOOST_TEST(read_error(file, std::uint64_t(1) << 40, asio::buffer(text)) == eof);

    std::size_t bytes = 0;
    BOOST_TEST(!read(file, 960, asio::buffer(text), bytes));
    BOOST_TEST(bytes == 40u);
    BOOST_CHECK(text.substr(0, 40) == pattern(960, 40));

    random_access_file nothing(context, empty.path(), file_base::read_only);
    BOOST_TEST(read_error(nothing, 0, asio::buffer(text)) == eof);
}

BOOST_AUTO_TEST_CASE(a_write_beyond_the_end_leaves_zeros_between)
{
    temporary_file f(100);
    random_access_file file(context, f.path(), file_base::write_only);
    std::size_t bytes = 0;
    BOOST_TEST(!write(file, 5000, asio::buffer("x", 1), bytes));
    BOOST_CHECK(f.contents() == pattern(0, 100) + std::string(4900, '\0') + "x");
}

BOOST_AUTO_TEST_CASE(empty_buffers_succeed)
{
    temporary_file f(100);
    random_access_file file(context, f.path(), file_base::read_write);
    const std::vector<asio::mutable_buffer> none;
    const std::array<asio::mutable_buffer, 2> two_empty{};
    for (const std::uint64_t offset : {0u, 100u, 5000u})
    {
        std::size_t bytes = 1;
        BOOST_TEST(!read(file, offset, none, bytes));
        BOOST_TEST(bytes == 0u);
        BOOST_TEST(!read(file, offset, two_empty, bytes));
        BOOST_TEST(!read(file, offset, asio::mutable_buffer(), bytes));
        BOOST_TEST(!write(file, offset, none, bytes));
        BOOST_TEST(!write(file, offset, two_empty, bytes));
        BOOST_TEST(bytes == 0u);
    }
    BOOST_CHECK(f.contents() == pattern(0, 100));
}

BOOST_AUTO_TEST_CASE(a_closed_file_fails_everything)
{
    random_access_file file(context);
    std::string text(10, '\0');
    BOOST_TEST(read_error(file, 0, asio::buffer(text)) == bad_descriptor);
    BOOST_TEST(write_error(file, 0, asio::buffer(text)) == bad_descriptor);
    BOOST_TEST(read_error(file, 0, asio::mutable_buffer()) == bad_descriptor);
    BOOST_TEST(write_error(file, 0, asio::const_buffer()) == bad_descriptor);
}

BOOST_AUTO_TEST_CASE(the_access_mode_is_kept)
{
    temporary_file f(100);
    std::string text(10, '\0');
    random_access_file reader(context, f.path(), file_base::read_only);
    BOOST_TEST(write_error(reader, 0, asio::buffer(text)) == bad_descriptor);
    random_access_file writer(context, f.path(), file_base::write_only);
    BOOST_TEST(read_error(writer, 0, asio::buffer(text)) == bad_descriptor);
    BOOST_CHECK(f.contents() == pattern(0, 100));
}

BOOST_AUTO_TEST_CASE(offsets_that_the_kernel_cannot_express)
{
    temporary_file f(100);
    random_access_file file(context, f.path(), file_base::read_write);
    std::string text(10, '\0');
    // The last would mean the file position.
    for (const std::uint64_t offset : {std::uint64_t(1) << 63, ~std::uint64_t(0)})
    {
        BOOST_TEST(read_error(file, offset, asio::buffer(text)) == invalid_argument);
        BOOST_TEST(write_error(file, offset, asio::buffer(text)) == invalid_argument);
    }
    BOOST_CHECK(f.contents() == pattern(0, 100));
}

BOOST_AUTO_TEST_CASE(directories_open_but_do_not_read)
{
    random_access_file file(context, directory(), file_base::read_only);
    std::string text(10, '\0');
    BOOST_TEST(read_error(file, 0, asio::buffer(text)) == boost::system::errc::is_a_directory);
}

BOOST_AUTO_TEST_CASE(memory_that_is_not_there)
{
    temporary_file f(8192);
    random_access_file file(context, f.path(), file_base::read_write);
    void* const nothing = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    BOOST_REQUIRE(nothing != MAP_FAILED);
    BOOST_TEST(read_error(file, 0, asio::buffer(nothing, 4096)) ==
               boost::system::errc::bad_address);
    BOOST_TEST(write_error(file, 0, asio::buffer(nothing, 4096)) ==
               boost::system::errc::bad_address);
    ::munmap(nothing, 4096);
    BOOST_CHECK(f.contents() == pattern(0, 8192));
}

BOOST_AUTO_TEST_CASE(misaligned_direct_transfers)
{
    if (!direct_io_available())
    {
        skip("no direct I/O in " + directory());
        return;
    }
    temporary_file f(16384);
    random_access_file file(context, f.path(), file_base::read_write | file_base::direct);
    aligned_memory memory(8192);
    std::size_t bytes = 0;
    BOOST_TEST(!read(file, 4096, asio::buffer(memory.data(), 4096), bytes));
    BOOST_TEST(bytes == 4096u);
    BOOST_CHECK(memory.text().substr(0, 4096) == pattern(4096, 4096));

    BOOST_TEST(read_error(file, 3, asio::buffer(memory.data(), 4096)) == invalid_argument);
    BOOST_TEST(read_error(file, 0, asio::buffer(memory.data(), 100)) == invalid_argument);
    BOOST_TEST(read_error(file, 0, asio::buffer(memory.data() + 1, 4096)) == invalid_argument);
    BOOST_TEST(write_error(file, 3, asio::buffer(memory.data(), 4096)) == invalid_argument);
    BOOST_CHECK(f.contents() == pattern(0, 16384));
}

BOOST_AUTO_TEST_CASE(a_direct_read_is_cut_at_the_end)
{
    if (!direct_io_available())
    {
        skip("no direct I/O in " + directory());
        return;
    }
    temporary_file f(300);
    random_access_file file(context, f.path(), file_base::read_only | file_base::direct);
    aligned_memory memory(4096);
    std::size_t bytes = 0;
    BOOST_TEST(!read(file, 0, asio::buffer(memory.data(), 4096), bytes));
    BOOST_TEST(bytes == 300u);
    BOOST_CHECK(memory.text().substr(0, 300) == pattern(0, 300));
    BOOST_TEST(read_error(file, 4096, asio::buffer(memory.data(), 4096)) == eof);
}

BOOST_AUTO_TEST_CASE(the_limit_of_the_process)
{
    // The signal is the kernel's other way of reporting EFBIG.
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    ::rlimit before = {};
    BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    temporary_file f(100);
    random_access_file file(context, f.path(), file_base::read_write);
    const ::rlimit limit = {4096, before.rlim_max};
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);

    const std::string text(1000, 'x');
    std::size_t bytes = 0;
    const error_code over = write(file, 4000, asio::buffer(text), bytes);
    const std::size_t over_bytes = bytes;
    const error_code at = write(file, 4096, asio::buffer(text), bytes);
    const error_code nothing = write(file, 4096, asio::const_buffer(), bytes);

    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, handler);
    BOOST_TEST(!over);
    BOOST_TEST(over_bytes == 96u);
    BOOST_TEST(at == boost::system::errc::file_too_large);
    BOOST_TEST(!nothing);
    BOOST_TEST(file.size() == 4096u);
}

BOOST_AUTO_TEST_CASE(appending_ignores_the_offset)
{
    temporary_file f(std::string("start"));
    random_access_file file(context, f.path(), file_base::write_only | file_base::append);
    file.write_some_at(0, asio::buffer("-one", 4));
    outcome two;
    file.async_write_some_at(1, asio::buffer("-two", 4), record_in(two));
    run(context);
    BOOST_CHECK(two.succeeded(4));
    BOOST_TEST(f.contents() == "start-one-two");
}

BOOST_AUTO_TEST_CASE(appends_keep_their_order)
{
    const std::size_t rounds = scaled(20, 2);
    temporary_file f;
    random_access_file file(context, f.path(), file_base::write_only | file_base::append);
    std::string expected;
    std::vector<int> completed, started;
    for (std::size_t round = 0; round != rounds; ++round)
    {
        std::vector<std::string> texts;
        for (int i = 0; i != 32; ++i)
            texts.push_back(std::to_string(i) +
                            std::string(static_cast<std::size_t>(i) * 100, '.') + ' ');
        for (int i = 0; i != 32; ++i)
        {
            const std::string& text = texts[static_cast<std::size_t>(i)];
            expected += text;
            started.push_back(i);
            file.async_write_some_at(0, asio::buffer(text),
                                     [&, i](const error_code& ec, std::size_t bytes) {
                                         BOOST_TEST(!ec);
                                         BOOST_TEST(bytes == text.size());
                                         completed.push_back(i);
                                     });
        }
        run_again(context);
    }
    BOOST_TEST(completed == started);
    BOOST_CHECK(f.contents() == expected);
}

BOOST_AUTO_TEST_CASE(appends_by_option_keep_their_order)
{
    temporary_file f(std::string("start "));
    random_access_file file(context, f.path(), file_base::read_write);
    kaio::io_options append;
    append.append = true;
    std::string expected = "start ";
    std::vector<std::string> texts;
    for (int i = 0; i != 32; ++i)
        expected += texts.emplace_back(std::to_string(i) + ' ');
    std::size_t called = 0;
    for (const std::string& text : texts)
    {
        file.async_write_some_at(0, asio::buffer(text), append,
                                 [&](const error_code& ec, std::size_t) {
                                     BOOST_TEST(!ec);
                                     ++called;
                                 });
    }
    run(context);
    BOOST_TEST(called == 32u);
    BOOST_TEST(f.contents() == expected);

    // An option of one write says nothing of the next.
    std::size_t bytes = 0;
    BOOST_TEST(!write(file, 0, asio::buffer("S", 1), bytes));
    expected[0] = 'S';
    BOOST_TEST(file.write_some_at(0, asio::buffer("!", 1), append) == 1u);
    BOOST_TEST(f.contents() == expected + '!');
}

BOOST_AUTO_TEST_CASE(options_reach_the_kernel)
{
    temporary_file f(100);
    random_access_file file(context, f.path(), file_base::read_write);
    kaio::io_options options;
    options.data_sync = true;
    options.sync = true;
    options.priority = kaio::io_priority{kaio::io_priority_class::best_effort, 7};
    outcome written, read, refused;
    file.async_write_some_at(0, asio::buffer("text", 4), options, record_in(written));
    run(context);
    BOOST_CHECK(written.succeeded(4));

    // A priority class that doesn't exist shows that the priority arrives.
    std::string text(4, '\0');
    options = kaio::io_options();
    options.priority = kaio::io_priority{static_cast<kaio::io_priority_class>(6), 0};
    file.async_read_some_at(0, asio::buffer(text), options, record_in(refused));
    run_again(context);
    BOOST_TEST(refused.ec == invalid_argument);

    file.async_read_some_at(0, asio::buffer(text), kaio::io_options(), record_in(read));
    run_again(context);
    BOOST_CHECK(read.succeeded(4));
    BOOST_TEST(text == "text");
    error_code ec = asio::error::fault;
    BOOST_TEST(file.read_some_at(1, asio::buffer(text), kaio::io_options(), ec) == 4u);
    BOOST_TEST(!ec);
    BOOST_TEST(file.write_some_at(1, asio::buffer(text), kaio::io_options(), ec) == 4u);
    BOOST_TEST(!ec);
}

// Buffers of the given sizes, one after the other in one piece of memory.
std::vector<asio::mutable_buffer> slices(std::string& memory, const std::vector<std::size_t>& sizes)
{
    std::vector<asio::mutable_buffer> result;
    std::size_t position = 0;
    for (const std::size_t size : sizes)
    {
        result.push_back(asio::buffer(&memory[position], size));
        position += size;
    }
    BOOST_REQUIRE(position == memory.size());
    return result;
}

BOOST_AUTO_TEST_CASE(many_buffers_are_filled_one_after_the_other)
{
    temporary_file f(10000);
    random_access_file file(context, f.path(), file_base::read_write);
    for (const std::size_t count : {2u, 10u, 16u, 17u, 64u, 65u, 100u, 1024u})
    {
        std::string memory(count * 3, '\0');
        const auto buffers = slices(memory, std::vector<std::size_t>(count, 3));
        std::size_t bytes = 0;
        BOOST_TEST(!read(file, 17, buffers, bytes));
        BOOST_TEST(bytes == memory.size());
        BOOST_CHECK(memory == pattern(17, memory.size()));
    }

    std::string memory = pattern(50000, 1000);
    const auto buffers = slices(memory, {1, 0, 499, 0, 0, 500});
    std::size_t bytes = 0;
    BOOST_TEST(!write(file, 4000, buffers, bytes));
    BOOST_TEST(bytes == 1000u);
    BOOST_CHECK(f.contents() == pattern(0, 4000) + pattern(50000, 1000) + pattern(5000, 5000));
}

BOOST_AUTO_TEST_CASE(buffers_may_belong_to_the_handler)
{
    const temporary_file on_disk(pattern(0, 1000));
    random_access_file file(context, on_disk.path(), file_base::read_only);
    for (const std::size_t count : {1U, 2U, 5U})
    {
        std::string memory(1000, '\0');
        std::vector<asio::mutable_buffer> buffers;
        for (std::size_t i = 0; i != count; ++i)
            buffers.emplace_back(&memory[i * 1000 / count], 1000 / count);
        outcome result;
        buffer_owner::read_into(file, std::move(buffers), result);
        run_again(context);
        BOOST_TEST_CONTEXT(count << " buffers")
        {
            BOOST_TEST(result.succeeded(1000 / count * count), result);
            BOOST_TEST(memory == pattern(0, 1000));
        }
    }
}

BOOST_AUTO_TEST_CASE(empty_buffers_between_full_ones)
{
    temporary_file f(10000);
    random_access_file file(context, f.path(), file_base::read_only);
    for (const std::vector<std::size_t>& sizes : std::initializer_list<std::vector<std::size_t>>{
             {0, 10}, {10, 0}, {0, 0, 10, 0, 0}, {5, 0, 5}, {0, 1, 0, 2, 0, 3, 0, 4, 0}})
    {
        std::string memory(10, '\0');
        std::size_t bytes = 0;
        BOOST_TEST(!read(file, 100, slices(memory, sizes), bytes));
        BOOST_TEST(bytes == 10u);
        BOOST_CHECK(memory == pattern(100, 10));
    }

    // Empty ones don't count towards the limit either.
    std::vector<std::size_t> sizes(3 * IOV_MAX, 0);
    sizes.back() = 10;
    std::string memory(10, '\0');
    std::size_t bytes = 0;
    BOOST_TEST(!read(file, 100, slices(memory, sizes), bytes));
    BOOST_TEST(bytes == 10u);
    BOOST_CHECK(memory == pattern(100, 10));
}

BOOST_AUTO_TEST_CASE(more_buffers_than_the_kernel_takes)
{
    temporary_file f(10000);
    random_access_file file(context, f.path(), file_base::read_write);
    std::string memory(2 * IOV_MAX + 100, '\0');
    const auto buffers = slices(memory, std::vector<std::size_t>(memory.size(), 1));
    std::size_t bytes = 0;
    BOOST_TEST(!read(file, 5, buffers, bytes));
    BOOST_TEST(bytes == std::size_t(IOV_MAX));
    BOOST_CHECK(memory.substr(0, IOV_MAX) == pattern(5, IOV_MAX));

    outcome all;
    asio::async_read_at(file, 5, buffers, record_in(all));
    run_again(context);
    BOOST_CHECK(all.succeeded(memory.size()));
    BOOST_CHECK(memory == pattern(5, memory.size()));

    memory.replace(0, memory.size(), pattern(70000, memory.size()));
    outcome written;
    asio::async_write_at(file, 1000, buffers, record_in(written));
    run_again(context);
    BOOST_CHECK(written.succeeded(memory.size()));
    BOOST_CHECK(f.contents() ==
                pattern(0, 1000) + memory + pattern(1000 + memory.size(), 9000 - memory.size()));
}

BOOST_AUTO_TEST_CASE(buffer_sequences_of_many_kinds)
{
    temporary_file f(1000);
    random_access_file file(context, f.path(), file_base::read_write);
    std::size_t bytes = 0;

    char array[10];
    BOOST_TEST(!read(file, 10, asio::buffer(array), bytes));
    BOOST_CHECK(std::string(array, 10) == pattern(10, 10));

    std::array<char, 10> other{};
    const std::array<asio::mutable_buffer, 2> two = {asio::buffer(array), asio::buffer(other)};
    BOOST_TEST(!read(file, 20, two, bytes));
    BOOST_CHECK(std::string(array, 10) + std::string(other.data(), 10) == pattern(20, 20));

    BOOST_TEST(!write(file, 0, two, bytes));
    BOOST_TEST(bytes == 20u);
    const std::vector<asio::const_buffer> constant = {asio::buffer("ab", 2), asio::buffer("c", 1)};
    BOOST_TEST(!write(file, 30, constant, bytes));
    BOOST_CHECK(f.contents().substr(0, 33) == pattern(20, 20) + pattern(20, 10) + "abc");
}

BOOST_AUTO_TEST_CASE(synchronous_calls_and_outstanding_operations_mix)
{
    temporary_file f(1000);
    random_access_file file(context, f.path(), file_base::read_write);
    std::string text(10, '\0'), other(10, '\0');
    outcome result;
    file.async_read_some_at(0, asio::buffer(text), record_in(result));
    BOOST_TEST(file.read_some_at(10, asio::buffer(other)) == 10u);
    BOOST_TEST(result.calls == 0);
    run(context);
    BOOST_CHECK(result.succeeded(10));
    BOOST_CHECK(text == pattern(0, 10));
    BOOST_CHECK(other == pattern(10, 10));
}

BOOST_AUTO_TEST_CASE(statistics_add_up)
{
    temporary_file f(1000);
    random_access_file file(context, f.path(), file_base::read_write);
    std::string text(10, '\0');
    const auto ignore = [](const error_code&, std::size_t) {};
    file.async_read_some_at(0, asio::buffer(text), ignore);
    file.async_read_some_at(990, asio::buffer(text), ignore);
    file.async_read_some_at(1000, asio::buffer(text), ignore);
    file.async_write_some_at(0, asio::buffer(text, 5), ignore);
    file.async_read_some_at(~std::uint64_t(0), asio::buffer(text), ignore);
    file.async_read_some_at(0, asio::mutable_buffer(), ignore);

    const auto& service = asio::use_service<kaio::aio_service>(context);
    kaio::service_statistics s = service.statistics();
    BOOST_TEST(s.operations_started == s.operations_completed + s.outstanding);
    BOOST_TEST(s.outstanding == 4u);
    run(context);
    s = service.statistics();
    BOOST_TEST(s.operations_started == 6u);
    BOOST_TEST(s.operations_completed == 6u);
    BOOST_TEST(s.operations_failed == 1u);
    BOOST_TEST(s.operations_cancelled == 0u);
    BOOST_TEST(s.outstanding == 0u);
    BOOST_TEST(s.queued == 0u);
    BOOST_TEST(s.outstanding_high_water == 4u);
    BOOST_TEST(s.bytes_read == 20u);
    BOOST_TEST(s.bytes_written == 5u);
}

BOOST_AUTO_TEST_CASE(what_is_started_in_one_turn_goes_to_the_kernel_together,
                     *boost::unit_test::precondition(&needs_aio))
{
    temporary_file f(1000);
    random_access_file file(context, f.path(), file_base::read_only);
    std::vector<std::string> texts(10, std::string(10, '\0'));
    for (std::string& text : texts)
        file.async_read_some_at(0, asio::buffer(text), by_io_submit(),
                                [](const error_code&, std::size_t) {});
    run(context);
    const auto s = asio::use_service<kaio::aio_service>(context).statistics();
    BOOST_TEST(s.submit_calls == 1u);
    BOOST_TEST(s.largest_batch == 10u);
}

BOOST_AUTO_TEST_SUITE_END()

// The transfer functions, as Asio states them.

using mutable_buffers = const asio::mutable_buffer&;
using const_buffers = const asio::const_buffer&;

static_assert(std::is_same_v<decltype(std::declval<random_access_file&>().read_some_at(
                                 0u, std::declval<mutable_buffers>())),
                             std::size_t>);
static_assert(std::is_same_v<decltype(std::declval<random_access_file&>().read_some_at(
                                 0u, std::declval<mutable_buffers>(), std::declval<error_code&>())),
                             std::size_t>);
static_assert(std::is_same_v<decltype(std::declval<random_access_file&>().write_some_at(
                                 0u, std::declval<const_buffers>())),
                             std::size_t>);
static_assert(std::is_same_v<decltype(std::declval<random_access_file&>().write_some_at(
                                 0u, std::declval<const_buffers>(), std::declval<error_code&>())),
                             std::size_t>);

template <typename Token>
using read_result = decltype(std::declval<random_access_file&>().async_read_some_at(
    0u, std::declval<mutable_buffers>(), std::declval<Token>()));
template <typename Token>
using write_result = decltype(std::declval<random_access_file&>().async_write_some_at(
    0u, std::declval<const_buffers>(), std::declval<Token>()));

static_assert(std::is_same_v<read_result<record_in>, void>);
static_assert(std::is_same_v<write_result<record_in>, void>);

// A token that is given what every initiation must have.
struct inspect_initiation
{
};

} // namespace

namespace boost {
namespace asio {

template <>
class async_result<inspect_initiation, void(error_code, std::size_t)>
{
public:
    template <typename Initiation, typename... Arguments>
    static std::pair<typename Initiation::executor_type, std::size_t>
    initiate(Initiation initiation, inspect_initiation, Arguments&&...)
    {
        const Initiation& constant = initiation;
        static_assert(noexcept(constant.get_executor()));
        static_assert(std::is_same_v<decltype(constant.get_executor()),
                                     const typename Initiation::executor_type&>);
        static_assert(std::is_copy_constructible_v<Initiation>);
        return {constant.get_executor(), sizeof...(Arguments)};
    }
};

} // namespace asio
} // namespace boost

namespace {

BOOST_FIXTURE_TEST_CASE(initiations_have_an_executor_and_pass_their_arguments_on, context_fixture)
{
    random_access_file file(context);
    char c;
    const auto read = file.async_read_some_at(0, asio::buffer(&c, 1), inspect_initiation());
    BOOST_CHECK(read.first == file.get_executor());
    BOOST_TEST(read.second >= 2u, "offset and buffers travel as arguments of the initiation");
    const auto write = file.async_write_some_at(0, asio::buffer(&c, 1), inspect_initiation());
    BOOST_CHECK(write.first == file.get_executor());
    BOOST_TEST(write.second >= 2u);
}

} // namespace
