//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Takes the place of the C library's malloc and its family, in front of the same allocator.

#include "allocation_counter.hpp"

#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}

namespace {

std::atomic<bool> counting{false};
std::atomic<std::uint64_t> calls{0};
std::atomic<std::uint64_t> bytes{0};

bool enabled() noexcept
{
    return __builtin_expect(counting.load(std::memory_order_relaxed), false);
}

void* counted(void* p) noexcept
{
    if (enabled() && p)
    {
        calls.fetch_add(1, std::memory_order_relaxed);
        bytes.fetch_add(::malloc_usable_size(p), std::memory_order_relaxed);
    }
    return p;
}

void gone(void* p) noexcept
{
    if (enabled() && p)
        bytes.fetch_sub(::malloc_usable_size(p), std::memory_order_relaxed);
}

} // namespace

namespace bench {

void count_allocations(bool on) noexcept
{
    counting = on;
}

std::uint64_t allocations() noexcept
{
    return calls;
}

std::uint64_t live_bytes() noexcept
{
    return bytes;
}

} // namespace bench

extern "C" {

void* malloc(std::size_t size)
{
    return counted(__libc_malloc(size));
}

void* calloc(std::size_t number, std::size_t size)
{
    return counted(__libc_calloc(number, size));
}

void* realloc(void* p, std::size_t size)
{
    gone(p);
    return counted(__libc_realloc(p, size));
}

void* memalign(std::size_t alignment, std::size_t size)
{
    return counted(__libc_memalign(alignment, size));
}

void* aligned_alloc(std::size_t alignment, std::size_t size)
{
    return counted(__libc_memalign(alignment, size));
}

int posix_memalign(void** p, std::size_t alignment, std::size_t size)
{
    void* const result = counted(__libc_memalign(alignment, size));
    if (!result)
        return ENOMEM;
    *p = result;
    return 0;
}

void free(void* p)
{
    gone(p);
    __libc_free(p);
}
}
