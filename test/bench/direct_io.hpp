//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_DIRECT_IO_HPP
#define KAIO_BENCH_DIRECT_IO_HPP

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>

#include "aligned_memory.hpp"
#include "descriptor.hpp"

namespace bench {

/// O_DIRECT if the file can be read past the page cache in blocks of this size, otherwise 0.
inline int direct_flag(const std::string& path, std::size_t block_size)
{
    const descriptor file(::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
    if (file.get() < 0 && errno == EINVAL)
        return 0;
    if (file.get() < 0)
        throw_errno("cannot open " + path);

    const aligned_memory block(block_size);
    const bool refused = ::pread(file.get(), block.data(), block_size, 0) < 0 && errno == EINVAL;
    return refused ? 0 : O_DIRECT;
}

} // namespace bench

#endif // KAIO_BENCH_DIRECT_IO_HPP
