//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_SUBMISSION_BATCH_HPP
#define KAIO_SUBMISSION_BATCH_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include "open_file.hpp"

namespace kaio {
namespace detail {

/// What one thread hands to the kernel in one call of io_submit.
class submission_batch
{
public:
    /// A file in the batch, and a bit for each kind of operation that there is of it.
    struct user
    {
        bool has(operation_kind kind) const noexcept
        {
            return (kinds >> static_cast<unsigned>(kind) & 1U) != 0;
        }

        open_file* file;
        unsigned kinds;
    };

    explicit submission_batch(std::size_t capacity) : blocks_(capacity)
    {
        users_.reserve(capacity);
    }

    submission_batch(const submission_batch&) = delete;
    submission_batch& operator=(const submission_batch&) = delete;

    bool full() const noexcept
    {
        return size_ == blocks_.size();
    }

    /// How many operations may be added.
    std::size_t room() const noexcept
    {
        return blocks_.size() - size_;
    }

    std::size_t size() const noexcept
    {
        return size_;
    }

    operation_record& operator[](std::size_t index) const noexcept
    {
        return *reinterpret_cast<operation_record*>(
            static_cast<std::uintptr_t>(blocks_[index]->data));
    }

    const std::vector<user>& users() const noexcept
    {
        return users_;
    }

    /// Begin anew, with a number that no other batch has.
    void clear(std::uint64_t number) noexcept
    {
        size_ = 0;
        users_.clear();
        number_ = number;
    }

    /// Add an operation.
    void add(operation_record& record) noexcept
    {
        blocks_[size_++] = &record.block_;
    }

    /// Say of which file, and of which kinds, operations were added. True if the file is new.
    bool add_user(open_file& file, unsigned kinds) noexcept
    {
        const bool is_new = file.batch_number_ != number_;
        if (is_new)
        {
            file.batch_number_ = number_;
            file.batch_user_ = users_.size();
            users_.push_back({&file, 0});
        }
        users_[file.batch_user_].kinds |= kinds;
        return is_new;
    }

    /// The control blocks from an index on.
    control_block* const* blocks(std::size_t first) const noexcept
    {
        return blocks_.data() + first;
    }

private:
    std::vector<control_block*> blocks_;
    std::vector<user> users_;
    std::size_t size_ = 0;
    std::uint64_t number_ = 0;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_SUBMISSION_BATCH_HPP
