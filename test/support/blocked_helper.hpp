//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_BLOCKED_HELPER_HPP
#define KAIO_TEST_SUPPORT_BLOCKED_HELPER_HPP

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <thread>

#include <kaio/aio_service.hpp>
#include <kaio/stream_file.hpp>

#include "plain_outcome.hpp"
#include "run.hpp"

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

/// Keeps one helper thread busy: it reads an eventfd that nobody has signalled.
class blocked_helper
{
public:
    explicit blocked_helper(boost::asio::io_context& context) : file_(context)
    {
        file_.assign(::eventfd(0, EFD_CLOEXEC));
        auto& service = boost::asio::use_service<aio_service>(context);
        const auto before = service.statistics().helper_operations;
        // It completes after this object is gone, as the case may be.
        const auto count = std::make_shared<std::uint64_t>();
        file_.async_read_some(boost::asio::buffer(count.get(), sizeof(*count)),
                              [count](boost::system::error_code, std::size_t) {});
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
        ::eventfd_write(file_.native_handle(), 1);
    }

private:
    stream_file file_;
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
