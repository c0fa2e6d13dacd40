//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_IO_ALIGNMENT_HPP
#define KAIO_IO_ALIGNMENT_HPP

#include <cstdint>

#include <kaio/detail/config.hpp>

namespace kaio {

/// What direct transfers of a file have to be multiples of, in bytes; 0 means no direct I/O.
/**
 * To stay off slow paths, writes had better be multiples of the file system's block, usually 4096,
 * which is always a multiple of what is given here.
 */
struct io_alignment
{
    /// Of the address of every buffer.
    std::uint32_t memory = 0;

    /// Of the offset, and of the length of every buffer.
    std::uint32_t offset = 0;

    /// The same as @c offset for reads, of which some file systems ask less.
    std::uint32_t read_offset = 0;
};

} // namespace kaio

#endif // KAIO_IO_ALIGNMENT_HPP
