//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The service behind the files: how it is made, and what it needs.

#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdint>
#include <future>
#include <string>
#include <type_traits>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/block_size.hpp"
#include "support/interposed_io.hpp"
#include "support/needs_aio.hpp"
#include "support/outcome.hpp"
#include "support/process_state.hpp"
#include "support/run.hpp"
#include "support/system_error.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

namespace {

kaio::service_statistics statistics_of(asio::execution_context& context)
{
    return asio::use_service<kaio::aio_service>(context).statistics();
}

// Read a block of a new file.
void check_usable(asio::io_context& context)
{
    temporary_file source(block_size);
    kaio::random_access_file file(context, source.path(), kaio::file_base::read_only);
    std::string memory(block_size, '\0');
    outcome read;
    file.async_read_some_at(0, asio::buffer(memory), record_in(read));
    run_again(context);
    BOOST_TEST(read.succeeded(block_size), read);
    BOOST_TEST((memory == pattern(0, block_size)));
}

} // namespace

BOOST_AUTO_TEST_SUITE(aio_service)

BOOST_AUTO_TEST_CASE(is_made_beforehand)
{
    asio::io_context context;
    kaio::service_options options;
    options.max_in_flight = 7;
    kaio::aio_service& service = kaio::make_aio_service(context, options);
    BOOST_TEST(asio::has_service<kaio::aio_service>(context));
    BOOST_TEST(&asio::use_service<kaio::aio_service>(context) == &service);
    check_usable(context);
    BOOST_TEST(service.statistics().operations_completed == 1);
}

BOOST_AUTO_TEST_CASE(is_made_by_use_service)
{
    asio::io_context context;
    kaio::aio_service& service = asio::use_service<kaio::aio_service>(context);
    BOOST_TEST(service.statistics().operations_started == 0);
    check_usable(context);
    BOOST_TEST(&asio::use_service<kaio::aio_service>(context) == &service);
    BOOST_TEST(service.statistics().operations_completed == 1);
}

BOOST_AUTO_TEST_CASE(is_made_by_the_first_file)
{
    asio::io_context context;
    BOOST_TEST(!asio::has_service<kaio::aio_service>(context));
    check_usable(context);
    BOOST_TEST(asio::has_service<kaio::aio_service>(context));
}

BOOST_AUTO_TEST_CASE(is_made_and_not_used)
{
    asio::io_context context;
    kaio::make_aio_service(context);
    asio::thread_pool pool(1);
    kaio::make_aio_service(pool);
    asio::io_context other;
    asio::use_service<kaio::aio_service>(other);
    BOOST_TEST(run(context) == 0);
}

BOOST_AUTO_TEST_CASE(is_made_once)
{
    asio::io_context context;
    kaio::aio_service& service = kaio::make_aio_service(context);
    BOOST_CHECK_THROW(kaio::make_aio_service(context), asio::service_already_exists);
    BOOST_TEST(&asio::use_service<kaio::aio_service>(context) == &service);
    check_usable(context);

    asio::io_context with_file;
    kaio::random_access_file file(with_file);
    BOOST_CHECK_THROW(kaio::make_aio_service(with_file), asio::service_already_exists);
    check_usable(with_file);
}

BOOST_AUTO_TEST_CASE(has_one_kernel_context_for_all_files,
                     *boost::unit_test::precondition(&needs_aio))
{
    const std::size_t before = aio_contexts();
    {
        asio::io_context context;
        std::vector<kaio::random_access_file> files;
        for (int i = 0; i != 20; ++i)
            files.emplace_back(context);
        check_usable(context);
        BOOST_TEST(aio_contexts() == before + 1);
        asio::io_context other;
        check_usable(other);
        BOOST_TEST(aio_contexts() == before + 2);
        BOOST_TEST(statistics_of(context).operations_started == 1);
        BOOST_TEST(statistics_of(other).operations_started == 1);
    }
    BOOST_TEST(aio_contexts() == before);
}

BOOST_AUTO_TEST_CASE(works_on_a_thread_pool)
{
    temporary_file source(block_size);
    asio::thread_pool pool(2);
    kaio::make_aio_service(pool);
    kaio::random_access_file file(pool, source.path(), kaio::file_base::read_only);
    std::string memory(block_size, '\0');
    auto read = file.async_read_some_at(0, asio::buffer(memory), asio::use_future);
    BOOST_REQUIRE((read.wait_for(time_bound) == std::future_status::ready));
    BOOST_TEST(read.get() == block_size);
    BOOST_TEST(statistics_of(pool).operations_completed == 1);
}

BOOST_AUTO_TEST_CASE(refuses_options_without_sense)
{
    kaio::service_options no_depth;
    no_depth.max_in_flight = 0;
    kaio::service_options no_batch;
    no_batch.max_batch = 0;
    for (const kaio::service_options& options : {no_depth, no_batch})
    {
        asio::io_context context;
        BOOST_CHECK_EXCEPTION(kaio::make_aio_service(context, options), boost::system::system_error,
                              [](const boost::system::system_error& e) {
                                  return e.code() == asio::error::invalid_argument &&
                                         std::string(e.what()).find("max_") != std::string::npos;
                              });

        // And nothing has been left behind.
        BOOST_TEST(!asio::has_service<kaio::aio_service>(context));
        kaio::make_aio_service(context);
        check_usable(context);
    }
}

// As much as the kernel grants, or a clear refusal.
BOOST_DATA_TEST_CASE(takes_options_without_measure,
                     data::make({std::size_t(1) << 20, std::size_t(1) << 40, SIZE_MAX}), number)
{
    // Other programs want some of what the system has, too.
    unsigned granted = 0;
    const interposed_setup hook([&](unsigned events, ::aio_context_t* kernel) {
        if (events > 1000)
            return -EAGAIN;
        granted = events;
        return kernel_setup(events, kernel);
    });
    const auto make = [&](const kaio::service_options& options) {
        asio::io_context context;
        try
        {
            kaio::make_aio_service(context, options);
        }
        catch (const boost::system::system_error& e)
        {
            BOOST_TEST(
                (e.code() == asio::error::invalid_argument || e.code() == asio::error::no_memory),
                e.what());
            return;
        }
        check_usable(context);
    };

    kaio::service_options deep;
    deep.max_in_flight = number;
    make(deep);
    BOOST_TEST(granted > 500u);
    kaio::service_options wide;
    wide.max_batch = number;
    make(wide);
    make({});
}

BOOST_AUTO_TEST_CASE(is_content_with_fewer_operations_in_the_kernel,
                     *boost::unit_test::precondition(&needs_aio))
{
    constexpr unsigned allowed = 10;
    std::vector<unsigned> tried;
    const interposed_setup hook([&](unsigned events, ::aio_context_t* kernel) {
        tried.push_back(events);
        return events > allowed ? -EAGAIN : kernel_setup(events, kernel);
    });
    asio::io_context context;
    kaio::service_options options;
    options.require_kernel_aio = true;
    kaio::make_aio_service(context, options);
    BOOST_REQUIRE(!tried.empty());
    BOOST_TEST(tried.front() == options.max_in_flight);
    BOOST_TEST(tried.back() <= allowed);
    BOOST_TEST(tried.back() > allowed / 2);

    // The bound is what was granted.
    temporary_file source(block_size);
    kaio::random_access_file file(context, source.path(), kaio::file_base::read_only);
    std::vector<outcome> results(50);
    std::vector<std::string> memory(results.size(), std::string(10, '\0'));
    for (std::size_t i = 0; i != results.size(); ++i)
        file.async_read_some_at(i, asio::buffer(memory[i]), by_io_submit(), record_in(results[i]));
    run(context);
    for (const outcome& o : results)
        BOOST_TEST(o.succeeded(10), o);
    BOOST_TEST(statistics_of(context).in_flight_high_water == tried.back());
    BOOST_TEST(statistics_of(context).kernel_aio);
    BOOST_TEST(statistics_of(context).setup_error.empty());
}

BOOST_DATA_TEST_CASE(says_what_was_refused, data::make({EAGAIN, ENOMEM, EINVAL, EPERM, ENOSYS}),
                     error)
{
    const std::size_t descriptors = open_descriptors();
    const interposed_setup hook([=](unsigned, ::aio_context_t*) { return -error; });
    {
        asio::io_context context;
        kaio::service_options options;
        options.max_in_flight = 123;
        options.require_kernel_aio = true;
        BOOST_CHECK_EXCEPTION(kaio::make_aio_service(context, options), boost::system::system_error,
                              [=](const boost::system::system_error& e) {
                                  const std::string what = e.what();
                                  return e.code() == system_error(error) &&
                                         what.find("io_setup") != std::string::npos &&
                                         what.find("123") != std::string::npos &&
                                         what.find("fs.aio-nr ") != std::string::npos &&
                                         what.find("fs.aio-max-nr ") != std::string::npos;
                              });
        BOOST_TEST(!asio::has_service<kaio::aio_service>(context));

        // Without the kernel's help it works all the same, and says so.
        kaio::make_aio_service(context);
        check_usable(context);
        const kaio::service_statistics statistics = statistics_of(context);
        BOOST_TEST(!statistics.kernel_aio);
        BOOST_TEST(statistics.setup_error.find("io_setup") != std::string::npos);
    }
    BOOST_TEST(open_descriptors() == descriptors);
}

BOOST_AUTO_TEST_CASE(says_that_there_is_no_descriptor_left)
{
    asio::io_context context;
    // The context's own descriptors are there.
    {
        asio::posix::stream_descriptor make(context);
    }
    const std::size_t contexts = aio_contexts();
    const int next = ::dup(0);
    ::close(next);
    ::rlimit limit;
    ::getrlimit(RLIMIT_NOFILE, &limit);
    ::rlimit none = limit;
    none.rlim_cur = static_cast<::rlim_t>(next);
    ::setrlimit(RLIMIT_NOFILE, &none);
    boost::system::error_code of_make;
    std::string what;
    boost::system::error_code of_file;
    try
    {
        kaio::make_aio_service(context);
    }
    catch (const boost::system::system_error& e)
    {
        of_make = e.code();
        what = e.what();
    }
    try
    {
        kaio::random_access_file file(context);
    }
    catch (const boost::system::system_error& e)
    {
        of_file = e.code();
    }
    ::setrlimit(RLIMIT_NOFILE, &limit);

    BOOST_TEST(of_make == system_error(EMFILE));
    BOOST_TEST(what.find("eventfd") != std::string::npos, what);
    BOOST_TEST(of_file == system_error(EMFILE));
    BOOST_TEST(aio_contexts() == contexts);
    kaio::make_aio_service(context);
    check_usable(context);
}

BOOST_AUTO_TEST_SUITE_END()
