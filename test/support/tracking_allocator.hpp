//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_TRACKING_ALLOCATOR_HPP
#define KAIO_TEST_SUPPORT_TRACKING_ALLOCATOR_HPP

#include <atomic>
#include <cstddef>
#include <memory>

namespace kaio {
namespace test {

/// The memory that a tracking allocator gave and got back.
struct allocation_count
{
    std::atomic<std::size_t> allocations{0};
    std::atomic<std::size_t> live_blocks{0};
    std::atomic<std::size_t> live_bytes{0};
};

/// An allocator that counts.
template <typename T = void>
class tracking_allocator
{
public:
    using value_type = T;

    explicit tracking_allocator(allocation_count& count) noexcept : count_(&count)
    {
    }

    template <typename U>
    tracking_allocator(const tracking_allocator<U>& other) noexcept : count_(other.count_)
    {
    }

    T* allocate(std::size_t n)
    {
        T* const result = std::allocator<T>().allocate(n);
        ++count_->allocations;
        ++count_->live_blocks;
        count_->live_bytes += n * sizeof(T);
        return result;
    }

    void deallocate(T* memory, std::size_t n) noexcept
    {
        --count_->live_blocks;
        count_->live_bytes -= n * sizeof(T);
        std::allocator<T>().deallocate(memory, n);
    }

    template <typename U>
    friend bool operator==(const tracking_allocator& a, const tracking_allocator<U>& b) noexcept
    {
        return a.count_ == b.count_;
    }

    template <typename U>
    friend bool operator!=(const tracking_allocator& a, const tracking_allocator<U>& b) noexcept
    {
        return a.count_ != b.count_;
    }

    allocation_count* count_;
};

template <>
class tracking_allocator<void>
{
public:
    using value_type = void;

    explicit tracking_allocator(allocation_count& count) noexcept : count_(&count)
    {
    }

    template <typename U>
    tracking_allocator(const tracking_allocator<U>& other) noexcept : count_(other.count_)
    {
    }

    friend bool operator==(const tracking_allocator& a, const tracking_allocator& b) noexcept
    {
        return a.count_ == b.count_;
    }

    friend bool operator!=(const tracking_allocator& a, const tracking_allocator& b) noexcept
    {
        return a.count_ != b.count_;
    }

    allocation_count* count_;
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_TRACKING_ALLOCATOR_HPP
