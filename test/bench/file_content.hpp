//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_FILE_CONTENT_HPP
#define KAIO_BENCH_FILE_CONTENT_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "mix.hpp"

namespace bench {

/// What a test file holds: every byte follows from its offset and a seed.
/**
 * Each page of 4 KiB is an arithmetic sequence of 64-bit words that starts at random, which the
 * compiler vectorises: checking a page takes about a tenth of a microsecond.
 */
class file_content
{
public:
    explicit file_content(std::uint64_t seed) noexcept : seed_(mix(seed))
    {
    }

    /// The content from an offset on, which must be a multiple of 8.
    void fill(std::uint64_t offset, unsigned char* data, std::size_t size) const noexcept
    {
        for_each_page(offset, size, [&](std::size_t position, std::uint64_t word, std::size_t n) {
            fill_words(word, data + position, n);
            return true;
        });
    }

    /// The position of the first byte that isn't what fill() makes it.
    std::optional<std::size_t> first_difference(std::uint64_t offset, const unsigned char* data,
                                                std::size_t size) const noexcept
    {
        std::optional<std::size_t> result;
        for_each_page(offset, size, [&](std::size_t position, std::uint64_t word, std::size_t n) {
            if (!same_words(word, data + position, n))
                result = position + difference(word, data + position, n);
            return !result;
        });
        return result;
    }

private:
    static constexpr std::size_t page_size = 4096;
    static constexpr std::size_t word_size = sizeof(std::uint64_t);
    static constexpr std::uint64_t step = 0x9e3779b97f4a7c15;

    // Calls function(position, first word, length) for each page or part of one, while it says so.
    template <typename Function>
    void for_each_page(std::uint64_t offset, std::size_t size, Function function) const noexcept
    {
        for (std::size_t position = 0; position < size;)
        {
            const std::uint64_t at = offset + position;
            const std::size_t in_page = at % page_size;
            const std::size_t length = std::min(page_size - in_page, size - position);
            if (!function(position, mix(seed_ ^ at / page_size) + in_page / word_size * step,
                          length))
                return;
            position += length;
        }
    }

    static void fill_words(std::uint64_t word, unsigned char* data, std::size_t size) noexcept
    {
        const std::size_t words = size / word_size;
        for (std::size_t i = 0; i != words; ++i)
        {
            const std::uint64_t value = word + i * step;
            std::memcpy(data + i * word_size, &value, word_size);
        }
        const std::uint64_t last = word + words * step;
        std::memcpy(data + words * word_size, &last, size % word_size);
    }

    static bool same_words(std::uint64_t word, const unsigned char* data, std::size_t size) noexcept
    {
        const std::size_t words = size / word_size;
        std::uint64_t different = 0;
        for (std::size_t i = 0; i != words; ++i)
        {
            std::uint64_t value;
            std::memcpy(&value, data + i * word_size, word_size);
            different |= value ^ (word + i * step);
        }
        const std::uint64_t last = word + words * step;
        return different == 0 &&
               std::memcmp(data + words * word_size, &last, size % word_size) == 0;
    }

    static std::size_t difference(std::uint64_t word, const unsigned char* data,
                                  std::size_t size) noexcept
    {
        unsigned char expected[page_size];
        fill_words(word, expected, size);
        const unsigned char* const end = data + size;
        return static_cast<std::size_t>(std::mismatch(data, end, expected).first - data);
    }

    std::uint64_t seed_;
};

} // namespace bench

#endif // KAIO_BENCH_FILE_CONTENT_HPP
