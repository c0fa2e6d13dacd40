//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_MEMORY_HPP
#define KAIO_DETAIL_OPERATION_MEMORY_HPP

#include <cstddef>
#include <new>

#include <kaio/detail/config.hpp>

namespace kaio {
namespace detail {

// Asio's own cache keeps two blocks a thread, which is enough for chains of operations but not for
// many at once. This one serves both without a call of malloc once it is warm.

struct free_block
{
    free_block* next;
    free_block* next_bundle;
};

/// The free blocks of one size, and how many more may be added.
struct free_blocks
{
    void push(void* memory) noexcept
    {
        auto* const block = new (memory) free_block;
        block->next = first;
        first = block;
        --room;
    }

    void* pop() noexcept
    {
        free_block* const block = first;
        first = block->next;
        ++room;
        return block;
    }

    free_block* first;
    unsigned room;
};

/// The free blocks of a thread. There is only room while something will free them at its end.
struct block_cache
{
    enum class owner_state
    {
        none,
        alive,
        gone
    };

    static constexpr std::size_t size_step = 64;
    static constexpr std::size_t largest_size = 1024;
    static constexpr std::size_t size_classes = largest_size / size_step;

    static constexpr std::size_t class_of(std::size_t size) noexcept
    {
        return (size - 1) / size_step;
    }

    free_blocks classes[size_classes];
    owner_state owner;
};

// Blocks that are used again at once would hide the use of freed operations from the sanitizer.
#if defined(__SANITIZE_ADDRESS__)
#define KAIO_NO_BLOCK_CACHE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KAIO_NO_BLOCK_CACHE 1
#endif
#endif

// Not thread_local: that has a function called before each access, to see whether there is
// anything to construct.
extern KAIO_DECL __thread block_cache thread_blocks;

// What these two do, the functions in line below do with fewer steps in the usual case. A program
// with a sanitizer may be linked with a library without, so that the two must get along.
KAIO_DECL void* allocate_out_of_line(std::size_t size);
KAIO_DECL void deallocate_out_of_line(void* memory, std::size_t size) noexcept;

[[gnu::always_inline]] inline void* allocate_operation(std::size_t size)
{
#if !defined(KAIO_NO_BLOCK_CACHE)
    if (size <= block_cache::largest_size)
    {
        free_blocks& free = thread_blocks.classes[block_cache::class_of(size)];
        if (free.first)
            return free.pop();
    }
#endif
    return allocate_out_of_line(size);
}

[[gnu::always_inline]] inline void deallocate_operation(void* memory, std::size_t size) noexcept
{
#if !defined(KAIO_NO_BLOCK_CACHE)
    if (size <= block_cache::largest_size)
    {
        free_blocks& free = thread_blocks.classes[block_cache::class_of(size)];
        if (free.room != 0)
        {
            free.push(memory);
            return;
        }
    }
#endif
    deallocate_out_of_line(memory, size);
}

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

#endif // KAIO_DETAIL_OPERATION_MEMORY_HPP
