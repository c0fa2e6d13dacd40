//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/detail/file/file_traits.hpp>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#ifndef FUSE_SUPER_MAGIC // Before Linux 5.17.
#define FUSE_SUPER_MAGIC 0x65735546
#endif

namespace kaio {
namespace detail {
namespace {

// File systems whose files are functions of the kernel. Such a file does as it likes with offsets and
// with its position, and nothing of it is on a device.
bool is_made_up(const struct statfs& file_system) noexcept
{
    switch (file_system.f_type)
    {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case SECURITYFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
        return true;
    default:
        return false;
    }
}

} // namespace

file_traits traits_of(int descriptor) noexcept
{
    file_traits result;
    struct stat status;
    if (::fstat(descriptor, &status) == 0)
    {
        const bool is_device = S_ISBLK(status.st_mode) || S_ISCHR(status.st_mode);
        result.device = is_device ? status.st_rdev : status.st_dev;
        if (S_ISREG(status.st_mode))
            result.type = file_type::regular;
        else if (S_ISBLK(status.st_mode))
            result.type = file_type::block_device;
    }

    result.prefetches = result.type == file_type::block_device;

    struct statfs file_system;
    if (result.type == file_type::regular && ::fstatfs(descriptor, &file_system) == 0)
    {
        const auto kind = file_system.f_type;
        result.ignores_nowait = kind == BTRFS_SUPER_MAGIC;
        // Other file systems without a device of their own have servers.
        const bool on_device =
            major(result.device) != 0 || kind == BTRFS_SUPER_MAGIC || kind == OVERLAYFS_SUPER_MAGIC;
        result.prefetches = on_device && kind != FUSE_SUPER_MAGIC;
        if (is_made_up(file_system))
            result.type = file_type::other;
    }
    return result;
}

} // namespace detail
} // namespace kaio
