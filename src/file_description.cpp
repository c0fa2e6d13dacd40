//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/detail/file_description.hpp>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

namespace kaio {
namespace detail {

file_description describe(int descriptor) noexcept
{
    file_description result;
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

    struct statfs file_system;
    result.ignores_nowait = result.type == file_type::regular &&
                            ::fstatfs(descriptor, &file_system) == 0 &&
                            file_system.f_type == BTRFS_SUPER_MAGIC;
    return result;
}

} // namespace detail
} // namespace kaio
