//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_EXAMPLE_DEMO_OPTIONS_HPP
#define KAIO_EXAMPLE_DEMO_OPTIONS_HPP

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

/// What the user chose on the command line.
struct options
{
    std::string file;
    std::string directory = ".";
    std::uint64_t mebibytes = 256;
    std::size_t depth = 32;
    double seconds = 3;

    std::chrono::nanoseconds duration() const
    {
        return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
    }

    void add_to(CLI::App& app)
    {
        auto* const given = app.add_option(
            "FILE", file, "file or block device to read, never written to; by default a new file");
        app.add_option("--dir", directory, "where to make the new file")
            ->capture_default_str()
            ->excludes(given);
        app.add_option("--size", mebibytes, "MiB to write to the new file")
            ->capture_default_str()
            ->check(CLI::Range(1, 1 << 20))
            ->excludes(given);
        app.add_option("--depth", depth, "reads and writes outstanding at a time")
            ->capture_default_str()
            ->check(CLI::Range(1, 4096));
        app.add_option("--seconds", seconds, "how long each contender reads")
            ->capture_default_str()
            ->check(CLI::Range(0.01, 3600.0));
    }
};

#endif // KAIO_EXAMPLE_DEMO_OPTIONS_HPP
