//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_EXAMPLE_DEMO_LOAD_HPP
#define KAIO_EXAMPLE_DEMO_LOAD_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include "descriptor.hpp"
#include "random_offsets.hpp"
#include "read_check.hpp"
#include "read_load.hpp"

/// What is read in the demo. As text it is handed to contenders that are programs of their own.
struct demo_load
{
    static constexpr std::size_t block_size = 4096;
    static constexpr std::uint64_t seed = 2026;

    std::string path;
    int open_flags = 0;
    std::uint64_t file_size = 0;
    bool known_content = false;
    std::uint64_t distinct_reads = std::numeric_limits<std::uint64_t>::max();
    std::size_t depth = 0;
    std::chrono::nanoseconds duration{};

    /// The check may read samples from the file.
    std::unique_ptr<bench::read_check> make_check() const
    {
        if (known_content)
            return std::make_unique<bench::content_check>(seed);
        const bench::descriptor file = bench::open_file(path, open_flags);
        return std::make_unique<bench::sample_check>(file.get(), offsets(), block_size);
    }

    bench::read_load reads(const bench::read_check& check) const
    {
        return {path, open_flags, file_size, block_size, depth, duration, offsets(), check};
    }

    std::string to_text() const
    {
        std::ostringstream text;
        text << open_flags << ' ' << file_size << ' ' << known_content << ' ' << distinct_reads
             << ' ' << depth << ' ' << duration.count() << ' ' << path;
        return text.str();
    }

    static demo_load from_text(const std::string& text)
    {
        demo_load load;
        std::int64_t nanoseconds = 0;
        std::istringstream fields(text);
        fields >> load.open_flags >> load.file_size >> load.known_content >> load.distinct_reads >>
            load.depth >> nanoseconds;
        fields.ignore();
        std::getline(fields, load.path, '\0');
        if (!fields && !fields.eof())
            throw std::runtime_error("not a load: " + text);
        load.duration = std::chrono::nanoseconds(nanoseconds);
        return load;
    }

private:
    bench::random_offsets offsets() const noexcept
    {
        return {seed, file_size, block_size, distinct_reads};
    }
};

#endif // KAIO_EXAMPLE_DEMO_LOAD_HPP
