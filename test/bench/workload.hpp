//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_WORKLOAD_HPP
#define KAIO_BENCH_WORKLOAD_HPP

#include <fcntl.h>

#include <cstddef>
#include <cstdint>

#include "cell.hpp"
#include "file_content.hpp"
#include "mix.hpp"
#include "random_offsets.hpp"

namespace bench {

/// A transfer of one block, or fdatasync.
struct operation
{
    enum kind_type
    {
        read,
        write,
        sync
    };

    kind_type kind;
    std::size_t file;
    std::uint64_t offset;
};

/// The operations of a cell, numbered: the same for every contender.
/**
 * Files are filled with file_content, and overwritten with that of another seed, unless they are
 * read at the same time. Of each block the first and the last 8 bytes are checked, or
 * made right before a write, which takes next to no time and finds blocks that were mixed up.
 */
class workload
{
public:
    static constexpr std::uint64_t seed = 2026;

    /// The number of the first operation that is measured. Those before are for warming up.
    std::uint64_t first_measured() const noexcept
    {
        return access_ == access::extend ? 0 : std::uint64_t{1} << 40;
    }

    explicit workload(const cell& c) noexcept
      : access_(c.access), files_(c.paths.size()), file_size_(c.file_size),
        block_size_(c.block_size), offsets_(seed, c.file_size, c.block_size),
        content_(c.access == access::read || c.access == access::mixed ? seed : c.content_seed)
    {
    }

    /// False if there is no operation with this number, as the file has grown enough.
    bool has(std::uint64_t index) const noexcept
    {
        return access_ != access::extend || index < file_size_ / block_size_;
    }

    operation operator[](std::uint64_t index) const noexcept
    {
        const std::size_t file = files_ == 1 ? 0 : mix(index ^ seed) % files_;
        switch (access_)
        {
        case access::read:
            return {operation::read, file, offsets_[index]};
        case access::mixed:
            return {mix(index) % 10 < 7 ? operation::read : operation::write, file,
                    offsets_[index]};
        case access::extend:
            return {operation::write, file, index * block_size_};
        default:
            return {operation::write, file, offsets_[index]};
        }
    }

    bool syncs() const noexcept
    {
        return access_ == access::write_sync;
    }

    std::size_t block_size() const noexcept
    {
        return block_size_;
    }

    /// Make a block fit for being written to this offset.
    void stamp(std::uint64_t offset, unsigned char* block) const noexcept
    {
        content_.fill(offset, block, word);
        content_.fill(offset + block_size_ - word, block + block_size_ - word, word);
    }

    bool verify(std::uint64_t offset, const unsigned char* block) const noexcept
    {
        const std::size_t last = block_size_ - word;
        return !content_.first_difference(offset, block, word) &&
               !content_.first_difference(offset + last, block + last, word);
    }

    static int open_flags(const cell& c) noexcept
    {
        return (c.access == access::read ? O_RDONLY : O_RDWR) |
               (c.cache == cache::direct ? O_DIRECT : 0);
    }

private:
    static constexpr std::size_t word = sizeof(std::uint64_t);

    access access_;
    std::size_t files_;
    std::uint64_t file_size_;
    std::size_t block_size_;
    random_offsets offsets_;
    file_content content_;
};

} // namespace bench

#endif // KAIO_BENCH_WORKLOAD_HPP
