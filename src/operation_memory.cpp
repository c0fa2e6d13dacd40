//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/detail/operation_memory.hpp>

#include <array>
#include <mutex>
#include <new>
#include <utility>

namespace kaio {
namespace detail {
namespace {

// Every thread keeps free blocks of each size, and exchanges them with a common store a bundle at
// a time: threads that start operations get back what threads that complete them have freed, and
// a lock is taken once in so many operations.
constexpr unsigned bundle_blocks = 32;
constexpr unsigned most_blocks = 2 * bundle_blocks;
constexpr unsigned store_bundles = 128;

static_assert(sizeof(free_block) <= block_cache::size_step, "a free block holds its own links");

// Never destroyed: threads may outlive static objects.
struct bundle_store
{
    struct bundles_of_size
    {
        free_block* first = nullptr;
        unsigned count = 0;
    };

    std::mutex mutex;
    std::array<bundles_of_size, block_cache::size_classes> bundles;

    // Takes a chain of bundle_blocks blocks, or says that there is no room for it.
    bool put(std::size_t size_class, free_block* chain)
    {
        const std::lock_guard<std::mutex> lock(mutex);
        bundles_of_size& list = bundles[size_class];
        if (list.count == store_bundles)
            return false;
        chain->next_bundle = std::exchange(list.first, chain);
        ++list.count;
        return true;
    }

    free_block* take(std::size_t size_class)
    {
        const std::lock_guard<std::mutex> lock(mutex);
        bundles_of_size& list = bundles[size_class];
        free_block* chain = list.first;
        if (chain)
        {
            list.first = chain->next_bundle;
            --list.count;
        }
        return chain;
    }
};

bundle_store store;

void free_chain(free_block* chain)
{
    while (chain)
        ::operator delete(std::exchange(chain, chain->next));
}

// Frees the blocks of a thread at its end. What the thread frees later goes the ordinary way.
struct cache_owner
{
    cache_owner()
    {
        for (free_blocks& free : thread_blocks.classes)
            free.room = most_blocks;
        thread_blocks.owner = block_cache::owner_state::alive;
    }

    ~cache_owner()
    {
        thread_blocks.owner = block_cache::owner_state::gone;
        for (free_blocks& free : thread_blocks.classes)
            free_chain(std::exchange(free, {}).first);
    }

    void be_made() const
    {
    }
};

thread_local const cache_owner owner;

bool has_owner()
{
    if (thread_blocks.owner == block_cache::owner_state::none)
        owner.be_made();
    return thread_blocks.owner == block_cache::owner_state::alive;
}

void put_bundle_away(std::size_t size_class) noexcept
{
    free_blocks& free = thread_blocks.classes[size_class];
    free_block* const chain = free.first;
    free_block* last = chain;
    for (unsigned i = 1; i != bundle_blocks; ++i)
        last = last->next;
    free.first = std::exchange(last->next, nullptr);
    free.room += bundle_blocks;
    if (!store.put(size_class, chain))
        free_chain(chain);
}

#if defined(KAIO_NO_BLOCK_CACHE)
constexpr bool caching = false;
#else
constexpr bool caching = true;
#endif

bool cached(std::size_t size)
{
    return caching && size <= block_cache::largest_size && has_owner();
}

} // namespace

__thread block_cache thread_blocks{};

void* allocate_out_of_line(std::size_t size)
{
    if (size > block_cache::largest_size)
        return ::operator new(size);
    const std::size_t size_class = block_cache::class_of(size);
    if (cached(size))
    {
        free_blocks& free = thread_blocks.classes[size_class];
        if (!free.first && (free.first = store.take(size_class)))
            free.room -= bundle_blocks;
        if (free.first)
            return free.pop();
    }
    return ::operator new((size_class + 1) * block_cache::size_step);
}

void deallocate_out_of_line(void* memory, std::size_t size) noexcept
{
    if (!cached(size))
    {
        ::operator delete(memory);
        return;
    }
    const std::size_t size_class = block_cache::class_of(size);
    if (thread_blocks.classes[size_class].room == 0)
        put_bundle_away(size_class);
    thread_blocks.classes[size_class].push(memory);
}

} // namespace detail
} // namespace kaio
