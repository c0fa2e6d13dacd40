//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_FILE_SYSTEMS_HPP
#define KAIO_TEST_SUPPORT_FILE_SYSTEMS_HPP

#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>

#include "temporary_file.hpp"

// File systems and devices of the tests' own. All of it needs root.

namespace kaio {
namespace test {

/// Have this process see mounts of its own: they end with it, however it ends.
/** To be called by the thread that mounts, before it makes others. */
inline void private_mounts()
{
    static const bool done = ::unshare(CLONE_NEWNS) == 0 &&
                             ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    if (!done)
        throw std::system_error(errno, std::generic_category(), "unshare");
}

/// A directory of its own, removed at the end.
class temporary_directory
{
public:
    temporary_directory() : path_(directory() + "/kaio-test-XXXXXX")
    {
        if (!::mkdtemp(&path_[0]))
            throw std::system_error(errno, std::generic_category(), path_);
        char* const absolute = ::realpath(path_.c_str(), nullptr);
        path_ = absolute;
        std::free(absolute);
    }

    temporary_directory(const temporary_directory&) = delete;
    temporary_directory& operator=(const temporary_directory&) = delete;

    ~temporary_directory()
    {
        const int status = std::system(("rm -rf '" + path_ + "'").c_str());
        (void)status;
    }

    const std::string& path() const noexcept
    {
        return path_;
    }

private:
    std::string path_;
};

/// A sparse file of a size.
class image_file
{
public:
    image_file(const std::string& path, std::size_t size) : path_(path)
    {
        const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (descriptor == -1 || ::ftruncate(descriptor, static_cast<::off_t>(size)) != 0)
            throw std::system_error(errno, std::generic_category(), path);
        ::close(descriptor);
    }

    image_file(const image_file&) = delete;
    image_file& operator=(const image_file&) = delete;

    ~image_file()
    {
        ::unlink(path_.c_str());
    }

    const std::string& path() const noexcept
    {
        return path_;
    }

private:
    const std::string path_;
};

/// Why there are no loop devices here; empty if there are.
inline std::string why_no_loop_device()
{
    const int control = ::open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    const int number = control == -1 ? -1 : ::ioctl(control, LOOP_CTL_GET_FREE);
    const int error = errno;
    if (control != -1)
        ::close(control);
    return number == -1 ? "no loop device: " + std::generic_category().message(error) : "";
}

/// A block device whose blocks are those of a file. Goes with the process, at the latest.
class loop_device
{
public:
    explicit loop_device(const std::string& image, unsigned block = 0)
    {
        const int control = ::open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        const int file = ::open(image.c_str(), O_RDWR | O_CLOEXEC);
        // Others may be looking for a free one too.
        int result = -1;
        for (int attempt = 0; attempt != 100 && result != 0; ++attempt)
        {
            path_ = "/dev/loop" + std::to_string(::ioctl(control, LOOP_CTL_GET_FREE));
            descriptor_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
            ::loop_config config = {};
            config.fd = static_cast<unsigned>(file);
            config.block_size = block;
            config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
            result = ::ioctl(descriptor_, LOOP_CONFIGURE, &config);
            if (result != 0)
                ::close(descriptor_);
        }
        const int error = errno;
        ::close(file);
        ::close(control);
        if (result != 0)
            throw std::system_error(error, std::generic_category(), path_);
    }

    loop_device(const loop_device&) = delete;
    loop_device& operator=(const loop_device&) = delete;

    ~loop_device()
    {
        ::close(descriptor_);
    }

    const std::string& path() const noexcept
    {
        return path_;
    }

private:
    std::string path_;
    int descriptor_ = -1;
};

/// A mounted file system.
class mounted
{
public:
    mounted(const std::string& source, const std::string& type, unsigned long flags = 0,
            const std::string& options = "")
    {
        if (::mount(source.c_str(), path().c_str(), type.c_str(), flags, options.c_str()) != 0)
            throw std::system_error(errno, std::generic_category(), "mount " + type);
    }

    mounted(const mounted&) = delete;
    mounted& operator=(const mounted&) = delete;

    ~mounted()
    {
        ::umount2(path().c_str(), MNT_DETACH);
    }

    const std::string& path() const noexcept
    {
        return directory_.path();
    }

private:
    temporary_directory directory_;
};

/// Whether a program can be found.
inline bool has_program(const std::string& name)
{
    const std::string command =
        "PATH=$PATH:/usr/sbin:/sbin command -v " + name + " >/dev/null 2>&1";
    return std::system(command.c_str()) == 0;
}

/// Make a file system on a device or in a file.
inline bool make_file_system(const std::string& program, const std::string& arguments,
                             const std::string& where)
{
    const std::string command = "PATH=$PATH:/usr/sbin:/sbin " + program + " " + arguments + " '" +
                                where + "' >/dev/null 2>&1";
    return std::system(command.c_str()) == 0;
}

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_FILE_SYSTEMS_HPP
