//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_PAGE_CACHE_HPP
#define KAIO_BENCH_PAGE_CACHE_HPP

#include <fcntl.h>

#include <string>

#include "descriptor.hpp"

namespace bench {

/// Drops what the page cache holds of a file, except for pages not written back yet.
inline void drop_page_cache(const std::string& path)
{
    const descriptor file = open_file(path, O_RDONLY);
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
}

} // namespace bench

#endif // KAIO_BENCH_PAGE_CACHE_HPP
