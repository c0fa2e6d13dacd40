//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_DESCRIPTOR_HPP
#define KAIO_BENCH_DESCRIPTOR_HPP

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace bench {

/// Owns a file descriptor.
class descriptor
{
public:
    explicit descriptor(int fd) noexcept : fd_(fd)
    {
    }

    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1))
    {
    }

    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;

    ~descriptor()
    {
        if (fd_ >= 0)
            ::close(fd_);
    }

    int get() const noexcept
    {
        return fd_;
    }

private:
    int fd_;
};

[[noreturn]] inline void throw_errno(const std::string& what)
{
    throw std::system_error(errno, std::generic_category(), what);
}

inline descriptor open_file(const std::string& path, int flags)
{
    descriptor result(::open(path.c_str(), flags | O_CLOEXEC));
    if (result.get() < 0)
        throw_errno("cannot open " + path);
    return result;
}

} // namespace bench

#endif // KAIO_BENCH_DESCRIPTOR_HPP
