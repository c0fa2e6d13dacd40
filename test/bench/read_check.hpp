//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_READ_CHECK_HPP
#define KAIO_BENCH_READ_CHECK_HPP

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "aligned_memory.hpp"
#include "descriptor.hpp"
#include "file_content.hpp"
#include "random_offsets.hpp"

namespace bench {

/// Tells whether a read brought the right bytes. Used by many threads at once.
class read_check
{
public:
    virtual ~read_check() = default;

    /// Throws if the bytes of the read with this index in the sequence are not the right ones.
    virtual void verify(std::uint64_t index, std::uint64_t offset, const unsigned char* data,
                        std::size_t size) const = 0;

protected:
    [[noreturn]] static void fail(std::uint64_t offset, unsigned char found, unsigned char expected,
                                  const char* hint)
    {
        std::ostringstream message;
        message << "wrong byte at offset " << offset << ": 0x" << std::hex << int{found}
                << " instead of 0x" << int{expected} << hint;
        throw std::runtime_error(message.str());
    }
};

/// For a file that was filled with file_content: checks every byte.
class content_check final : public read_check
{
public:
    explicit content_check(std::uint64_t seed) noexcept : content_(seed)
    {
    }

    void verify(std::uint64_t, std::uint64_t offset, const unsigned char* data,
                std::size_t size) const override
    {
        if (const auto position = content_.first_difference(offset, data, size))
        {
            std::vector<unsigned char> expected(size);
            content_.fill(offset, expected.data(), size);
            fail(offset + *position, data[*position], expected[*position], "");
        }
    }

private:
    file_content content_;
};

/// For a file with unknown content: compares one read in 64 with what pread gave beforehand.
class sample_check final : public read_check
{
public:
    static constexpr std::uint64_t interval = 64;
    static constexpr std::uint64_t samples = 256;

    /// Reads the samples. For a direct descriptor the block size must suit the device.
    sample_check(int fd, const random_offsets& offsets, std::size_t block_size)
    {
        aligned_memory block(block_size);
        for (std::uint64_t i = 0; i != samples; ++i)
        {
            const std::uint64_t offset = offsets[i * interval];
            const ssize_t n = ::pread(fd, block.data(), block_size, static_cast<off_t>(offset));
            if (n < 0)
                throw_errno("cannot read at offset " + std::to_string(offset));
            samples_.emplace_back(block.data(), block.data() + n);
        }
    }

    void verify(std::uint64_t index, std::uint64_t offset, const unsigned char* data,
                std::size_t size) const override
    {
        if (index % interval != 0 || index / interval >= samples)
            return;
        const std::vector<unsigned char>& expected = samples_[index / interval];
        const std::size_t common = std::min(size, expected.size());
        const auto found = std::mismatch(data, data + common, expected.begin());
        if (found.first != data + common)
            fail(offset + static_cast<std::uint64_t>(found.first - data), *found.first,
                 *found.second, " that pread gave before (is somebody writing to the file?)");
    }

private:
    std::vector<std::vector<unsigned char>> samples_;
};

} // namespace bench

#endif // KAIO_BENCH_READ_CHECK_HPP
