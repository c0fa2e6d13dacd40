//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_BLOCKING_OPERATION_HPP
#define KAIO_BENCH_BLOCKING_OPERATION_HPP

#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "lane.hpp"

namespace bench {

/// Carries out the operation of a slot by pread, pwrite or fdatasync: a size, or a negative errno.
inline long carry_out(int fd, const slot& s, std::size_t block_size) noexcept
{
    ssize_t result = 0;
    switch (s.op.kind)
    {
    case operation::read:
        result = ::pread(fd, s.data, block_size, static_cast<off_t>(s.op.offset));
        break;
    case operation::write:
        result = ::pwrite(fd, s.data, block_size, static_cast<off_t>(s.op.offset));
        break;
    case operation::sync:
        result = ::fdatasync(fd);
    }
    return result < 0 ? -errno : result;
}

} // namespace bench

#endif // KAIO_BENCH_BLOCKING_OPERATION_HPP
