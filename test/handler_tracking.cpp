//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Asio's handler tracking shows kaio's operations.

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/run.hpp"
#include "support/temporary_file.hpp"

namespace asio = boost::asio;

using namespace kaio::test;

namespace {

// One line that Asio writes: "@asio|<time>|<action>|<description>".
struct event
{
    std::string action;
    std::string description;
};

// The text that a function writes to the standard error stream.
template <typename Function>
std::vector<event> events_of(Function&& f)
{
    const temporary_file log;
    const int before = ::dup(STDERR_FILENO);
    const int descriptor = ::open(log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    BOOST_REQUIRE(::dup2(descriptor, STDERR_FILENO) != -1);
    std::forward<Function>(f)();
    ::dup2(before, STDERR_FILENO);
    ::close(descriptor);
    ::close(before);

    std::vector<event> result;
    std::istringstream lines(log.contents());
    for (std::string line; std::getline(lines, line);)
    {
        std::istringstream fields(line);
        std::string tag, time;
        event e;
        std::getline(fields, tag, '|');
        BOOST_TEST(tag == "@asio");
        std::getline(fields, time, '|');
        std::getline(fields, e.action, '|');
        std::getline(fields, e.description);
        result.push_back(e);
    }
    return result;
}

bool ends_with(const std::string& text, const std::string& end)
{
    return text.size() >= end.size() &&
           text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// The handler of an operation on a file: "<number of its creator>*<its own number>".
std::optional<std::pair<std::string, std::string>> created(const std::vector<event>& events,
                                                           const std::string& operation)
{
    for (const event& e : events)
    {
        const std::size_t star = e.action.find('*');
        if (star != std::string::npos && e.description.compare(0, 5, "file@") == 0 &&
            ends_with(e.description, '.' + operation))
            return std::make_pair(e.action.substr(0, star), e.action.substr(star + 1));
    }
    return std::nullopt;
}

std::string number_of(const std::vector<event>& events, const std::string& operation)
{
    const auto numbers = created(events, operation);
    BOOST_REQUIRE_MESSAGE(numbers, operation << " is not tracked");
    return numbers->second;
}

// The description of the first line with an action, if there is one.
std::optional<std::string> find(const std::vector<event>& events, const std::string& action)
{
    for (const event& e : events)
    {
        if (e.action == action)
            return e.description;
    }
    return std::nullopt;
}

struct tracking_fixture
{
    const temporary_file target{std::size_t(1000)};
    std::string memory = std::string(100, '\0');
    asio::io_context context;
    const kaio::file_base::flags flags = kaio::file_base::read_write;
};

const auto ignore = [](const auto&...) {};

} // namespace

BOOST_FIXTURE_TEST_SUITE(handler_tracking, tracking_fixture)

BOOST_AUTO_TEST_CASE(shows_where_an_operation_was_started)
{
    kaio::random_access_file file(context, target.path(), flags);
    int line = 0;
    const auto events = events_of([&] {
        BOOST_ASIO_HANDLER_LOCATION((__FILE__, line = __LINE__, "reader"));
        file.async_read_some_at(0, asio::buffer(memory), ignore);
    });
    const std::string number = number_of(events, "async_read_some_at");
    const auto location = find(events, "0^" + number);
    BOOST_REQUIRE(location);
    BOOST_TEST(location->find("in 'reader' (") == 0U, *location);
    BOOST_TEST(ends_with(*location, "handler_tracking.cpp:" + std::to_string(line) + ")"),
               *location);
    run(context);
}

BOOST_AUTO_TEST_CASE(it_shows_what_came_of_an_operation)
{
    kaio::random_access_file file(context, target.path(), flags);
    const auto events = events_of([&] {
        file.async_read_some_at(950, asio::buffer(memory), ignore);
        file.async_write_some_at(1, asio::buffer(memory, 7), ignore);
        file.async_sync_data(ignore);
        run(context);
    });
    const auto result_of = [&](const std::string& operation) {
        const std::string number = number_of(events, operation);
        BOOST_TEST(!!find(events, '<' + number));
        return find(events, '>' + number).value_or("not called");
    };
    BOOST_TEST(result_of("async_read_some_at") == "ec=system:0,bytes_transferred=50");
    BOOST_TEST(result_of("async_write_some_at") == "ec=system:0,bytes_transferred=7");
    BOOST_TEST(result_of("async_sync_data") == "ec=system:0");
}

BOOST_AUTO_TEST_CASE(it_shows_errors)
{
    kaio::random_access_file file(context, target.path(), flags);
    const auto events = events_of([&] {
        file.async_read_some_at(1000, asio::buffer(memory), ignore);
        run(context);
    });
    const std::string number = number_of(events, "async_read_some_at");
    BOOST_TEST(find(events, '>' + number).value_or("") == "ec=asio.misc:2,bytes_transferred=0");
}

BOOST_AUTO_TEST_CASE(chains_operations_started_by_handlers)
{
    kaio::random_access_file file(context, target.path(), flags);
    const auto events = events_of([&] {
        file.async_read_some_at(0, asio::buffer(memory), [&](const auto&...) {
            file.async_write_some_at(0, asio::buffer(memory), ignore);
        });
        run(context);
    });
    const auto read = created(events, "async_read_some_at");
    const auto write = created(events, "async_write_some_at");
    BOOST_REQUIRE((read && write));
    BOOST_TEST(read->first == "0");
    BOOST_TEST(write->first == read->second);
}

BOOST_AUTO_TEST_CASE(names_all_operations)
{
    kaio::random_access_file file(context);
    kaio::stream_file stream(context, target.path(), flags);
    const auto events = events_of([&] {
        file.async_open(target.path(), flags, ignore);
        run(context);
        file.async_allocate(0, 2000, ignore);
        file.async_resize(1000, ignore);
        file.async_sync_all(ignore);
        stream.async_read_some(asio::buffer(memory), ignore);
        stream.async_write_some(asio::buffer(memory), ignore);
        run_again(context);
        file.async_close(ignore);
        run_again(context);
    });
    for (const char* name : {"async_open", "async_allocate", "async_resize", "async_sync_all",
                             "async_read_some", "async_write_some", "async_close"})
    {
        const auto numbers = created(events, name);
        BOOST_TEST(!!numbers, name);
        BOOST_TEST((numbers && find(events, '>' + numbers->second)), name);
    }
}

BOOST_AUTO_TEST_CASE(shows_what_is_done_with_a_file)
{
    const auto events = events_of([&] {
        kaio::random_access_file file(context, target.path(), flags);
        file.cancel();
        ::close(file.release());
        file.open(target.path(), flags);
        file.close();
    });
    std::vector<std::string> done;
    for (const event& e : events)
    {
        if (e.action == "0" && e.description.compare(0, 5, "file@") == 0)
            done.push_back(e.description.substr(e.description.find('.') + 1));
    }
    const std::vector<std::string> expected{"cancel", "release", "close"};
    BOOST_TEST(done == expected, boost::test_tools::per_element());
}

// kaio's own posts and waits differ from the program's.
BOOST_AUTO_TEST_CASE(it_tells_kaio_from_the_program)
{
    kaio::random_access_file file(context, target.path(), flags);
    // A sync may be done before the loop would wait for it, but hardly every time.
    const auto events = events_of([&] {
        file.async_read_some_at(0, asio::buffer(memory, 0), ignore);
        for (int i = 0; i != 100; ++i)
        {
            file.async_sync_all(ignore);
            context.restart();
            run(context);
        }
    });
    for (const char* what : {"in 'kaio: begin a turn'", "in 'kaio: wait for completions'",
                             "in 'kaio: complete at once'"})
    {
        bool found = false;
        for (const event& e : events)
            found = found || e.description.compare(0, std::string(what).size(), what) == 0;
        BOOST_TEST(found, what << events.size());
    }
}

BOOST_AUTO_TEST_CASE(shows_handlers_that_throw_or_are_never_called)
{
    const auto thrown = events_of([&] {
        kaio::random_access_file file(context, target.path(), flags);
        file.async_read_some_at(0, asio::buffer(memory),
                                [](const auto&...) { throw std::runtime_error("from a handler"); });
        BOOST_CHECK_THROW(context.run(), std::runtime_error);
    });
    BOOST_TEST(!!find(thrown, '!' + number_of(thrown, "async_read_some_at")));

    const auto destroyed = events_of([&] {
        asio::io_context other;
        kaio::random_access_file file(other, target.path(), flags);
        file.async_read_some_at(0, asio::buffer(memory), ignore);
    });
    BOOST_TEST(!!find(destroyed, '~' + number_of(destroyed, "async_read_some_at")));
}

BOOST_AUTO_TEST_SUITE_END()
