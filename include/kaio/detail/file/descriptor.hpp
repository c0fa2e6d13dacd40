//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_FILE_DESCRIPTOR_HPP
#define KAIO_DETAIL_FILE_DESCRIPTOR_HPP

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

#include <kaio/detail/config.hpp>
#include <kaio/detail/operation/operation_record.hpp>
#include <kaio/io_alignment.hpp>

namespace kaio {
namespace detail {

// The system calls behind the synchronous functions of a file. Each leaves the errno of a failure,
// or 0, in its last parameter.
namespace descriptor {

/// The order in which a file is going to be read and written, as far as the kernel should expect it.
enum class access_pattern : std::uint8_t
{
    random,
    sequential
};

/// Open with O_CLOEXEC, and tell the kernel what to expect.
KAIO_DECL int open(const char* path, int flags, unsigned permissions, access_pattern pattern,
                   int& error) noexcept;

/// Fails with ESPIPE for what has no offsets: pipes, sockets, terminals.
KAIO_DECL void check_seekable(int descriptor, int& error) noexcept;

KAIO_DECL void close(int descriptor, int& error) noexcept;

/// Move the position of the file, and return it.
KAIO_DECL std::uint64_t seek(int descriptor, std::int64_t offset, int whence, int& error) noexcept;

/// The size in bytes of a regular file or of a block device.
KAIO_DECL std::uint64_t size(int descriptor, int& error) noexcept;

/// What direct transfers have to be multiples of.
KAIO_DECL io_alignment alignment(int descriptor, int& error) noexcept;

KAIO_DECL void resize(int descriptor, std::uint64_t size, int& error) noexcept;

/// Have space for a range of the file, which grows if it ends before that.
KAIO_DECL void allocate(int descriptor, std::uint64_t offset, std::uint64_t length,
                        int& error) noexcept;

KAIO_DECL void sync_all(int descriptor, int& error) noexcept;
KAIO_DECL void sync_data(int descriptor, int& error) noexcept;

/// Transfer now, waiting if need be. An offset of -1 means the position of the file.
KAIO_DECL std::size_t transfer(int descriptor, operation_kind kind, const ::iovec* buffers,
                               std::size_t buffer_count, std::int64_t offset,
                               std::uint32_t rw_flags, int& error) noexcept;

} // namespace descriptor
} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_FILE_DESCRIPTOR_HPP
