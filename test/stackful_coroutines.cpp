//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_at.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write_at.hpp>
#include <boost/test/unit_test.hpp>
#include <kaio/kaio.hpp>

#include "support/token_fixture.hpp"

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using boost::system::system_error;
using namespace kaio::test;

struct fixture : token_fixture
{
    template <typename Function>
    void check(Function function)
    {
        bool ended = false;
        asio::spawn(
            context,
            [&](asio::yield_context yield) {
                function(yield);
                ended = true;
            },
            [](std::exception_ptr e) {
                if (e)
                    std::rethrow_exception(e);
            });
        run_again(context);
        BOOST_TEST(ended);
    }
};

BOOST_AUTO_TEST_SUITE(stackful_coroutines)

BOOST_FIXTURE_TEST_CASE_TEMPLATE(yield_context, Operation, token_operations, fixture)
{
    this->check([this](asio::yield_context yield) {
        BOOST_TEST(Operation::start(*this, this->file, yield) == 100u);
        BOOST_CHECK(Operation::done(*this));

        error_code ec = asio::error::fault;
        BOOST_TEST(Operation::start(*this, this->file, yield[ec]) == 100u);
        BOOST_TEST(!ec);
        BOOST_TEST(Operation::start(*this, this->file, asio::redirect_error(yield, ec)) == 100u);

        this->file.close();
        Operation::start(*this, this->file, yield[ec]);
        BOOST_TEST(ec == asio::error::bad_descriptor);
        BOOST_CHECK_EXCEPTION(
            Operation::start(*this, this->file, yield), system_error,
            [](const system_error& e) { return e.code() == asio::error::bad_descriptor; });
    });
}

BOOST_FIXTURE_TEST_CASE(composed_operations_take_a_yield_context, fixture)
{
    check([this](asio::yield_context yield) {
        BOOST_TEST(asio::async_read_at(file, 10, asio::buffer(text), yield) == 100u);
        BOOST_CHECK(text == pattern(10, 100));
        BOOST_TEST(asio::async_write_at(file, 950, asio::buffer(text), yield) == 100u);
        BOOST_CHECK(on_disk.contents() == pattern(0, 950) + text);
    });
}

BOOST_FIXTURE_TEST_CASE(a_coroutine_that_never_goes_on, fixture)
{
    // Destroying the context unwinds the stack of a coroutine that waits for an operation.
    bool unwound = false;
    struct mark
    {
        ~mark()
        {
            flag = true;
        }

        bool& flag;
    };
    {
        asio::io_context short_lived;
        kaio::random_access_file other(short_lived, on_disk.path(), kaio::file_base::read_only);
        asio::spawn(
            short_lived,
            [&](asio::yield_context yield) {
                const mark at_the_end{unwound};
                other.async_read_some_at(0, asio::buffer(text), yield);
                BOOST_ERROR("the coroutine has gone on");
            },
            asio::detached);
        short_lived.run_one();
        BOOST_TEST(!unwound);
        other.close();
    }
    BOOST_TEST(unwound);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
