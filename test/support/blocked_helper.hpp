//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_BLOCKED_HELPER_HPP
#define KAIO_TEST_SUPPORT_BLOCKED_HELPER_HPP

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <thread>

#include <kaio/aio_service.hpp>
#include <kaio/random_access_file.hpp>

#include "plain_outcome.hpp"
#include "run.hpp"
#include "temporary_file.hpp"

namespace kaio {
namespace test {

/// Wait for what other threads do.
template <typename Condition>
void wait_until(Condition condition)
{
    const auto end = std::chrono::steady_clock::now() + time_bound;
    bool holds = condition();
    while (!holds && std::chrono::steady_clock::now() < end)
    {
        std::this_thread::yield();
        holds = condition();
    }
    BOOST_REQUIRE(holds);
}

/// Run what is ready on a context until a helper has begun a number of operations.
inline void run_until_begun(boost::asio::io_context& context, std::size_t operations)
{
    auto& service = boost::asio::use_service<aio_service>(context);
    wait_until([&] {
        context.restart();
        context.poll();
        return service.statistics().helper_operations >= operations;
    });
}

/// Keeps one helper thread busy: it opens a pipe that nobody writes to.
class blocked_helper
{
public:
    explicit blocked_helper(boost::asio::io_context& context) : file_(context)
    {
        ::unlink(pipe_.c_str());
        BOOST_REQUIRE(::mkfifo(pipe_.c_str(), 0600) == 0);
        auto& service = boost::asio::use_service<aio_service>(context);
        const auto before = service.statistics().helper_operations;
        // It completes after this object is gone, as the case may be.
        file_.async_open(pipe_.path(), file_base::read_only, [](boost::system::error_code) {});
        run_until_begun(context, before + 1);
    }

    blocked_helper(const blocked_helper&) = delete;
    blocked_helper& operator=(const blocked_helper&) = delete;

    ~blocked_helper()
    {
        release();
    }

    void release()
    {
        if (released_)
            return;
        released_ = true;
        int writer = -1;
        wait_until([&] {
            writer = ::open(pipe_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
            return writer != -1;
        });
        ::close(writer);
    }

private:
    temporary_file pipe_;
    random_access_file file_;
    bool released_ = false;
};

/// Makes every open of a file wait, by a lease.
class held_open
{
public:
    explicit held_open(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDWR | O_CLOEXEC))
    {
        // The kernel tells of an open by a signal.
        std::signal(SIGIO, SIG_IGN);
        taken_ = ::fcntl(descriptor_, F_SETLEASE, F_WRLCK) == 0;
    }

    held_open(const held_open&) = delete;
    held_open& operator=(const held_open&) = delete;

    ~held_open()
    {
        release();
    }

    /// Whether the file system has leases.
    bool works() const noexcept
    {
        return taken_;
    }

    void release()
    {
        if (descriptor_ == -1)
            return;
        ::fcntl(descriptor_, F_SETLEASE, F_UNLCK);
        ::close(descriptor_);
        descriptor_ = -1;
    }

private:
    int descriptor_;
    bool taken_;
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_BLOCKED_HELPER_HPP
