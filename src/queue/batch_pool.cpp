//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "queue/batch_pool.hpp"

#include <algorithm>
#include <new>
#include <thread>
#include <utility>

namespace kaio {
namespace detail {

batch_pool::batch_pool(std::size_t batch_capacity)
  : batch_capacity_(batch_capacity), most_(std::max(std::thread::hardware_concurrency(), 1U))
{
    spare_.reserve(most_);
    spare_.push_back(std::make_unique<submission_batch>(batch_capacity_));
}

batch_pool::pointer batch_pool::take() noexcept
{
    if (!spare_.empty())
    {
        pointer batch = std::move(spare_.back());
        spare_.pop_back();
        return batch;
    }
    if (made_ == most_)
        return nullptr;
    try
    {
        auto batch = std::make_unique<submission_batch>(batch_capacity_);
        ++made_;
        return batch;
    }
    catch (const std::bad_alloc&)
    {
        most_ = made_;
        return nullptr;
    }
}

} // namespace detail
} // namespace kaio
