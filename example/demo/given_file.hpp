//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_EXAMPLE_DEMO_GIVEN_FILE_HPP
#define KAIO_EXAMPLE_DEMO_GIVEN_FILE_HPP

#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <iostream>
#include <kaio/random_access_file.hpp>
#include <stdexcept>
#include <string>

#include "demo_load.hpp"
#include "descriptor.hpp"
#include "direct_io.hpp"
#include "number_text.hpp"
#include "options.hpp"

/// Anything but a file with something in it, or a block device, is refused before it is opened:
/// opening a pipe would wait, and some devices do things when opened.
inline void require_file(const std::string& path)
{
    struct stat status;
    if (::stat(path.c_str(), &status) != 0)
        bench::throw_errno("cannot read " + path);
    if (S_ISDIR(status.st_mode))
        throw std::runtime_error(path + " is a directory");
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
        throw std::runtime_error(path + " is neither a regular file nor a block device");
}

/// How to read the user's file, which is only ever opened for reading.
inline demo_load load_of_given_file(const options& chosen)
{
    require_file(chosen.file);
    demo_load load;
    load.path = chosen.file;
    load.open_flags = O_RDONLY | bench::direct_flag(load.path, load.block_size);
    load.depth = chosen.depth;
    load.duration = chosen.duration();

    boost::asio::io_context context;
    const kaio::random_access_file file(context, load.path, kaio::random_access_file::read_only);
    load.file_size = file.size();
    if (load.file_size == 0)
        throw std::runtime_error(load.path + " is empty, there is nothing to read");
    std::cout << "Reading " << load.path << ", " << bench::grouped(load.file_size) << " bytes\n";
    return load;
}

#endif // KAIO_EXAMPLE_DEMO_GIVEN_FILE_HPP
