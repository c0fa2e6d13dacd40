//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_RANDOM_OFFSETS_HPP
#define KAIO_BENCH_RANDOM_OFFSETS_HPP

#include <cstddef>
#include <cstdint>
#include <limits>

#include "mix.hpp"

namespace bench {

/// A random sequence of block offsets within a file, the same for everybody with the same seed.
/** Computed from the index, so that any number of threads can share it. */
class random_offsets
{
public:
    /// The last block may be shorter than the others. The sequence repeats after a period.
    random_offsets(std::uint64_t seed, std::uint64_t file_size, std::size_t block_size,
                   std::uint64_t period = std::numeric_limits<std::uint64_t>::max()) noexcept
      : seed_(mix(seed)), block_size_(block_size),
        blocks_((file_size + block_size - 1) / block_size), period_(period)
    {
    }

    /// The file must not be empty.
    std::uint64_t operator[](std::uint64_t index) const noexcept
    {
        return mix(seed_ + index % period_) % blocks_ * block_size_;
    }

private:
    std::uint64_t seed_;
    std::uint64_t block_size_;
    std::uint64_t blocks_;
    std::uint64_t period_;
};

} // namespace bench

#endif // KAIO_BENCH_RANDOM_OFFSETS_HPP
