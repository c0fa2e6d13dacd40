//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_OPERATION_MEMORY_HPP
#define KAIO_DETAIL_OPERATION_OPERATION_MEMORY_HPP

#include <cstddef>
#include <new>

#include <kaio/detail/config.hpp>

namespace kaio {
namespace detail {

// Asio's own cache keeps two blocks for each thread. That is enough for chains of operations, but not for
// many at once. Once this cache is warm, neither needs a call of malloc.
KAIO_DECL void* allocate_operation(std::size_t size);
KAIO_DECL void deallocate_operation(void* memory, std::size_t size) noexcept;

/// The allocator of operations whose handler has no associated allocator.
template <typename T>
class operation_allocator
{
public:
    using value_type = T;

    operation_allocator() = default;

    template <typename U>
    operation_allocator(const operation_allocator<U>&) noexcept
    {
    }

    T* allocate(std::size_t n)
    {
        if constexpr (alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__)
            return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t(alignof(T))));
        else
            return static_cast<T*>(allocate_operation(n * sizeof(T)));
    }

    void deallocate(T* memory, std::size_t n) noexcept
    {
        if constexpr (alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__)
            ::operator delete(memory, std::align_val_t(alignof(T)));
        else
            deallocate_operation(memory, n * sizeof(T));
    }

    template <typename U>
    friend bool operator==(const operation_allocator&, const operation_allocator<U>&) noexcept
    {
        return true;
    }

    template <typename U>
    friend bool operator!=(const operation_allocator&, const operation_allocator<U>&) noexcept
    {
        return false;
    }
};

template <>
class operation_allocator<void>
{
public:
    using value_type = void;

    operation_allocator() = default;

    template <typename U>
    operation_allocator(const operation_allocator<U>&) noexcept
    {
    }
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_OPERATION_MEMORY_HPP
