//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "kernel/process_identity.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <atomic>
#include <new>

namespace kaio {
namespace detail {
namespace {

using mark_type = std::atomic<unsigned>;

// The number of this process, or 0 if it has not asked yet: it may be a child.
std::atomic<mark_type*> mark{nullptr};

// A child goes on counting where its parent was: no process has a number of its ancestors.
std::atomic<unsigned> last_number{0};

// Linux before 4.14 has no pages that it clears in a child, and there may be no memory for one.
mark_type unmapped_mark{0};

mark_type* map_mark() noexcept
{
    constexpr std::size_t size = sizeof(mark_type);
    void* const page =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return nullptr;
    if (::madvise(page, size, MADV_WIPEONFORK) == 0)
        return new (page) mark_type(0);
    ::munmap(page, size);
    return nullptr;
}

// No lock and no guarded static: a child would wait for a thread that it doesn't have.
mark_type& make_mark() noexcept
{
    mark_type* made = map_mark();
    if (!made)
    {
        made = &unmapped_mark;
        ::pthread_atfork(nullptr, nullptr,
                         [] { unmapped_mark.store(0, std::memory_order_relaxed); });
    }
    mark_type* first = nullptr;
    if (mark.compare_exchange_strong(first, made, std::memory_order_acq_rel))
        return *made;
    if (made != &unmapped_mark)
        ::munmap(made, sizeof(mark_type));
    return *first;
}

unsigned number(mark_type& own) noexcept
{
    unsigned result = own.load(std::memory_order_relaxed);
    if (result != 0)
        return result;
    const unsigned next = last_number.fetch_add(1, std::memory_order_relaxed) + 1;
    return own.compare_exchange_strong(result, next, std::memory_order_relaxed) ? next : result;
}

} // namespace

process_identity process_identity::current() noexcept
{
    mark_type* const known = mark.load(std::memory_order_acquire);
    return process_identity(number(known ? *known : make_mark()));
}

} // namespace detail
} // namespace kaio
