//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// What direct transfers have to be multiples of. The kernel says so since Linux 6.1, for the file
// systems that know; for the others there are older ways, and at last a guess.

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <new>
#include <string>

#include <kaio/detail/file/descriptor.hpp>

namespace kaio {
namespace detail {
namespace descriptor {
namespace {

// Newer than the headers of Debian 12: what Linux 6.1 and 6.14 say, and where in the structure.
constexpr unsigned statx_dioalign = 0x2000;
constexpr unsigned statx_dio_read_align = 0x20000;

struct statx_layout
{
    std::uint32_t mask;
    std::uint32_t before[37];
    std::uint32_t memory_alignment;
    std::uint32_t offset_alignment;
    std::uint32_t between[5];
    std::uint32_t read_offset_alignment;
    std::uint32_t after[18];
};
static_assert(offsetof(statx_layout, memory_alignment) == 152);
static_assert(offsetof(statx_layout, read_offset_alignment) == 180);
static_assert(sizeof(statx_layout) == sizeof(struct ::statx));

// The XFS_IOC_DIOINFO of xfs_fs.h.
struct xfs_direct_io
{
    std::uint32_t memory;
    std::uint32_t smallest;
    std::uint32_t largest;
};
constexpr unsigned long xfs_ioc_dioinfo = _IOR('X', 30, xfs_direct_io);

bool ask_statx(int descriptor, io_alignment& result) noexcept
{
    struct ::statx buffer = {};
    if (::statx(descriptor, "", AT_EMPTY_PATH, statx_dioalign | statx_dio_read_align, &buffer) != 0)
        return false;
    statx_layout found;
    std::memcpy(&found, &buffer, sizeof(found));
    if ((found.mask & statx_dioalign) == 0)
        return false;
    const bool reads_differ =
        (found.mask & statx_dio_read_align) != 0 && found.read_offset_alignment != 0;
    result = {found.memory_alignment, found.offset_alignment,
              reads_differ ? found.read_offset_alignment : found.offset_alignment};
    return true;
}

bool ask_xfs(int descriptor, io_alignment& result) noexcept
{
    xfs_direct_io found;
    if (::ioctl(descriptor, xfs_ioc_dioinfo, &found) != 0)
        return false;
    result = {found.memory, found.smallest, found.smallest};
    return true;
}

std::uint32_t number_in(const std::string& path)
{
    std::uint32_t result = 0;
    std::ifstream(path) >> result;
    return result;
}

// Of the queue of the device on which a file lies; that of a partition is its disk's.
bool ask_queue(::dev_t device, io_alignment& result) noexcept
try
{
    const std::string directory = "/sys/dev/block/" + std::to_string(::gnu_dev_major(device)) +
                                  ':' + std::to_string(::gnu_dev_minor(device));
    for (const char* queue : {"/queue/", "/../queue/"})
    {
        const std::uint32_t block = number_in(directory + queue + "logical_block_size");
        if (block == 0)
            continue;
        // The file holds a mask, and older kernels have none.
        const std::uint32_t memory = number_in(directory + queue + "dma_alignment") + 1;
        result = {memory == 1 ? block : memory, block, block};
        return true;
    }
    return false;
}
catch (const std::bad_alloc&)
{
    return false;
}

} // namespace

io_alignment alignment(int descriptor, int& error) noexcept
{
    // Valid for all sectors up to this, and what btrfs needs for transfers that are really direct.
    constexpr std::uint32_t guess = 4096;

    struct stat status;
    error = ::fstat(descriptor, &status) == 0 ? 0 : errno;
    if (error != 0 || (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)))
        return {};

    io_alignment result;
    if (ask_statx(descriptor, result) || ask_xfs(descriptor, result))
        return result;
    if (S_ISBLK(status.st_mode))
    {
        int sector = 0;
        if (ask_queue(status.st_rdev, result))
            return result;
        if (::ioctl(descriptor, BLKSSZGET, &sector) == 0 && sector > 0)
        {
            const auto size = static_cast<std::uint32_t>(sector);
            return {size, size, size};
        }
    }
    else if (ask_queue(status.st_dev, result))
    {
        return result;
    }
    return {guess, guess, guess};
}

} // namespace descriptor
} // namespace detail
} // namespace kaio
