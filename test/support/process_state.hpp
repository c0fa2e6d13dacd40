//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_PROCESS_STATE_HPP
#define KAIO_TEST_SUPPORT_PROCESS_STATE_HPP

#include <dirent.h>

#include <cstddef>
#include <fstream>
#include <string>

namespace kaio {
namespace test {

/// The number of descriptors that this process has open.
inline std::size_t open_descriptors()
{
    std::size_t result = 0;
    if (DIR* directory = ::opendir("/proc/self/fd"))
    {
        while (::readdir(directory))
            ++result;
        ::closedir(directory);
    }
    return result;
}

/// The number of AIO contexts that this process has, by the mappings of their rings.
/** Unlike fs.aio-nr it isn't changed by other processes. */
inline std::size_t aio_contexts()
{
    std::size_t result = 0;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);)
        result += line.find("[aio]") != std::string::npos;
    return result;
}

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_PROCESS_STATE_HPP
