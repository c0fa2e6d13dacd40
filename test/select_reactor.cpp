//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Where Asio waits by select(2), which takes no descriptor from 1024 on. A wait for such a one ends at
// once, and so would the next.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/outcome.hpp"
#include "support/process_state.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"

#if defined(BOOST_ASIO_HAS_EPOLL)
#error "this is for Asio without epoll"
#endif

namespace asio = boost::asio;

using kaio::file_base;

using namespace kaio::test;

namespace {

/// Takes all descriptors that select(2) knows, and gives them back.
class all_low_descriptors
{
public:
    all_low_descriptors()
    {
        ::rlimit limit;
        ::getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
        int descriptor = 0;
        while (descriptor != -1 && descriptor < FD_SETSIZE)
        {
            descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
            if (descriptor != -1)
                taken_.push_back(descriptor);
        }
        enough_ = descriptor >= FD_SETSIZE;
    }

    all_low_descriptors(const all_low_descriptors&) = delete;
    all_low_descriptors& operator=(const all_low_descriptors&) = delete;

    ~all_low_descriptors()
    {
        for (const int descriptor : taken_)
            ::close(descriptor);
    }

    /// False if the process may not have that many.
    bool enough() const
    {
        return enough_;
    }

private:
    std::vector<int> taken_;
    bool enough_ = false;
};

bool does_not_fit(const boost::system::system_error& e)
{
    return e.code() == asio::error::fd_set_failure;
}

} // namespace

BOOST_AUTO_TEST_SUITE(select_reactor)

BOOST_AUTO_TEST_CASE(a_service_without_a_low_descriptor_is_refused)
{
    asio::io_context context;
    const asio::steady_timer makes_the_reactor(context);
    const all_low_descriptors taken;
    if (!taken.enough())
        return skip("too few descriptors allowed");
    BOOST_CHECK_EXCEPTION(kaio::make_aio_service(context), boost::system::system_error,
                          does_not_fit);
}

BOOST_AUTO_TEST_CASE(a_fork_without_a_low_descriptor_is_refused_and_the_parent_goes_on)
{
    const temporary_file on_disk(std::size_t(100));
    asio::io_context context;
    kaio::random_access_file file(context, on_disk.path(), file_base::read_only);
    const std::size_t descriptors = open_descriptors();
    {
        const all_low_descriptors taken;
        if (!taken.enough())
            return skip("too few descriptors allowed");
        BOOST_CHECK_EXCEPTION(context.notify_fork(asio::io_context::fork_prepare),
                              boost::system::system_error, does_not_fit);
        context.notify_fork(asio::io_context::fork_parent);
    }
    BOOST_TEST(open_descriptors() == descriptors);
    // Not for good.
    context.notify_fork(asio::io_context::fork_prepare);
    context.notify_fork(asio::io_context::fork_parent);
    std::string text(100, '\0');
    outcome result;
    file.async_read_some_at(0, asio::buffer(text), record_in(result));
    run_again(context);
    BOOST_TEST(result.succeeded(100), result);
}

BOOST_AUTO_TEST_SUITE_END()
