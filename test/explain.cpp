//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// What is said of failures: by explain(), and by what() of the exceptions.

#include <signal.h>
#include <sys/resource.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include <kaio/aligned_buffer.hpp>
#include <kaio/explain.hpp>
#include <kaio/random_access_file.hpp>
#include <kaio/stream_file.hpp>

#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/temporary_file.hpp"

namespace {

namespace asio = boost::asio;
namespace errc = boost::system::errc;
using boost::system::error_code;
using boost::system::system_error;
using kaio::explain;
using kaio::file_base;
using kaio::io_options;
using kaio::random_access_file;
using kaio::stream_file;
using namespace kaio::test;

const error_code eof = asio::error::eof;

bool says(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

// The function throws, with this code, and what() says where it was thrown and why.
template <typename Function, typename Code>
void check_what(Function function, Code code, const std::string& where, const std::string& why)
{
    BOOST_CHECK_EXCEPTION(function(), system_error, [&](const system_error& e) {
        BOOST_TEST(e.code() == code);
        BOOST_TEST(std::string(e.what()).compare(0, where.size() + 2, where + ": ") == 0, e.what());
        BOOST_TEST(says(e.what(), why), e.what() << " doesn't say: " << why);
        return true;
    });
}

struct fixture : context_fixture
{
    temporary_file f{std::size_t(8192)};
    std::string text = std::string(100, '\0');
};

BOOST_FIXTURE_TEST_SUITE(explain_header, fixture)

BOOST_AUTO_TEST_CASE(no_error_no_words)
{
    random_access_file file(context, f.path(), file_base::read_only);
    BOOST_TEST(explain(file, 0, asio::buffer(text), error_code()) == "");
}

BOOST_AUTO_TEST_CASE(misalignment)
{
    if (!direct_io_available())
        return;
    random_access_file file(context, f.path(), file_base::read_write | file_base::direct);
    const kaio::io_alignment needed = file.alignment();
    const std::string multiple = " is not a multiple of " + std::to_string(needed.read_offset);
    const error_code ec = errc::make_error_code(errc::invalid_argument);
    const error_code invalid(ec.value(), boost::system::system_category());
    kaio::aligned_buffer block(4096);
    char* const begin = static_cast<char*>(block.data());

    check_what([&] { file.read_some_at(10, asio::buffer(block)); }, errc::invalid_argument,
               "read_some_at", "offset 10" + multiple);
    check_what([&] { file.write_some_at(10, asio::buffer(block)); }, errc::invalid_argument,
               "write_some_at", "offset 10" + multiple);
    check_what([&] { file.read_some_at(0, asio::buffer(block, 100)); }, errc::invalid_argument,
               "read_some_at", "the length of the buffer, 100" + multiple);

    const std::string why =
        explain(file, 0, asio::buffer(begin + 1, 4096 - needed.offset), invalid);
    BOOST_TEST(says(why, "the address of the buffer"), why);
    BOOST_TEST(says(why, " is not a multiple of " + std::to_string(needed.memory)), why);
    BOOST_TEST(!says(why, "offset"), why);
    BOOST_TEST(!says(why, "length"), why);

    const std::array<asio::mutable_buffer, 2> two{asio::buffer(begin, 2048),
                                                  asio::buffer(begin + 2048, 100)};
    const std::string second = explain(file, 4096, two, invalid);
    BOOST_TEST(says(second, "the length of the buffer 2, 100"), second);
    BOOST_TEST(!says(second, "buffer 1"), second);

    // The asynchronous operation fails with the same code, for the same reason.
    outcome result;
    file.async_read_some_at(10, asio::buffer(block), record_in(result));
    run(context);
    BOOST_TEST(result.ec == errc::invalid_argument);
    BOOST_TEST(says(explain(file, 10, asio::buffer(block), result.ec), "offset 10" + multiple));

    // Aligned as it should be: nothing can be said but what the code says.
    BOOST_TEST(explain(file, 0, asio::buffer(block), invalid) == invalid.message());

    stream_file stream(context, f.path(), file_base::read_write | file_base::direct);
    stream.seek(10, file_base::seek_set);
    check_what([&] { stream.read_some(asio::buffer(block)); }, errc::invalid_argument, "read_some",
               "offset 10" + multiple);
    check_what([&] { stream.write_some(asio::buffer(block)); }, errc::invalid_argument,
               "write_some", "offset 10" + multiple);
}

BOOST_AUTO_TEST_CASE(access_modes)
{
    random_access_file reader(context, f.path(), file_base::read_only);
    random_access_file writer(context, f.path(), file_base::write_only);
    random_access_file closed(context);
    check_what([&] { reader.write_some_at(0, asio::buffer(text)); }, errc::bad_file_descriptor,
               "write_some_at", "for reading only");
    check_what([&] { writer.read_some_at(0, asio::buffer(text)); }, errc::bad_file_descriptor,
               "read_some_at", "for writing only");
    check_what([&] { closed.read_some_at(0, asio::buffer(text)); }, errc::bad_file_descriptor,
               "read_some_at", "not open");
    stream_file closed_stream(context);
    check_what([&] { closed_stream.write_some(asio::buffer(text)); }, errc::bad_file_descriptor,
               "write_some", "not open");
}

BOOST_AUTO_TEST_CASE(ends)
{
    random_access_file file(context, f.path(), file_base::read_only);
    check_what([&] { file.read_some_at(9000, asio::buffer(text)); }, eof, "read_some_at",
               "the file ends at 8192, and the read began at 9000");
    stream_file stream(context, f.path(), file_base::read_only);
    stream.seek(0, file_base::seek_end);
    check_what([&] { stream.read_some(asio::buffer(text)); }, eof, "read_some",
               "the read began at 8192");
    check_what([&] { file.read_some_at(std::uint64_t(1) << 63, asio::buffer(text)); },
               errc::invalid_argument, "read_some_at", "9223372036854775808 is above the largest");
}

BOOST_AUTO_TEST_CASE(limits)
{
    random_access_file file(context, f.path(), file_base::read_write);
    ::signal(SIGXFSZ, SIG_IGN);
    ::rlimit before;
    ::getrlimit(RLIMIT_FSIZE, &before);
    const ::rlimit limit{10000, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    check_what([&] { file.write_some_at(10000, asio::buffer(text)); }, errc::file_too_large,
               "write_some_at", "at most 10000 bytes (RLIMIT_FSIZE)");
    ::setrlimit(RLIMIT_FSIZE, &before);
    check_what([&] { file.write_some_at(INT64_MAX - 200, asio::buffer(text)); },
               errc::file_too_large, "write_some_at", "no files that large");
}

BOOST_AUTO_TEST_CASE(full_devices)
{
    random_access_file full(context, "/dev/full", file_base::write_only);
    check_what([&] { full.write_some_at(0, asio::buffer(text)); }, errc::no_space_on_device,
               "write_some_at", "100 were to be written");
}

BOOST_AUTO_TEST_CASE(unsupported_options)
{
    random_access_file file(context, f.path(), file_base::read_write);
    io_options options;
    options.atomic = true;
    error_code ec;
    file.write_some_at(0, asio::buffer(text), options, ec);
    BOOST_TEST(!!ec);
    const std::string why = explain(file, 0, asio::buffer(text), options, ec);
    BOOST_TEST(says(why, "atomic"), ec << ' ' << why);
    check_what([&] { file.write_some_at(0, asio::buffer(text), options); }, ec, "write_some_at",
               "atomic");
}

BOOST_AUTO_TEST_CASE(other_codes)
{
    random_access_file directory(context, "/", file_base::read_only);
    check_what([&] { directory.read_some_at(0, asio::buffer(text)); }, errc::is_a_directory,
               "read_some_at", "directory");
    BOOST_TEST(says(explain(directory, 0, asio::buffer(text), asio::error::operation_aborted),
                    "before it had begun"));

    // Of codes that nobody knows here there is the message.
    const error_code other = asio::error::host_not_found;
    BOOST_TEST(explain(directory, 0, asio::buffer(text), other) == other.message());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
