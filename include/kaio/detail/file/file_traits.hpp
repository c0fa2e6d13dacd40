//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_FILE_FILE_TRAITS_HPP
#define KAIO_DETAIL_FILE_FILE_TRAITS_HPP

#include <cstdint>

#include <kaio/detail/config.hpp>

namespace kaio {
namespace detail {

/// What a descriptor stands for.
enum class file_type : std::uint8_t
{
    regular,
    block_device,
    other
};

/// What the engine wants to know of a file when it is opened.
struct file_traits
{
    file_type type = file_type::other;

    // The file system waits in spite of RWF_NOWAIT when it writes to the page cache.
    bool ignores_nowait = false;

    // What reads miss in the page cache comes from a device of this machine: prefetch helps.
    bool prefetches = false;

    // What would hang as a whole: the mount of a regular file, or the device itself.
    std::uint64_t device = 0;
};

/// Look at a descriptor. May wait for the server of a network file system.
KAIO_DECL file_traits traits_of(int descriptor) noexcept;

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_FILE_FILE_TRAITS_HPP
