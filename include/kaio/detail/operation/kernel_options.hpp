//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_KERNEL_OPTIONS_HPP
#define KAIO_DETAIL_OPERATION_KERNEL_OPTIONS_HPP

#include <cstdint>

#include <kaio/io_options.hpp>

namespace kaio {
namespace detail {

// The options of a transfer as the kernel writes them. In line, because without any, as usual,
// nothing is left of all this.

// The flags of preadv2, pwritev2 and of AIO control blocks. The last two are newer than the headers
// of Debian 12: Linux 6.11 and 6.14.
constexpr std::uint32_t rwf_dsync = 0x02;
constexpr std::uint32_t rwf_sync = 0x04;
constexpr std::uint32_t rwf_nowait = 0x08;
constexpr std::uint32_t rwf_append = 0x10;
constexpr std::uint32_t rwf_atomic = 0x40;
constexpr std::uint32_t rwf_dontcache = 0x80;

/// What the options of one transfer ask of the kernel.
struct kernel_options
{
    std::uint32_t rw_flags = 0;
    std::uint16_t priority = 0;
    bool valid = true;
};

/// The RWF flags that stand for options.
constexpr std::uint32_t rw_flags(const io_options& options) noexcept
{
    return (options.data_sync ? rwf_dsync : 0) | (options.sync ? rwf_sync : 0) |
           (options.append ? rwf_append : 0) | (options.no_wait ? rwf_nowait : 0) |
           (options.atomic ? rwf_atomic : 0) | (options.uncached ? rwf_dontcache : 0);
}

/// Whether there is no priority, or one that the kernel knows.
constexpr bool has_valid_priority(const io_options& options) noexcept
{
    if (!options.priority)
        return true;
    const io_priority& p = *options.priority;
    return p.io_class >= io_priority_class::real_time && p.io_class <= io_priority_class::idle &&
           p.level >= 0 && p.level <= 7;
}

/// An I/O priority as the kernel writes it; 0 if there is none.
constexpr std::uint16_t priority(const io_options& options) noexcept
{
    constexpr int class_shift = 13;
    if (!options.priority)
        return 0;
    return static_cast<std::uint16_t>(static_cast<int>(options.priority->io_class) << class_shift |
                                      options.priority->level);
}

constexpr kernel_options translate(const io_options& options) noexcept
{
    return {rw_flags(options), priority(options), has_valid_priority(options)};
}

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_KERNEL_OPTIONS_HPP
