//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/detail/file/descriptor.hpp>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace kaio {
namespace detail {
namespace descriptor {
namespace {

int errno_of(int result) noexcept
{
    return result == -1 ? errno : 0;
}

// Whether open(2) would wait for the other end of a pipe, only for the file to be refused then.
bool waits_for_other_end(const char* path, int flags) noexcept
{
    // With these it says at once what it has to say.
    constexpr int refused_at_once = O_EXCL | O_DIRECTORY | O_NONBLOCK | O_PATH;
    struct stat status;
    return (flags & refused_at_once) == 0 &&
           ::fstatat(AT_FDCWD, path, &status,
                     (flags & O_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0) == 0 &&
           S_ISFIFO(status.st_mode);
}

} // namespace

int open(const char* path, int flags, unsigned permissions, access_pattern pattern,
         int& error) noexcept
{
    if (waits_for_other_end(path, flags))
    {
        error = ESPIPE;
        return -1;
    }
    int result;
    do
        result = ::open(path, flags | O_CLOEXEC, permissions);
    while (result == -1 && errno == EINTR);

    error = errno_of(result);
    if (result != -1)
        ::posix_fadvise(result, 0, 0,
                        pattern == access_pattern::random ? POSIX_FADV_RANDOM
                                                          : POSIX_FADV_SEQUENTIAL);
    return result;
}

void check_seekable(int descriptor, int& error) noexcept
{
    error = ::lseek(descriptor, 0, SEEK_CUR) == -1 ? errno : 0;
}

void close(int descriptor, int& error) noexcept
{
    error = errno_of(::close(descriptor));
}

std::uint64_t seek(int descriptor, std::int64_t offset, int whence, int& error) noexcept
{
    const ::off_t position = ::lseek(descriptor, static_cast<::off_t>(offset), whence);
    error = position == -1 ? errno : 0;
    return position == -1 ? 0 : static_cast<std::uint64_t>(position);
}

std::uint64_t size(int descriptor, int& error) noexcept
{
    struct stat status;
    error = errno_of(::fstat(descriptor, &status));
    if (error != 0)
        return 0;
    if (!S_ISBLK(status.st_mode))
        return static_cast<std::uint64_t>(status.st_size);

    std::uint64_t bytes = 0;
    error = errno_of(::ioctl(descriptor, BLKGETSIZE64, &bytes));
    return error == 0 ? bytes : 0;
}

void resize(int descriptor, std::uint64_t size, int& error) noexcept
{
    if (size > static_cast<std::uint64_t>(INT64_MAX))
        error = EINVAL;
    else
        error = errno_of(::ftruncate(descriptor, static_cast<off_t>(size)));
}

void allocate(int descriptor, std::uint64_t offset, std::uint64_t length, int& error) noexcept
{
    constexpr auto largest = static_cast<std::uint64_t>(INT64_MAX);
    if (offset > largest || length > largest)
        error = EINVAL;
    else
        error = errno_of(
            ::fallocate(descriptor, 0, static_cast<off_t>(offset), static_cast<off_t>(length)));
}

void sync_all(int descriptor, int& error) noexcept
{
    error = errno_of(::fsync(descriptor));
}

void sync_data(int descriptor, int& error) noexcept
{
    error = errno_of(::fdatasync(descriptor));
}

namespace {

// A filter of system calls, or a kernel, may know only the older functions.
::ssize_t transfer_by_older_call(int descriptor, operation_kind kind, const ::iovec* buffers,
                                 int count, std::int64_t offset) noexcept
{
    if (kind == operation_kind::read)
        return offset == -1 ? ::readv(descriptor, buffers, count)
                            : ::preadv(descriptor, buffers, count, offset);
    return offset == -1 ? ::writev(descriptor, buffers, count)
                        : ::pwritev(descriptor, buffers, count, offset);
}

} // namespace

std::size_t transfer(int descriptor, operation_kind kind, const ::iovec* buffers,
                     std::size_t buffer_count, std::int64_t offset, std::uint32_t rw_flags,
                     int& error) noexcept
{
    const int count = static_cast<int>(std::min<std::size_t>(buffer_count, IOV_MAX));
    const auto flags = static_cast<int>(rw_flags);
    ::ssize_t result;
    do
    {
        result = kind == operation_kind::read
                     ? ::preadv2(descriptor, buffers, count, offset, flags)
                     : ::pwritev2(descriptor, buffers, count, offset, flags);
        if (result == -1 && (errno == EPERM || errno == ENOSYS) && flags == 0)
            result = transfer_by_older_call(descriptor, kind, buffers, count, offset);
    } while (result == -1 && errno == EINTR);

    error = result == -1 ? errno : 0;
    return result == -1 ? 0 : static_cast<std::size_t>(result);
}

} // namespace descriptor
} // namespace detail
} // namespace kaio
