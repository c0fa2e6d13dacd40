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
constexpr std::size_t size_step = 64;
constexpr std::size_t largest_size = 1024;
constexpr std::size_t size_classes = largest_size / size_step;
constexpr unsigned bundle_blocks = 32;
constexpr unsigned thread_blocks = 2 * bundle_blocks;
constexpr unsigned store_bundles = 128;

struct free_block
{
    free_block* next;
    free_block* next_bundle;
};

static_assert(sizeof(free_block) <= size_step, "a free block holds its own links");

struct free_list
{
    free_block* first = nullptr;
    unsigned count = 0;
};

constexpr std::size_t class_of(std::size_t size)
{
    return (size - 1) / size_step;
}

// Never destroyed: threads may outlive static objects.
struct bundle_store
{
    std::mutex mutex;
    std::array<free_list, size_classes> bundles;

    // Takes a chain of bundle_blocks blocks, or says that there is no room for it.
    bool put(std::size_t size_class, free_block* chain)
    {
        const std::lock_guard<std::mutex> lock(mutex);
        free_list& list = bundles[size_class];
        if (list.count == store_bundles)
            return false;
        chain->next_bundle = std::exchange(list.first, chain);
        ++list.count;
        return true;
    }

    free_block* take(std::size_t size_class)
    {
        const std::lock_guard<std::mutex> lock(mutex);
        free_list& list = bundles[size_class];
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

// The free blocks of a thread. They have no destructor, so that getting at them costs nothing.
struct thread_cache
{
    std::array<free_list, size_classes> lists;

    // Whether an owner has been made, which frees the blocks at the end of the thread, and whether
    // it has gone: what the thread frees later goes the ordinary way.
    bool owned = false;
    bool ended = false;
};

thread_local thread_cache cache;

struct cache_owner
{
    cache_owner()
    {
        cache.owned = true;
    }

    ~cache_owner()
    {
        cache.owned = false;
        cache.ended = true;
        for (free_list& list : cache.lists)
            free_chain(std::exchange(list, {}).first);
    }

    void be_made() const
    {
    }
};

thread_local const cache_owner owner;

[[gnu::noinline]] bool become_owned()
{
    if (!cache.ended)
        owner.be_made();
    return cache.owned;
}

#if defined(__SANITIZE_ADDRESS__)
#define KAIO_NO_CACHE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KAIO_NO_CACHE 1
#endif
#endif

// Blocks that are used again at once would hide the use of freed operations from the sanitizer.
#if defined(KAIO_NO_CACHE)
constexpr bool caching = false;
#else
constexpr bool caching = true;
#endif

constexpr bool cached(std::size_t size)
{
    return caching && size <= largest_size;
}

[[gnu::noinline]] void* allocate_uncached(std::size_t size)
{
    return ::operator new(size <= largest_size ? (class_of(size) + 1) * size_step : size);
}

[[gnu::noinline]] void* refill(std::size_t size)
{
    const std::size_t size_class = class_of(size);
    const bool owned = cache.owned || become_owned();
    free_block* chain = owned ? store.take(size_class) : nullptr;
    if (!chain)
        return allocate_uncached(size);
    cache.lists[size_class] = {chain->next, bundle_blocks - 1};
    return chain;
}

[[gnu::noinline]] void put_back_bundle(std::size_t size_class) noexcept
{
    free_list& list = cache.lists[size_class];
    free_block* chain = list.first;
    free_block* last = chain;
    for (unsigned i = 1; i != bundle_blocks; ++i)
        last = last->next;
    list.first = std::exchange(last->next, nullptr);
    list.count -= bundle_blocks;
    if (!store.put(size_class, chain))
        free_chain(chain);
}

} // namespace

void* allocate_operation(std::size_t size)
{
    if (!cached(size))
        return allocate_uncached(size);

    free_list& list = cache.lists[class_of(size)];
    free_block* const block = list.first;
    if (!block)
        return refill(size);
    list.first = block->next;
    --list.count;
    return block;
}

void deallocate_operation(void* memory, std::size_t size) noexcept
{
    if (!cached(size) || (!cache.owned && !become_owned()))
    {
        ::operator delete(memory);
        return;
    }

    free_list& list = cache.lists[class_of(size)];
    auto* const block = new (memory) free_block;
    block->next = std::exchange(list.first, block);
    if (++list.count == thread_blocks)
        put_back_bundle(class_of(size));
}

} // namespace detail
} // namespace kaio
