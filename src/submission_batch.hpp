//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_SUBMISSION_BATCH_HPP
#define KAIO_SUBMISSION_BATCH_HPP

#include <cstddef>
#include <memory>
#include <vector>

#include "open_file.hpp"

namespace kaio {
namespace detail {

/// What one thread hands to the kernel in one call of io_submit.
class submission_batch
{
public:
    /// A file in the batch, and the directions in which it is used.
    struct user
    {
        open_file* file;
        bool reads;
        bool writes;
    };

    explicit submission_batch(std::size_t capacity);
    ~submission_batch();

    submission_batch(const submission_batch&) = delete;
    submission_batch& operator=(const submission_batch&) = delete;

    bool full() const noexcept
    {
        return size_ == records_.size();
    }

    std::size_t size() const noexcept
    {
        return size_;
    }

    operation_record& operator[](std::size_t index) const noexcept
    {
        return *records_[index];
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

    /// Add an operation, with a control block that signals a descriptor.
    void add(operation_record& record, int wake_descriptor) noexcept;

private:
    friend class aio_context;
    struct control_blocks;

    std::vector<operation_record*> records_;
    std::vector<user> users_;
    std::size_t size_ = 0;
    std::uint64_t number_ = 0;

    // The kernel reads a control block during io_submit only: the next submission uses it again.
    std::unique_ptr<control_blocks> control_blocks_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_SUBMISSION_BATCH_HPP
