//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_TAKE_DOWN_HPP
#define KAIO_TEST_SUPPORT_TAKE_DOWN_HPP

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "disk.hpp"

namespace kaio {
namespace test {

/// btrfs has no such request.
constexpr file_system disks_that_can_go_down[] = {{"ext4", "mkfs.ext4", "-q -F", 64},
                                                  {"xfs", "mkfs.xfs", "-q -f", 400}};

/// Have the file system of a directory go down: nothing that is in memory reaches the disk any more.
/** The request has the same number for all file systems that know it. */
inline bool take_down(const std::string& directory)
{
    const unsigned long request = _IOR('X', 125, std::uint32_t);
    std::uint32_t without_flush = 2;
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int result = ::ioctl(descriptor, request, &without_flush);
    ::close(descriptor);
    return result == 0;
}

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_TAKE_DOWN_HPP
