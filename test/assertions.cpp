//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Misuse that no error code can report is named by an assertion.

#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/assert.hpp>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>

#include <kaio/kaio.hpp>

#include "support/child_process.hpp"
#include "support/temporary_file.hpp"

namespace asio = boost::asio;

using namespace kaio::test;

namespace {

constexpr int asserted = 42;

// What the message of the assertion that ends a child has to begin with.
const char* expected = "";

[[noreturn]] void fail(const char* message)
{
    const bool right =
        *expected != 0 && std::strncmp(message, expected, std::strlen(expected)) == 0;
    if (!right)
        std::cerr << "in a child: assertion: " << message << std::endl;
    ::_exit(right ? asserted : 1);
}

} // namespace

// Boost.Assert calls these, as the build asks for it: also where NDEBUG is defined.
namespace boost {

void assertion_failed(const char* expression, const char*, const char*, long)
{
    fail(expression);
}

void assertion_failed_msg(const char*, const char* message, const char*, const char*, long)
{
    fail(message);
}

} // namespace boost

namespace {

template <typename Function>
bool asserts(const char* message, Function&& f)
{
    return run_in_child([&] {
               expected = message;
               f();
               return 0;
           }) == asserted;
}

template <typename Function>
bool passes(Function&& f)
{
    return run_in_child([&] {
               f();
               return 0;
           }) == 0;
}

struct file_in_context
{
    explicit file_in_context(const temporary_file& target)
      : context(std::in_place), file(*context, target.path(), kaio::file_base::read_only)
    {
    }

    void read()
    {
        file.async_read_some_at(0, asio::buffer(memory),
                                [](boost::system::error_code, std::size_t) {});
    }

    std::optional<asio::io_context> context;
    kaio::random_access_file file;
    char memory[10] = {};
};

} // namespace

BOOST_AUTO_TEST_SUITE(assertions)

BOOST_AUTO_TEST_CASE(an_open_file_outlives_its_context)
{
    const temporary_file target(std::size_t(100));
    BOOST_TEST(asserts("kaio: an open file outlives", [&] {
        file_in_context f(target);
        f.context.reset();
    }));
    BOOST_TEST(asserts("kaio: an open file outlives", [&] {
        file_in_context f(target);
        f.file.close();
        f.file.async_open(target.path(), kaio::file_base::read_only,
                          [](boost::system::error_code) {});
        f.context.reset();
    }));

    // One that is closed has nothing to lose, and a handler's file goes with the handler.
    BOOST_TEST(passes([&] {
        file_in_context f(target);
        f.read();
        f.file.close();
        f.context.reset();
    }));
    BOOST_TEST(passes([&] {
        file_in_context f(target);
        auto owned = std::make_unique<kaio::random_access_file>(std::move(f.file));
        auto& file = *owned;
        file.async_read_some_at(
            0, asio::buffer(f.memory),
            [owned = std::move(owned)](boost::system::error_code, std::size_t) {});
        f.context.reset();
    }));
}

BOOST_AUTO_TEST_CASE(a_child_process_goes_on_without_having_said_so)
{
    const temporary_file target(std::size_t(100));
    file_in_context f(target);
    BOOST_TEST(asserts("kaio: a child process", [&] { f.read(); }));

    // It may end, and its files with it.
    BOOST_TEST(passes([&] {
        f.file.close();
        f.context.reset();
    }));

    f.context->notify_fork(asio::execution_context::fork_prepare);
    BOOST_TEST(passes([&] {
        f.context->notify_fork(asio::execution_context::fork_child);
        f.read();
        f.context->run();
    }));
    f.context->notify_fork(asio::execution_context::fork_parent);
    f.file.close();
}

BOOST_AUTO_TEST_CASE(a_fork_is_announced_halfway)
{
    const temporary_file target(std::size_t(100));
    using context = asio::execution_context;
    for (const auto event : {context::fork_parent, context::fork_child})
    {
        BOOST_TEST(passes([&] {
            file_in_context f(target);
            f.context->notify_fork(context::fork_prepare);
            f.context->notify_fork(event);
            f.context->notify_fork(context::fork_prepare);
            f.context->notify_fork(event);
            f.file.close();
        }));
    }
    BOOST_TEST(asserts("kaio: notify_fork", [&] {
        file_in_context f(target);
        f.context->notify_fork(context::fork_child);
    }));
    BOOST_TEST(asserts("kaio: notify_fork", [&] {
        file_in_context f(target);
        f.context->notify_fork(context::fork_prepare);
        f.context->notify_fork(context::fork_prepare);
    }));
}

BOOST_AUTO_TEST_SUITE_END()
