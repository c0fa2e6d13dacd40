//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_PAGE_CACHE_HPP
#define KAIO_TEST_SUPPORT_PAGE_CACHE_HPP

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace kaio {
namespace test {

constexpr std::size_t page_size = 4096;

/// How many pages of a file the page cache holds.
inline std::size_t cached_pages(const std::string& path)
{
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status = {};
    ::fstat(descriptor, &status);
    const auto size = static_cast<std::size_t>(status.st_size);
    void* const map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
    ::close(descriptor);
    std::vector<unsigned char> pages((size + page_size - 1) / page_size);
    ::mincore(map, size, pages.data());
    ::munmap(map, size);
    return static_cast<std::size_t>(
        std::count_if(pages.begin(), pages.end(), [](unsigned char page) { return page & 1; }));
}

/// Have the page cache hold nothing of a file but its first bytes. False if it can't be had.
inline bool leave_in_page_cache(const std::string& path, std::size_t bytes)
{
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    ::fsync(descriptor);
    ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
    ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_RANDOM);
    std::vector<char> head(bytes);
    const bool read = ::pread(descriptor, head.data(), bytes, 0) == static_cast<::ssize_t>(bytes);
    ::close(descriptor);
    return read && cached_pages(path) == bytes / page_size;
}

inline bool drop_from_page_cache(const std::string& path)
{
    return leave_in_page_cache(path, 0);
}

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_PAGE_CACHE_HPP
