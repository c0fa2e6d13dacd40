//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_IO_OPTIONS_HPP
#define KAIO_IO_OPTIONS_HPP

#include <optional>

#include <kaio/detail/config.hpp>

namespace kaio {

/// An I/O scheduling class of the kernel, see ioprio_set(2).
enum class io_priority_class
{
    /// Served before all others. Needs CAP_SYS_ADMIN or CAP_SYS_NICE.
    real_time = 1,

    /// The usual class.
    best_effort = 2,

    /// Served when nobody else wants the device.
    idle = 3
};

/// An I/O priority: a class, and within it a level from 0 (first) to 7 (last).
struct io_priority
{
    io_priority_class io_class = io_priority_class::best_effort;
    int level = 4;
};

/// What one transfer asks for beyond its offset and its buffers.
/**
 * An option that the kernel or the file system doesn't know makes the operation that asked for it
 * fail with @c operation_not_supported. The options are those of preadv2(2) and pwritev2(2).
 */
struct io_options
{
    /// Writes: complete when the data is on stable storage (RWF_DSYNC).
    bool data_sync = false;

    /// Writes: complete when data and metadata are on stable storage (RWF_SYNC).
    bool sync = false;

    /// Writes: to the end of the file, whatever the offset (RWF_APPEND).
    /**
     * Done by one call of the kernel, so that nobody else's append gets in between. That takes a
     * thread, as the kernel does half of it at times when it is not to wait. On XFS the kernel lets
     * direct appends through several descriptors overwrite each other, those of write(2), too (seen
     * on Linux 6.18).
     */
    bool append = false;

    /// Fail with @c try_again, or transfer less, rather than wait (RWF_NOWAIT).
    bool no_wait = false;

    /// Writes: all or nothing, also across a power failure (RWF_ATOMIC). Never done in parts.
    bool atomic = false;

    /// Leave nothing in the page cache (RWF_DONTCACHE).
    bool uncached = false;

    /// The I/O priority of the transfer; without it that of the submitting thread counts.
    std::optional<io_priority> priority;
};

} // namespace kaio

#endif // KAIO_IO_OPTIONS_HPP
