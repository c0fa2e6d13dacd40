//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_DISK_HPP
#define KAIO_TEST_SUPPORT_DISK_HPP

#include <cstddef>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>

#include "file_systems.hpp"
#include "skip.hpp"

namespace kaio {
namespace test {

/// How a file system is made.
struct file_system
{
    const char* type;
    const char* program;
    const char* arguments;
    std::size_t megabytes;
};

inline std::ostream& operator<<(std::ostream& os, const file_system& fs)
{
    return os << fs.program << ' ' << fs.arguments;
}

/// A file system of its own on a loop device, or the reason why there is none.
struct disk
{
    explicit disk(const file_system& fs)
    {
        if (!is_root())
            why_not = "needs root";
        else if (!has_program(fs.program))
            why_not = std::string("no ") + fs.program;
        else
            why_not = why_no_loop_device();
        if (!why_not.empty())
            return;
        private_mounts();
        image = std::make_unique<image_file>(place.path() + "/image", fs.megabytes << 20);
        if (!make_file_system(fs.program, fs.arguments, image->path()))
        {
            why_not = std::string(fs.program) + " failed";
            return;
        }
        device = std::make_unique<loop_device>(image->path());
        try
        {
            mount = std::make_unique<mounted>(device->path(), fs.type);
        }
        catch (const std::system_error& e)
        {
            why_not = e.what();
        }
    }

    std::string why_not;
    temporary_directory place;
    std::unique_ptr<image_file> image;
    std::unique_ptr<loop_device> device;
    std::unique_ptr<mounted> mount;
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_DISK_HPP
