//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_EXAMPLE_SCRATCH_FILE_HPP
#define KAIO_EXAMPLE_SCRATCH_FILE_HPP

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "descriptor.hpp"

/// A new file that is gone with the process, however that ends: it loses its name at once.
class scratch_file
{
public:
    /// Takes the space from the file system, as far as that can promise it.
    scratch_file(const std::string& directory, std::uint64_t size)
      : name_(directory + "/kaio-demo-XXXXXX"), file_(create(name_))
    {
        const auto length = static_cast<off_t>(size);
        int result = ::fallocate(file_.get(), 0, 0, length);
        if (result != 0 && errno == EOPNOTSUPP)
            result = ::ftruncate(file_.get(), length);
        if (result != 0)
            bench::throw_errno("cannot make a file of " + std::to_string(size) + " bytes in " +
                               directory);
    }

    /// The name it had.
    const std::string& name() const noexcept
    {
        return name_;
    }

    /// What to open, in this process or another.
    std::string path() const
    {
        return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file_.get());
    }

private:
    static bench::descriptor create(std::string& name)
    {
        bench::descriptor file(::mkostemp(name.data(), O_CLOEXEC));
        if (file.get() < 0)
            bench::throw_errno("cannot create " + name);
        ::unlink(name.c_str());
        return file;
    }

    std::string name_;
    bench::descriptor file_;
};

#endif // KAIO_EXAMPLE_SCRATCH_FILE_HPP
