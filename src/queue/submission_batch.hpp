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

/// A number of operations that one thread hands to the kernel, most of them in one call of io_submit.
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
    struct user
    {
        open_file* file;
        kinds submitted;
        kinds called;
    };

    explicit submission_batch(std::size_t capacity) : capacity_(capacity), blocks_(2 * capacity)
    {
        users_.reserve(2 * capacity);
    }

    submission_batch(const submission_batch&) = delete;
    submission_batch& operator=(const submission_batch&) = delete;

    /// Whether no operation for io_submit may be added any more.
    bool full() const noexcept
    {
        return size_ == capacity_;
    }

    /// Whether an operation that has a system call of its own may be added.
    bool takes_calls() const noexcept
    {
        return calls_ < most_calls_ && call_bytes_ < most_call_bytes;
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

    /// How many operations there are that have a system call of their own.
    std::size_t calls() const noexcept
    {
        return calls_;
    }

    /// An operation that has a system call of its own.
    operation_record& call(std::size_t index) const noexcept
    {
        return record_of(blocks_[blocks_.size() - 1 - index]->data);
    }

    const std::vector<user>& users() const noexcept
    {
        return users_;
    }

    /// Say that the position of a file is to be looked up for an operation for io_submit.
    void add_seek() noexcept
    {
        seeks_ = true;
    }

    /// Whether there is an operation for io_submit for which that is so.
    bool seeks() const noexcept
    {
        return seeks_;
    }

    /// Begin anew, with a number that no other batch has, and with calls or without.
    void clear(std::uint64_t number, bool with_calls) noexcept
    {
        size_ = calls_ = 0;
        call_bytes_ = 0;
        seeks_ = false;
        most_calls_ = with_calls ? std::min(capacity_, most_calls) : 0;
        users_.clear();
        number_ = number;
    }

    /// Add an operation for io_submit, if there is room.
    [[nodiscard]] bool add(operation_record& record) noexcept
    {
        if (full())
            return false;
        blocks_[size_++] = &record.block_;
        return true;
    }

    /// Add an operation that has a system call of its own, and transfers so many bytes, if the batch
    /// takes it.
    [[nodiscard]] bool add_call(operation_record& record, std::uint64_t bytes) noexcept
    {
        if (!takes_calls())
            return false;
        blocks_[blocks_.size() - ++calls_] = &record.block_;
        call_bytes_ += bytes;
        return true;
    }

    /// Say of which file, and of which kinds, operations were added. True if the file is new.
    bool add_user(open_file& file, kinds user::*way, kinds added) noexcept
    {
        const bool is_new = file.batch_number_ != number_;
        if (is_new)
        {
            file.batch_number_ = number_;
            file.batch_user_ = users_.size();
            users_.push_back({&file, {}, {}});
        }
        (users_[file.batch_user_].*way).add(added);
        return is_new;
    }

    /// Have writes come after all else, in a batch without calls.
    void put_writes_last() noexcept
    {
        const auto is_write = [](const control_block* block) {
            return record_of(block->data).kind_ == operation_kind::write;
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
    static constexpr std::size_t most_calls = 32;

    // Calls copy while the loop waits, some 0.1 ms for this much. One may be larger.
    static constexpr std::uint64_t most_call_bytes = std::uint64_t(1) << 20;

    const std::size_t capacity_;

    // For io_submit from the front on, for calls from the back on.
    std::vector<control_block*> blocks_;
    std::vector<user> users_;
    std::size_t size_ = 0;
    std::size_t calls_ = 0;
    std::size_t most_calls_ = 0;
    std::uint64_t call_bytes_ = 0;
    std::uint64_t number_ = 0;
    bool seeks_ = false;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_QUEUE_SUBMISSION_BATCH_HPP
