//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// A stream file: what its position does, and in which order its transfers take place.

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/buffered_read_stream.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <deque>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <kaio/aio_service.hpp>
#include <kaio/stream_file.hpp>

#include "support/around_the_kernel.hpp"
#include "support/interposed_io.hpp"
#include "support/needs_aio.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace data = boost::unit_test::data;

using boost::system::error_code;
using boost::system::system_error;
using kaio::file_base;
using kaio::io_options;
using kaio::stream_file;
using namespace kaio::test;

namespace {

const error_code eof = asio::error::eof;
constexpr auto bad_descriptor = boost::system::errc::bad_file_descriptor;
constexpr auto invalid_argument = boost::system::errc::invalid_argument;
constexpr auto too_large = boost::system::errc::file_too_large;

// The ways by which a transfer may reach the file: each must do the same to the position.
enum class way
{
    waiting,
    loop,
    loop_direct,
    submission_thread,
    submission_thread_direct,
    helper_thread,
    no_threads
};

std::ostream& operator<<(std::ostream& os, way w)
{
    constexpr const char* names[] = {"waiting",
                                     "loop",
                                     "loop, direct",
                                     "submission thread",
                                     "submission thread, direct",
                                     "helper thread",
                                     "no threads"};
    return os << names[static_cast<int>(w)];
}

std::vector<way> ways()
{
    std::vector<way> result{way::waiting, way::loop, way::submission_thread, way::helper_thread,
                            way::no_threads};
    if (direct_io_available())
    {
        result.push_back(way::loop_direct);
        result.push_back(way::submission_thread_direct);
    }
    return result;
}

bool is_direct(way w)
{
    return w == way::loop_direct || w == way::submission_thread_direct;
}

// A context whose transfers take one of the ways. In direct mode all sizes are blocks.
struct way_fixture
{
    explicit way_fixture(way w) : taken(w)
    {
        kaio::service_options options;
        if (w == way::submission_thread || w == way::submission_thread_direct)
            options.submission = kaio::submission_mode::on_thread;
        if (w == way::no_threads)
            options.helper_threads = 0;
        if (w == way::helper_thread)
        {
            const interposed_setup refuse([](unsigned, ::aio_context_t*) { return -ENOSYS; });
            kaio::make_aio_service(context, options);
        }
        else
        {
            kaio::make_aio_service(context, options);
        }
    }

    file_base::flags flags(file_base::flags f) const
    {
        return is_direct(taken) ? f | file_base::direct : f;
    }

    error_code read(stream_file& file, const asio::mutable_buffer& buffer, std::size_t& n,
                    const io_options& options = {})
    {
        if (taken == way::waiting)
        {
            error_code ec = asio::error::fault;
            n = file.read_some(buffer, options, ec);
            return ec;
        }
        outcome result;
        initiate([&] { file.async_read_some(buffer, options, record_in(result)); });
        return end(result, n);
    }

    error_code write(stream_file& file, const asio::const_buffer& buffer, std::size_t& n,
                     const io_options& options = {})
    {
        if (taken == way::waiting)
        {
            error_code ec = asio::error::fault;
            n = file.write_some(buffer, options, ec);
            return ec;
        }
        outcome result;
        initiate([&] { file.async_write_some(buffer, options, record_in(result)); });
        return end(result, n);
    }

    error_code end(const outcome& result, std::size_t& n)
    {
        run_again(context);
        BOOST_TEST(result.calls == 1);
        BOOST_TEST(!result.inline_call);
        n = result.bytes;
        return result.ec;
    }

    const way taken;
    asio::io_context context;
    std::size_t bytes = 0;
};

std::uint64_t position(stream_file& file)
{
    const std::uint64_t result = file.seek(0, file_base::seek_cur);
    BOOST_TEST(::lseek(file.native_handle(), 0, SEEK_CUR) == static_cast<::off_t>(result));
    return result;
}

BOOST_FIXTURE_TEST_SUITE(stream_file_header, context_fixture)

BOOST_AUTO_TEST_CASE(seeks_from_every_basis)
{
    temporary_file f(1000);
    stream_file file(context, f.path(), file_base::read_write);
    BOOST_TEST(file.seek(0, file_base::seek_cur) == 0u);
    BOOST_TEST(file.seek(300, file_base::seek_set) == 300u);
    BOOST_TEST(file.seek(50, file_base::seek_cur) == 350u);
    BOOST_TEST(file.seek(-100, stream_file::seek_cur) == 250u);
    BOOST_TEST(file.seek(-10, stream_file::seek_end) == 990u);
    BOOST_TEST(file.seek(500, stream_file::seek_end) == 1500u);

    error_code ec = asio::error::fault;
    BOOST_TEST(file.seek(7, stream_file::seek_set, ec) == 7u);
    BOOST_TEST(!ec);
    BOOST_TEST(file.seek(-8, stream_file::seek_cur, ec) == 0u);
    BOOST_TEST(ec == invalid_argument);
    BOOST_TEST(position(file) == 7u);
    BOOST_CHECK_EXCEPTION(file.seek(-8, stream_file::seek_cur), system_error,
                          [](const system_error& e) {
                              return e.code() == invalid_argument &&
                                     std::string(e.what()).find("seek") != std::string::npos;
                          });
    file.close();
    file.seek(0, stream_file::seek_set, ec);
    BOOST_TEST(ec == bad_descriptor);
}

BOOST_AUTO_TEST_CASE(each_constructor_opens_the_file)
{
    temporary_file f(1000);
    const auto executor = context.get_executor();
    const auto check = [](stream_file file) {
        std::string text(100, '\0');
        BOOST_TEST(file.read_some(asio::buffer(text)) == 100u);
        BOOST_CHECK(text == pattern(0, 100));
    };
    check(stream_file(executor, f.c_str(), file_base::read_only));
    check(stream_file(context, f.c_str(), file_base::read_only));
    check(stream_file(executor, f.path(), file_base::read_only));
    check(stream_file(context, f.path(), file_base::read_only));
    check(stream_file(executor, ::open(f.c_str(), O_RDONLY)));
    check(stream_file(context, ::open(f.c_str(), O_RDONLY)));

    stream_file by_executor(executor), by_context(context);
    by_executor.open(f.path(), stream_file::read_only);
    check(std::move(by_executor));
    BOOST_TEST(!by_executor.is_open());
    by_context.assign(::open(f.c_str(), O_RDONLY));
    check(std::move(by_context));

    using concrete = kaio::basic_stream_file<asio::io_context::executor_type>;
    static_assert(
        std::is_same_v<stream_file::rebind_executor<concrete::executor_type>::other, concrete>);
    concrete file(context, f.path(), concrete::read_only);
    check(stream_file(std::move(file)));
    concrete another(context, f.path(), concrete::read_only);
    stream_file assigned(context);
    assigned = std::move(another);
    check(std::move(assigned));

    BOOST_CHECK_THROW(stream_file(context, f.path() + ".not", stream_file::read_only),
                      system_error);
    BOOST_CHECK_THROW(stream_file(context, 1 << 20), system_error);
}

BOOST_AUTO_TEST_CASE(a_descriptor_keeps_its_position)
{
    temporary_file f(1000);
    const int descriptor = ::open(f.c_str(), O_RDWR | O_CLOEXEC);
    BOOST_REQUIRE(::lseek(descriptor, 123, SEEK_SET) == 123);
    stream_file file(context, descriptor);
    BOOST_TEST(position(file) == 123u);
    std::string text(100, '\0');
    outcome read;
    file.async_read_some(asio::buffer(text), record_in(read));
    run(context);
    BOOST_CHECK(read.succeeded(100));
    BOOST_CHECK(text == pattern(123, 100));
    BOOST_TEST(position(file) == 223u);

    BOOST_TEST(file.release() == descriptor);
    BOOST_TEST(::lseek(descriptor, 0, SEEK_CUR) == 223);
    ::close(descriptor);
}

BOOST_DATA_TEST_CASE(transfers_move_the_position, data::make(ways()), w)
{
    constexpr std::size_t block = 4096;
    way_fixture c(w);
    temporary_file f(4 * block);
    stream_file file(c.context, f.path(), c.flags(file_base::read_write));
    aligned_memory memory(block);
    BOOST_TEST(!c.read(file, asio::buffer(memory.data(), block), c.bytes));
    BOOST_TEST(c.bytes == block);
    BOOST_CHECK(memory.text() == pattern(0, block));
    BOOST_TEST(position(file) == block);

    BOOST_TEST(!c.write(file, asio::buffer(memory.data(), block), c.bytes));
    BOOST_TEST(position(file) == 2 * block);
    BOOST_TEST(!c.read(file, asio::buffer(memory.data(), block), c.bytes));
    BOOST_CHECK(memory.text() == pattern(2 * block, block));
    BOOST_TEST(position(file) == 3 * block);

    BOOST_TEST(file.seek(0, file_base::seek_end) == 4 * block);
    BOOST_TEST((c.read(file, asio::buffer(memory.data(), block), c.bytes) == eof));
    BOOST_TEST(c.bytes == 0u);
    BOOST_TEST(position(file) == 4 * block);
    BOOST_TEST(!c.write(file, asio::buffer(memory.data(), block), c.bytes));
    BOOST_TEST(position(file) == 5 * block);

    const std::string original = pattern(0, 4 * block);
    BOOST_CHECK(f.contents() == original.substr(0, block) + original.substr(0, block) +
                                    original.substr(2 * block) + original.substr(2 * block, block));
}

BOOST_DATA_TEST_CASE(a_short_read_ends_where_it_ended, data::make(ways()), w)
{
    way_fixture c(w);
    const std::size_t begin = is_direct(w) ? 4096 : 960;
    temporary_file f(begin + 40);
    stream_file file(c.context, f.path(), c.flags(file_base::read_only));
    file.seek(static_cast<std::int64_t>(begin), file_base::seek_set);
    aligned_memory memory(4096);
    BOOST_TEST(!c.read(file, asio::buffer(memory.data(), 4096), c.bytes));
    BOOST_TEST(c.bytes == 40u);
    BOOST_CHECK(memory.text().substr(0, 40) == pattern(begin, 40));
    BOOST_TEST(position(file) == begin + 40);
    BOOST_TEST((c.read(file, asio::buffer(memory.data(), 4096), c.bytes) == eof));
    BOOST_TEST(position(file) == begin + 40);
}

BOOST_DATA_TEST_CASE(a_short_write_ends_where_it_ended, data::make(ways()), w)
{
    way_fixture c(w);
    temporary_file f(8192);
    stream_file file(c.context, f.path(), c.flags(file_base::read_write));
    file.seek(4096, file_base::seek_set);
    aligned_memory memory(8192);

    // A limit on the size of files cuts the first write short, and refuses the second.
    ::signal(SIGXFSZ, SIG_IGN);
    ::rlimit before;
    ::getrlimit(RLIMIT_FSIZE, &before);
    const ::rlimit limit{8192, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const error_code first = c.write(file, asio::buffer(memory.data(), 8192), c.bytes);
    std::size_t second_bytes = 1;
    const error_code second = c.write(file, asio::buffer(memory.data(), 8192), second_bytes);
    ::setrlimit(RLIMIT_FSIZE, &before);

    BOOST_TEST(!first);
    BOOST_TEST(c.bytes == 4096u);
    BOOST_TEST(second == too_large);
    BOOST_TEST(second_bytes == 0u);
    BOOST_TEST(position(file) == 8192u);
    BOOST_CHECK(f.contents() == pattern(0, 4096) + std::string(4096, '\0'));
}

BOOST_DATA_TEST_CASE(what_fails_leaves_the_position, data::make(ways()), w)
{
    way_fixture c(w);
    temporary_file f(8192);
    stream_file reader(c.context, f.path(), c.flags(file_base::read_only));
    reader.seek(4096, file_base::seek_set);
    aligned_memory memory(4096);
    BOOST_TEST((c.write(reader, asio::buffer(memory.data(), 4096), c.bytes) == bad_descriptor));
    BOOST_TEST(position(reader) == 4096u);
    io_options atomic;
    atomic.atomic = true;
    BOOST_TEST(!!c.read(reader, asio::buffer(memory.data(), 4096), c.bytes, atomic));
    BOOST_TEST(position(reader) == 4096u);

    // The next one is not affected.
    BOOST_TEST(!c.read(reader, asio::buffer(memory.data(), 4096), c.bytes));
    BOOST_CHECK(memory.text() == pattern(4096, 4096));

    stream_file closed(c.context);
    BOOST_TEST((c.read(closed, asio::buffer(memory.data(), 1), c.bytes) == bad_descriptor));
    BOOST_TEST((c.write(closed, asio::buffer(memory.data(), 1), c.bytes) == bad_descriptor));
}

BOOST_DATA_TEST_CASE(reads_and_writes_keep_their_order, data::make(ways()), w)
{
    if (w == way::waiting)
        return;
    constexpr std::size_t block = 4096;
    constexpr std::size_t count = 40;
    way_fixture c(w);
    temporary_file f(count * block);
    stream_file file(c.context, f.path(), c.flags(file_base::read_write));

    // Two in three are reads: between them every third block is written anew.
    std::string expected = pattern(0, count * block);
    std::deque<aligned_memory> blocks;
    std::deque<outcome> results(count);
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i != count; ++i)
    {
        aligned_memory& memory = blocks.emplace_back(block);
        const auto buffer = asio::buffer(memory.data(), block);
        const auto handler = [&, i](error_code ec, std::size_t n) {
            order.push_back(i);
            record_in{results[i]}(ec, n);
        };
        if (i % 3 == 1)
        {
            const std::string text(block, static_cast<char>('a' + i % 26));
            text.copy(memory.data(), block);
            expected.replace(i * block, block, text);
            initiate([&] { file.async_write_some(buffer, handler); });
        }
        else
        {
            initiate([&] { file.async_read_some(buffer, handler); });
        }
    }
    run(c.context);
    for (std::size_t i = 0; i != count; ++i)
    {
        BOOST_CHECK(results[i].succeeded(block));
        BOOST_TEST(order.at(i) == i);
        if (i % 3 != 1)
            BOOST_CHECK(blocks[i].text() == pattern(i * block, block));
    }
    BOOST_CHECK(f.contents() == expected);
    BOOST_TEST(position(file) == count * block);
}

BOOST_AUTO_TEST_CASE(an_empty_transfer_succeeds_at_once)
{
    temporary_file f(100);
    stream_file file(context, f.path(), file_base::read_write);
    file.seek(100, file_base::seek_set);
    error_code ec = asio::error::fault;
    BOOST_TEST(file.read_some(asio::mutable_buffer(), ec) == 0u);
    BOOST_TEST(!ec);
    BOOST_TEST(file.write_some(asio::const_buffer()) == 0u);
    outcome read, written;
    initiate([&] { file.async_read_some(asio::mutable_buffer(), record_in(read)); });
    initiate([&] { file.async_write_some(asio::const_buffer(), record_in(written)); });
    run(context);
    BOOST_CHECK(read.succeeded(0));
    BOOST_CHECK(written.succeeded(0));
    BOOST_TEST(position(file) == 100u);
}

BOOST_AUTO_TEST_CASE(many_buffers_are_transferred_at_once)
{
    temporary_file f(3000);
    stream_file file(context, f.path(), file_base::read_write);
    std::string text(3000, '\0');
    std::vector<asio::mutable_buffer> buffers;
    for (std::size_t i = 0; i != 300; ++i)
        buffers.push_back(asio::buffer(&text[i * 10], 10));
    outcome read;
    file.async_read_some(buffers, record_in(read));
    run(context);
    BOOST_CHECK(read.succeeded(3000));
    BOOST_CHECK(text == pattern(0, 3000));
    BOOST_TEST(position(file) == 3000u);
}

BOOST_DATA_TEST_CASE(appending_writes_end_at_the_end, data::make(ways()), w)
{
    if (is_direct(w))
        return;
    way_fixture c(w);
    temporary_file f("0123456789");
    stream_file file(c.context, f.path(), file_base::read_write | file_base::append);
    std::string text(3, '\0');
    BOOST_TEST(!c.read(file, asio::buffer(text), c.bytes));
    BOOST_TEST(text == "012");
    BOOST_TEST(position(file) == 3u);

    // A write leaves the position behind what it has written, so that a read finds nothing there.
    BOOST_TEST(!c.write(file, asio::buffer("abc", 3), c.bytes));
    BOOST_TEST(c.bytes == 3u);
    BOOST_TEST(position(file) == 13u);
    BOOST_TEST((c.read(file, asio::buffer(text), c.bytes) == eof));

    file.seek(9, file_base::seek_set);
    BOOST_TEST(!c.read(file, asio::buffer(text), c.bytes));
    BOOST_TEST(text == "9ab");
    BOOST_TEST(f.contents() == "0123456789abc");

    // The same by the option, on a file that doesn't append otherwise.
    stream_file plain(c.context, f.path(), file_base::read_write);
    io_options append;
    append.append = true;
    BOOST_TEST(!c.write(plain, asio::buffer("de", 2), c.bytes, append));
    BOOST_TEST(position(plain) == 15u);
    plain.seek(0, file_base::seek_set);
    BOOST_TEST(!c.write(plain, asio::buffer("X", 1), c.bytes));
    BOOST_TEST(position(plain) == 1u);
    BOOST_TEST(f.contents() == "X123456789abcde");

    // An append isn't taken for a file that Linux AIO can't do anything with.
    BOOST_TEST(asio::use_service<kaio::aio_service>(c.context).statistics().unsupported_fallbacks ==
               0U);
}

// A change by fcntl counts from the next write on.
BOOST_DATA_TEST_CASE(appending_is_turned_on_and_off, data::make(ways()), w)
{
    if (is_direct(w))
        return;
    way_fixture c(w);
    const temporary_file f("0123456789");
    const int descriptor = ::open(f.c_str(), O_RDWR | O_CLOEXEC);
    stream_file file(c.context, descriptor);
    BOOST_TEST(!c.write(file, asio::buffer("a", 1), c.bytes));
    BOOST_TEST(position(file) == 1U);

    BOOST_REQUIRE(::fcntl(descriptor, F_SETFL, O_APPEND) == 0);
    BOOST_TEST(!c.write(file, asio::buffer("bcd", 3), c.bytes));
    BOOST_TEST(position(file) == 13U);
    file.seek(2, file_base::seek_set);
    BOOST_TEST(!c.write(file, asio::buffer("e", 1), c.bytes));
    BOOST_TEST(position(file) == 14U);

    BOOST_REQUIRE(::fcntl(descriptor, F_SETFL, 0) == 0);
    file.seek(2, file_base::seek_set);
    BOOST_TEST(!c.write(file, asio::buffer("f", 1), c.bytes));
    BOOST_TEST(position(file) == 3U);
    BOOST_TEST(f.contents() == "a1f3456789bcde");
}

BOOST_DATA_TEST_CASE(appends_keep_their_place_in_the_order, data::make(ways()), w)
{
    if (is_direct(w) || w == way::waiting)
        return;
    way_fixture c(w);
    temporary_file f("0123456789");
    stream_file file(c.context, f.path(), file_base::read_write);
    std::string first(2, '\0'), second(2, '\0');
    outcome results[4];
    io_options append;
    append.append = true;
    file.async_read_some(asio::buffer(first), record_in(results[0]));
    file.async_write_some(asio::buffer("ab", 2), append, record_in(results[1]));
    file.async_write_some(asio::buffer("cd", 2), record_in(results[2]));
    file.async_read_some(asio::buffer(second), record_in(results[3]));
    run(c.context);
    BOOST_TEST(first == "01");
    BOOST_CHECK(results[1].succeeded(2));
    BOOST_CHECK(results[2].succeeded(2));
    BOOST_TEST(results[3].ec == eof);
    BOOST_TEST(f.contents() == "0123456789abcd");
    BOOST_TEST(position(file) == 14u);
}

struct option
{
    const char* name;
    bool io_options::*member;

    friend std::ostream& operator<<(std::ostream& os, const option& o)
    {
        return os << o.name;
    }
};

const option options[] = {{"data_sync", &io_options::data_sync},
                          {"sync", &io_options::sync},
                          {"append", &io_options::append},
                          {"atomic", &io_options::atomic},
                          {"uncached", &io_options::uncached}};

io_options only(bool io_options::*option)
{
    io_options result;
    result.*option = true;
    return result;
}

// An option works or is reported, as by the system call, and the position follows what was done.
BOOST_DATA_TEST_CASE(options_by_all_ways, data::make(ways()) * data::make(options), w, o)
{
    constexpr std::size_t block = 4096;
    constexpr std::size_t blocks = 4;
    way_fixture c(w);
    way_fixture by_system_call(way::waiting);
    const temporary_file f(blocks * block), g(blocks * block);
    stream_file file(c.context, f.path(), c.flags(file_base::read_write));
    stream_file model(by_system_call.context, g.path(), c.flags(file_base::read_write));
    aligned_memory memory(block), expected(block);
    const io_options how = only(o.member);
    for (int round = 0; round != 2; ++round)
    {
        std::size_t wanted = 0;
        error_code ec =
            by_system_call.read(model, asio::buffer(expected.data(), block), wanted, how);
        BOOST_TEST((!ec || ec == asio::error::operation_not_supported), ec.message());
        BOOST_TEST(c.read(file, asio::buffer(memory.data(), block), c.bytes, how) == ec);
        BOOST_TEST(c.bytes == wanted);
        BOOST_CHECK(memory.text() == expected.text());
        BOOST_TEST(position(file) == position(model));

        std::memset(memory.data(), 'x', block);
        std::memset(expected.data(), 'x', block);
        ec = by_system_call.write(model, asio::buffer(expected.data(), block), wanted, how);
        BOOST_TEST((!ec || ec == asio::error::operation_not_supported), ec.message());
        BOOST_TEST(c.write(file, asio::buffer(memory.data(), block), c.bytes, how) == ec);
        BOOST_TEST(c.bytes == wanted);
        BOOST_TEST(position(file) == position(model));
        BOOST_CHECK(f.contents() == g.contents());

        // The next one without an option goes on from there.
        file.seek(block, file_base::seek_set);
        BOOST_TEST(!c.write(file, asio::buffer(memory.data(), block), c.bytes));
        BOOST_TEST(position(file) == 2 * block);
        model.seek(block, file_base::seek_set);
        BOOST_TEST(!by_system_call.write(model, asio::buffer(expected.data(), block), wanted));
    }
}

// Those before and behind it don't notice, though they wait for it.
BOOST_DATA_TEST_CASE(a_lacking_option_fails_alone, data::make(ways()), w)
{
    if (w == way::waiting)
        return;
    constexpr std::size_t block = 4096;
    constexpr std::size_t count = 24;
    way_fixture c(w);
    const temporary_file f(count * block);
    stream_file file(c.context, f.path(), c.flags(file_base::read_only));
    std::deque<aligned_memory> memory;
    std::deque<outcome> results(count);
    const io_options none;
    const io_options atomic = only(&io_options::atomic); // No kernel has atomic reads.
    for (std::size_t i = 0; i != count; ++i)
    {
        const asio::mutable_buffer buffer(memory.emplace_back(block).data(), block);
        const io_options& how = i % 3 == 1 ? atomic : none;
        initiate([&] { file.async_read_some(buffer, how, record_in(results[i])); });
    }
    run(c.context);
    std::size_t read = 0;
    for (std::size_t i = 0; i != count; ++i)
    {
        if (i % 3 == 1)
        {
            BOOST_TEST(results[i].failed(asio::error::operation_not_supported), results[i]);
            continue;
        }
        BOOST_TEST(results[i].succeeded(block), results[i]);
        BOOST_CHECK(memory[i].text() == pattern(read++ * block, block));
    }
    BOOST_TEST(position(file) == read * block);
}

BOOST_DATA_TEST_CASE(no_wait_by_all_ways, data::make(ways()), w)
{
    way_fixture c(w);
    const temporary_file f(std::size_t(8192));
    stream_file file(c.context, f.path(), c.flags(file_base::read_write));
    aligned_memory memory(4096);
    const io_options no_wait = only(&io_options::no_wait);
    const error_code ec = c.read(file, asio::buffer(memory.data(), 4096), c.bytes, no_wait);
    const bool refused = ec == asio::error::try_again || ec == asio::error::operation_not_supported;
    BOOST_TEST((!ec || refused), ec.message());
    BOOST_TEST(c.bytes == (ec ? 0U : 4096U));
    BOOST_TEST(position(file) == c.bytes);
    if (!ec)
        BOOST_CHECK(memory.text() == pattern(0, 4096));
}

BOOST_DATA_TEST_CASE(priorities_by_all_ways, data::make(ways()), w)
{
    way_fixture c(w);
    const temporary_file f(std::size_t(8192));
    stream_file file(c.context, f.path(), c.flags(file_base::read_write));
    aligned_memory memory(4096);
    io_options how;
    how.priority = kaio::io_priority{kaio::io_priority_class::idle, 3};
    BOOST_TEST(!c.read(file, asio::buffer(memory.data(), 4096), c.bytes, how));
    BOOST_CHECK(memory.text() == pattern(0, 4096));
    BOOST_TEST(!c.write(file, asio::buffer(memory.data(), 4096), c.bytes, how));
    BOOST_TEST(position(file) == 8192U);

    how.priority->level = 8;
    BOOST_TEST((c.read(file, asio::buffer(memory.data(), 4096), c.bytes, how) == invalid_argument));
    BOOST_TEST(
        (c.write(file, asio::buffer(memory.data(), 4096), c.bytes, how) == invalid_argument));
    BOOST_TEST(c.bytes == 0U);
    BOOST_TEST(position(file) == 8192U);
    BOOST_CHECK(f.contents() == pattern(0, 4096) + pattern(0, 4096));
}

BOOST_AUTO_TEST_CASE(forms_with_options_that_throw)
{
    const temporary_file f(std::size_t(100));
    stream_file file(context, f.path(), file_base::read_write);
    std::string text(10, '\0');
    BOOST_TEST(file.read_some(asio::buffer(text), only(&io_options::sync)) == 10U);
    BOOST_TEST(text == pattern(0, 10));
    BOOST_TEST(file.write_some(asio::buffer(text), only(&io_options::append)) == 10U);
    BOOST_CHECK(f.contents() == pattern(0, 100) + pattern(0, 10));
    BOOST_CHECK_EXCEPTION(file.read_some(asio::buffer(text), only(&io_options::atomic)),
                          system_error, [](const system_error& e) {
                              return e.code() == asio::error::operation_not_supported &&
                                     std::string(e.what()).find("read_some") != std::string::npos;
                          });
}

BOOST_AUTO_TEST_CASE(what_is_cancelled_before_it_begins_leaves_the_position)
{
    temporary_file f(1000);
    stream_file file(context, f.path(), file_base::read_only);
    std::string text(100, '\0'), after(100, '\0');
    outcome first, second, slot, next;
    asio::cancellation_signal signal;
    file.async_read_some(asio::buffer(text), record_in(first));
    file.async_read_some(asio::buffer(text), record_in(second));
    file.cancel();
    file.async_read_some(asio::buffer(text),
                         asio::bind_cancellation_slot(signal.slot(), record_in(slot)));
    file.async_read_some(asio::buffer(after), record_in(next));
    signal.emit(asio::cancellation_type::total);
    run(context);
    BOOST_CHECK(first.aborted());
    BOOST_CHECK(second.aborted());
    BOOST_CHECK(slot.aborted());
    BOOST_CHECK(next.succeeded(100));
    BOOST_CHECK(after == pattern(0, 100));
    BOOST_TEST(position(file) == 100u);
}

BOOST_TEST_DECORATOR(*boost::unit_test::precondition(&needs_aio) *
                     boost::unit_test::precondition(&tries_reads))
BOOST_AUTO_TEST_CASE(what_is_cancelled_when_it_has_begun_moves_the_position)
{
    temporary_file f(1000);
    stream_file file(context, f.path(), file_base::read_only);
    file.seek(10, file_base::seek_set);
    std::string text(100, '\0');
    outcome begun, waiting;
    const around_the_kernel cancel([] {}, [&] { file.cancel(); });
    file.async_read_some(asio::buffer(text), record_in(begun));
    file.async_read_some(asio::buffer(text), record_in(waiting));
    run(context);
    BOOST_CHECK(begun.succeeded(100));
    BOOST_CHECK(waiting.aborted());
    BOOST_CHECK(text == pattern(10, 100));
    BOOST_TEST(position(file) == 110u);
}

BOOST_TEST_DECORATOR(*boost::unit_test::precondition(&needs_aio) *
                     boost::unit_test::precondition(&tries_reads))
BOOST_AUTO_TEST_CASE(a_closed_file_leaves_descriptors_alone)
{
    // The read ends after the file was closed.
    temporary_file f(1000), g(1000);
    stream_file file(context, f.path(), file_base::read_only);
    const int number = file.native_handle();
    std::string text(100, '\0');
    outcome result;
    int other = -1;
    const around_the_kernel close([] {},
                                  [&] {
                                      file.close();
                                      other = ::open(g.c_str(), O_RDONLY | O_CLOEXEC);
                                  });
    file.async_read_some(asio::buffer(text), record_in(result));
    run(context);
    BOOST_CHECK(result.succeeded(100));
    BOOST_TEST(other != number);
    BOOST_TEST(::lseek(other, 0, SEEK_CUR) == 0);
    ::close(other);
}

BOOST_DATA_TEST_CASE(a_released_descriptor_is_left_alone, data::make(transfer_modes()), mode)
{
    temporary_file f(std::size_t(8192));
    stream_file file(context, f.path(), file_base::read_only | mode);
    aligned_memory memory(4096);
    outcome first, second;
    file.async_read_some(asio::buffer(memory.data(), 4096), record_in(first));
    file.async_read_some(asio::buffer(memory.data(), 4096), record_in(second));
    context.poll_one();
    const int descriptor = file.release();
    BOOST_TEST(::lseek(descriptor, 7, SEEK_SET) == 7);
    run_again(context);
    BOOST_TEST((first.aborted() || first.succeeded(4096)), first);
    BOOST_TEST((second.aborted() || second.succeeded(4096)), second);
    BOOST_TEST(::lseek(descriptor, 0, SEEK_CUR) == 7);
    ::close(descriptor);
}

BOOST_AUTO_TEST_CASE(a_move_takes_operations_and_position_along)
{
    temporary_file f(1000);
    stream_file file(context, f.path(), file_base::read_only);
    std::string first(100, '\0'), second(100, '\0');
    outcome a, b;
    file.async_read_some(asio::buffer(first), record_in(a));
    stream_file moved(std::move(file));
    moved.async_read_some(asio::buffer(second), record_in(b));
    BOOST_TEST(!file.is_open());
    run(context);
    BOOST_CHECK(a.succeeded(100));
    BOOST_CHECK(b.succeeded(100));
    BOOST_CHECK(first + second == pattern(0, 200));
    BOOST_TEST(position(moved) == 200u);
}

BOOST_AUTO_TEST_CASE(pseudo_files_have_positions)
{
    stream_file file(context, "/proc/self/status", file_base::read_only);
    std::string by_kaio, block(16, '\0');
    outcome result;
    do
    {
        by_kaio.append(block.data(), result.bytes);
        result.calls = 0;
        result.bytes = 0;
        result.ec = {};
        file.async_read_some(asio::buffer(block), record_in(result));
        run_again(context);
    } while (!result.ec && by_kaio.size() < 40);
    BOOST_TEST(by_kaio.substr(0, 6) == "Name:\t");
    BOOST_TEST(position(file) == by_kaio.size() + result.bytes);

    stream_file zero(context, "/dev/zero", file_base::read_write);
    outcome zeros, gone;
    zero.async_read_some(asio::buffer(block), record_in(zeros));
    zero.async_write_some(asio::buffer(block), record_in(gone));
    run_again(context);
    BOOST_CHECK(zeros.succeeded(16));
    BOOST_CHECK(gone.succeeded(16));
    BOOST_TEST(block == std::string(16, '\0'));
}

// Everything that Asio, and what is built on it, does with streams.

BOOST_AUTO_TEST_CASE(read_until_reads_lines)
{
    temporary_file f("first line\nsecond line\nthird");
    stream_file file(context, f.path(), file_base::read_only);
    std::string text;
    std::vector<std::string> lines;
    error_code end;
    const auto next = [&](auto& self) -> void {
        asio::async_read_until(file, asio::dynamic_buffer(text), '\n',
                               [&](error_code ec, std::size_t size) {
                                   if ((end = ec))
                                       return;
                                   lines.push_back(text.substr(0, size - 1));
                                   text.erase(0, size);
                                   self(self);
                               });
    };
    next(next);
    run(context);
    BOOST_TEST(lines == (std::vector<std::string>{"first line", "second line"}),
               boost::test_tools::per_element());
    BOOST_TEST(end == eof);
    BOOST_TEST(text == "third");
}

BOOST_AUTO_TEST_CASE(composed_reads_and_writes)
{
    temporary_file f;
    stream_file file(context, f.path(), file_base::read_write);
    const std::string text = pattern(0, 1 << 20);
    std::string found(2 << 20, '\0');
    outcome written, read;
    asio::async_write(file, asio::buffer(text), record_in(written));
    run(context);
    BOOST_CHECK(written.succeeded(text.size()));
    file.seek(0, file_base::seek_set);
    asio::async_read(file, asio::buffer(found), record_in(read));
    run_again(context);
    BOOST_TEST(read.ec == eof);
    BOOST_TEST(read.bytes == text.size());
    BOOST_CHECK(found.compare(0, text.size(), text) == 0);

    file.seek(0, file_base::seek_set);
    BOOST_TEST(asio::write(file, asio::buffer("abc", 3)) == 3u);
    BOOST_TEST(asio::read(file, asio::buffer(found, 100)) == 100u);
    BOOST_CHECK(found.substr(0, 100) == pattern(3, 100));
}

BOOST_AUTO_TEST_CASE(a_buffered_read_stream_reads_it)
{
    temporary_file f(3000);
    stream_file file(context, f.path(), file_base::read_only);
    asio::buffered_read_stream<stream_file&> buffered(file, 512);
    std::string text(1000, '\0');
    outcome result;
    asio::async_read(buffered, asio::buffer(text), record_in(result));
    run(context);
    BOOST_CHECK(result.succeeded(1000));
    BOOST_CHECK(text == pattern(0, 1000));
}

BOOST_AUTO_TEST_CASE(beast_reads_and_writes_it)
{
    static_assert(beast::is_async_stream<stream_file>::value);
    static_assert(beast::is_sync_stream<stream_file>::value);
    temporary_file f;
    stream_file file(context, f.path(), file_base::read_write);
    http::response<http::string_body> sent(http::status::ok, 11);
    sent.set(http::field::server, "a file");
    sent.body() = pattern(0, 100000);
    sent.prepare_payload();
    outcome written, read;
    http::async_write(file, sent, record_in(written));
    run(context);
    BOOST_TEST(!written.ec);
    BOOST_TEST(position(file) == written.bytes);

    file.seek(0, file_base::seek_set);
    beast::flat_buffer buffer;
    http::response<http::string_body> received;
    http::async_read(file, buffer, received, record_in(read));
    run_again(context);
    BOOST_TEST(!read.ec);
    BOOST_TEST(received[http::field::server] == "a file");
    BOOST_CHECK(received.body() == sent.body());
}

BOOST_AUTO_TEST_CASE(all_operations_of_a_stream_on_many_threads)
{
    constexpr std::size_t count = 200;
    temporary_file f(count * 10);
    stream_file file(context, f.path(), file_base::read_only);
    std::string text(count * 10, '\0');
    std::deque<outcome> results(count);
    for (std::size_t i = 0; i != count; ++i)
        file.async_read_some(asio::buffer(&text[i * 10], 10), record_in(results[i]));
    run_on_threads(context, 4);
    for (const outcome& result : results)
        BOOST_CHECK(result.succeeded(10));
    BOOST_CHECK(text == pattern(0, count * 10));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
