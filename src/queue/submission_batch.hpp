//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_QUEUE_SUBMISSION_BATCH_HPP
#define KAIO_QUEUE_SUBMISSION_BATCH_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "queue/open_file.hpp"

namespace kaio {
namespace detail {

/// Operations that one thread hands to the kernel: by one call of io_submit, or by a try for each.
/** A try is a system call on the loop that doesn't wait. */
class submission_batch
{
public:
    /// A bit for each kind of operation.
    class kinds
    {
    public:
        kinds() = default;

        kinds(operation_kind only) noexcept : bits_(1U << static_cast<unsigned>(only))
        {
        }

        bool has(operation_kind kind) const noexcept
        {
            return (bits_ >> static_cast<unsigned>(kind) & 1U) != 0;
        }

        bool empty() const noexcept
        {
            return bits_ == 0;
        }

        void add(kinds others) noexcept
        {
            bits_ |= others.bits_;
        }

    private:
        unsigned bits_ = 0;
    };

    /// A file in the batch, and which kinds of operations there are of it.
    struct batch_file
    {
        open_file* file;
        kinds submitted;
        kinds tried;
    };

    explicit submission_batch(std::size_t capacity) : capacity_(capacity), blocks_(2 * capacity)
    {
        files_.reserve(2 * capacity);
    }

    submission_batch(const submission_batch&) = delete;
    submission_batch& operator=(const submission_batch&) = delete;

    /// Whether no operation for io_submit may be added any more.
    bool full() const noexcept
    {
        return size_ == most_submissions_;
    }

    /// Whether an operation may be added that is tried.
    bool takes_tries() const noexcept
    {
        return tries_ < most_tries_ && try_bytes_ < most_try_bytes;
    }

    /// How many operations there are for io_submit.
    std::size_t size() const noexcept
    {
        return size_;
    }

    /// An operation for io_submit.
    operation_record& operator[](std::size_t index) const noexcept
    {
        return record_of(blocks_[index]->data);
    }

    /// How many operations there are that are tried.
    std::size_t tries() const noexcept
    {
        return tries_;
    }

    /// An operation that is tried.
    operation_record& try_at(std::size_t index) const noexcept
    {
        return record_of(blocks_[blocks_.size() - 1 - index]->data);
    }

    const std::vector<batch_file>& files() const noexcept
    {
        return files_;
    }

    /// Say that the position of a file is to be looked up for an operation for io_submit.
    void add_seek() noexcept
    {
        seeks_ = true;
    }

    /// Whether add_seek() was called.
    bool seeks() const noexcept
    {
        return seeks_;
    }

    /// Begin anew, with a number that no other batch has.
    /** The batch takes up to `submissions` operations for io_submit, as far as its capacity allows. */
    void clear(std::uint64_t number, std::size_t submissions, bool with_tries) noexcept
    {
        most_submissions_ = std::min(capacity_, submissions);
        size_ = tries_ = 0;
        try_bytes_ = 0;
        seeks_ = false;
        most_tries_ = with_tries ? std::min(capacity_, most_tries) : 0;
        files_.clear();
        number_ = number;
    }

    /// Add an operation for io_submit, if there is room.
    [[nodiscard]] bool add(operation_record& record) noexcept
    {
        if (full())
            return false;
        blocks_[size_++] = &record.block();
        return true;
    }

    /// Add an operation that is tried, and transfers so many bytes, if the batch takes it.
    [[nodiscard]] bool add_try(operation_record& record, std::uint64_t bytes) noexcept
    {
        if (!takes_tries())
            return false;
        blocks_[blocks_.size() - ++tries_] = &record.block();
        try_bytes_ += bytes;
        return true;
    }

    /// Note the file of operations that were added, and their kinds. True if the file is new.
    bool add_file(open_file& file, kinds batch_file::*way, kinds added) noexcept
    {
        const bool is_new = file.place().batch_ != number_;
        if (is_new)
        {
            file.place().batch_ = number_;
            file.place().index_ = files_.size();
            files_.push_back({&file, {}, {}});
        }
        (files_[file.place().index_].*way).add(added);
        return is_new;
    }

    /// Have writes come after all else, in a batch without tries.
    void put_writes_last() noexcept
    {
        const auto is_write = [](const control_block* block) {
            return record_of(block->data).request().kind == operation_kind::write;
        };
        const auto end = blocks_.begin() + static_cast<std::ptrdiff_t>(size_);
        const auto spare = blocks_.begin() + static_cast<std::ptrdiff_t>(blocks_.size() / 2);
        const auto spare_end = std::copy_if(blocks_.begin(), end, spare, is_write);
        std::copy(spare, spare_end, std::remove_if(blocks_.begin(), end, is_write));
    }

    /// The control blocks for io_submit, from an index on.
    control_block* const* blocks(std::size_t first) const noexcept
    {
        return blocks_.data() + first;
    }

private:
    // As many as a turn calls handlers. With more of them, as with fewer, the threads of one loop wait
    // for each other: two threads, 64 outstanding, 1.25 M reads/s with 32, 0.8 M with 16 or 64.
    static constexpr std::size_t most_tries = 32;

    // Tries copy while the loop waits, some 0.1 ms for this much. One may be larger.
    static constexpr std::uint64_t most_try_bytes = std::uint64_t(1) << 20;

    const std::size_t capacity_;

    // For io_submit from the front on, tries from the back on.
    std::vector<control_block*> blocks_;
    std::vector<batch_file> files_;
    std::size_t size_ = 0;
    std::size_t most_submissions_ = 0;
    std::size_t tries_ = 0;
    std::size_t most_tries_ = 0;
    std::uint64_t try_bytes_ = 0;
    std::uint64_t number_ = 0;
    bool seeks_ = false;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_QUEUE_SUBMISSION_BATCH_HPP
