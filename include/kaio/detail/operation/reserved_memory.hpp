//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_RESERVED_MEMORY_HPP
#define KAIO_DETAIL_OPERATION_RESERVED_MEMORY_HPP

#include <atomic>
#include <cstddef>

#include <kaio/detail/operation/operation_memory.hpp>

namespace kaio {
namespace detail {

/// Room for one Asio operation that the service seldom has more than one of.
class reserved_memory
{
public:
    reserved_memory() = default;
    reserved_memory(const reserved_memory&) = delete;
    reserved_memory& operator=(const reserved_memory&) = delete;

    void* allocate(std::size_t size)
    {
        if (size <= sizeof(storage_) && !in_use_.exchange(true, std::memory_order_acquire))
            return storage_;
        return allocate_operation(size);
    }

    void deallocate(void* memory, std::size_t size) noexcept
    {
        if (memory == storage_)
            in_use_.store(false, std::memory_order_release);
        else
            deallocate_operation(memory, size);
    }

private:
    alignas(std::max_align_t) unsigned char storage_[512];
    std::atomic<bool> in_use_{false};
};

/// Gives out a reserved_memory.
template <typename T>
class reserved_allocator
{
public:
    using value_type = T;

    explicit reserved_allocator(reserved_memory& memory) noexcept : memory_(&memory)
    {
    }

    template <typename U>
    reserved_allocator(const reserved_allocator<U>& other) noexcept : memory_(other.memory_)
    {
    }

    T* allocate(std::size_t n)
    {
        static_assert(alignof(T) <= alignof(std::max_align_t), "not for over-aligned operations");
        return static_cast<T*>(memory_->allocate(n * sizeof(T)));
    }

    void deallocate(T* memory, std::size_t n) noexcept
    {
        memory_->deallocate(memory, n * sizeof(T));
    }

    template <typename U>
    friend bool operator==(const reserved_allocator& a, const reserved_allocator<U>& b) noexcept
    {
        return a.memory_ == b.memory_;
    }

    template <typename U>
    friend bool operator!=(const reserved_allocator& a, const reserved_allocator<U>& b) noexcept
    {
        return a.memory_ != b.memory_;
    }

    reserved_memory* memory_;
};

template <>
class reserved_allocator<void>
{
public:
    using value_type = void;

    explicit reserved_allocator(reserved_memory& memory) noexcept : memory_(&memory)
    {
    }

    template <typename U>
    reserved_allocator(const reserved_allocator<U>& other) noexcept : memory_(other.memory_)
    {
    }

    reserved_memory* memory_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_RESERVED_MEMORY_HPP
