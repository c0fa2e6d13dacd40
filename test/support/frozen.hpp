//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_FROZEN_HPP
#define KAIO_TEST_SUPPORT_FROZEN_HPP

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace kaio {
namespace test {

/// Freezes a file system as long as it lives, as snapshots do: what writes to it waits.
/** Whatever becomes of the test, another process thaws it after a while: threads that wait for that
 * can't be killed, and neither can what they belong to. */
class frozen
{
public:
    explicit frozen(const std::string& mount_point)
      : descriptor_(::open(mount_point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    {
        int ends[2];
        if (descriptor_ == -1 || ::pipe2(ends, O_CLOEXEC) != 0)
            throw std::system_error(errno, std::generic_category(), mount_point);
        pipe_ = ends[1];
        start_guardian(ends[0]);
        ::close(ends[0]);
        if (::ioctl(descriptor_, FIFREEZE, 0) != 0)
        {
            const int error = errno;
            release();
            throw std::system_error(error, std::generic_category(), "FIFREEZE");
        }
    }

    frozen(const frozen&) = delete;
    frozen& operator=(const frozen&) = delete;

    ~frozen()
    {
        thaw();
    }

    /// True if it was still frozen.
    bool thaw()
    {
        const bool thawed = descriptor_ != -1 && ::ioctl(descriptor_, FITHAW, 0) == 0;
        release();
        return thawed;
    }

private:
    static constexpr int bound_ms = 30000;

    // It outlives the end of the process, and of its group. Threads may be there already: what it does
    // is safe after fork.
    void start_guardian(int end_of_pipe) const
    {
        const ::pid_t child = ::fork();
        if (child == -1)
            throw std::system_error(errno, std::generic_category(), "fork");
        if (child != 0)
        {
            ::waitpid(child, nullptr, 0);
            return;
        }
        ::setsid();
        ::close(pipe_);
        if (::fork() == 0)
        {
            ::pollfd end = {end_of_pipe, POLLIN, 0};
            ::poll(&end, 1, bound_ms);
            ::ioctl(descriptor_, FITHAW, 0);
        }
        ::_exit(0);
    }

    void release()
    {
        if (descriptor_ == -1)
            return;
        ::close(descriptor_);
        ::close(pipe_);
        descriptor_ = -1;
    }

    int descriptor_;
    int pipe_ = -1;
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_FROZEN_HPP
