//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_QUEUE_BATCH_POOL_HPP
#define KAIO_QUEUE_BATCH_POOL_HPP

#include <cstddef>
#include <memory>
#include <vector>

#include "queue/submission_batch.hpp"

namespace kaio {
namespace detail {

/// The batches of the threads of an execution context: as many as submit at the same time.
/**
 * For a device in memory the kernel does the work within io_submit. There several threads get further
 * than one only if they submit side by side.
 */
class batch_pool
{
public:
    using pointer = std::unique_ptr<submission_batch>;

    /// Make the first batch, for a number of operations.
    explicit batch_pool(std::size_t batch_capacity);

    /// Whether another thread may submit now.
    bool available() const noexcept
    {
        return !spare_.empty() || made_ < most_;
    }

    /// Take a batch, or nullptr.
    pointer take() noexcept;

    void release(pointer batch) noexcept
    {
        spare_.push_back(std::move(batch));
    }

private:
    const std::size_t batch_capacity_;
    std::size_t most_;
    std::size_t made_ = 1;
    std::vector<pointer> spare_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_QUEUE_BATCH_POOL_HPP
