//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <kaio/detail/operation/operation_memory.hpp>

#include <array>
#include <atomic>
#include <mutex>
#include <new>
#include <utility>

#include "kernel/process_identity.hpp"

namespace kaio {
namespace detail {
namespace {

// Every thread keeps free blocks of each size. It exchanges them, a bundle at a time, with a store that
// all threads share. So threads that start operations get what threads that complete them have freed, and
// the lock of the store is seldom taken.
constexpr std::size_t size_step = 64;
constexpr std::size_t largest_size = 1024;
constexpr std::size_t size_classes = largest_size / size_step;
constexpr unsigned bundle_blocks = 32;
constexpr unsigned most_blocks = 2 * bundle_blocks;
constexpr unsigned store_bundles = 128;

struct free_block
{
    free_block* next;
    free_block* next_bundle;
};

static_assert(sizeof(free_block) <= size_step, "a free block holds its own links");

// The free blocks of one size, and how many more may be added.
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

constexpr std::size_t class_of(std::size_t size)
{
    return (size - 1) / size_step;
}

struct bundles
{
    struct bundles_of_size
    {
        free_block* first = nullptr;
        unsigned count = 0;
    };

    std::mutex mutex;
    std::array<bundles_of_size, size_classes> lists;

    // Takes a chain of bundle_blocks blocks, or says that there is no room for it.
    bool put(std::size_t size_class, free_block* chain)
    {
        const std::lock_guard<std::mutex> lock(mutex);
        bundles_of_size& list = lists[size_class];
        if (list.count == store_bundles)
            return false;
        chain->next_bundle = std::exchange(list.first, chain);
        ++list.count;
        return true;
    }

    free_block* take(std::size_t size_class)
    {
        const std::lock_guard<std::mutex> lock(mutex);
        bundles_of_size& list = lists[size_class];
        free_block* chain = list.first;
        if (chain)
        {
            list.first = chain->next_bundle;
            --list.count;
        }
        return chain;
    }
};

// The bundles of all threads. A thread that the child of a fork doesn't have may have held the lock
// and may have been changing a list while the copy was made. So a child begins with an empty store:
// what was in it is lost to the child.
class bundle_store
{
public:
    bool put(std::size_t size_class, free_block* chain)
    {
        return is_of_this_process() && bundles_.put(size_class, chain);
    }

    free_block* take(std::size_t size_class)
    {
        return is_of_this_process() ? bundles_.take(size_class) : nullptr;
    }

private:
    bool is_of_this_process()
    {
        const process_identity now = process_identity::current();
        if (process_.load(std::memory_order_acquire) == now)
            return true;
        // Others go without it meanwhile.
        if (emptying_.exchange(true, std::memory_order_acquire))
            return false;
        if (process_.load(std::memory_order_relaxed) != now)
        {
            new (&bundles_) bundles;
            process_.store(now, std::memory_order_release);
        }
        emptying_.store(false, std::memory_order_release);
        return true;
    }

    bundles bundles_;
    std::atomic<process_identity> process_{process_identity()};
    std::atomic<bool> emptying_{false};
};

// Never destroyed: threads may outlive static objects.
bundle_store store;

void free_chain(free_block* chain)
{
    while (chain)
        ::operator delete(std::exchange(chain, chain->next));
}

enum class owner_state
{
    none,
    alive,
    gone
};

// The free blocks of a thread. There is room for them only while something will free them when the thread
// ends. Not thread_local: before each access that calls a function, which looks whether something has to
// be constructed. And not for functions in line: a function of a fibre may go on in another thread, with
// the address of the first thread's blocks.
struct block_cache
{
    free_blocks classes[size_classes];
    owner_state owner;
};

__thread block_cache cache;

struct cache_owner
{
    cache_owner()
    {
        for (free_blocks& free : cache.classes)
            free.room = most_blocks;
        cache.owner = owner_state::alive;
    }

    // What the thread frees later goes the ordinary way.
    ~cache_owner()
    {
        cache.owner = owner_state::gone;
        for (free_blocks& free : cache.classes)
            free_chain(std::exchange(free, {}).first);
    }

    void be_made() const
    {
    }
};

thread_local const cache_owner owner;

bool has_owner()
{
    if (cache.owner == owner_state::none)
        owner.be_made();
    return cache.owner == owner_state::alive;
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

// A handler may have to be queued although there is no memory: in place of the operation that has
// just been freed, which was larger. A larger block that is freed as a smaller one does no harm.
void* take_larger(std::size_t size) noexcept
{
    for (std::size_t i = class_of(size) + 1; i != size_classes; ++i)
    {
        if (cache.classes[i].first)
            return cache.classes[i].pop();
    }
    return nullptr;
}

[[gnu::noinline]] void* refill(std::size_t size)
{
    free_block* const chain = has_owner() ? store.take(class_of(size)) : nullptr;
    if (!chain)
    {
        try
        {
            return allocate_uncached(size);
        }
        catch (const std::bad_alloc&)
        {
            if (void* const larger = take_larger(size))
                return larger;
            throw;
        }
    }
    free_blocks& free = cache.classes[class_of(size)];
    free.first = chain;
    free.room -= bundle_blocks;
    return free.pop();
}

[[gnu::noinline]] void free_for_others(void* memory, std::size_t size) noexcept
{
    if (!has_owner())
    {
        ::operator delete(memory);
        return;
    }
    free_blocks& free = cache.classes[class_of(size)];
    if (free.room == 0)
    {
        free_block* const chain = free.first;
        free_block* last = chain;
        for (unsigned i = 1; i != bundle_blocks; ++i)
            last = last->next;
        free.first = std::exchange(last->next, nullptr);
        free.room += bundle_blocks;
        if (!store.put(class_of(size), chain))
            free_chain(chain);
    }
    free.push(memory);
}

} // namespace

void* allocate_operation(std::size_t size)
{
    if (!cached(size))
        return allocate_uncached(size);
    free_blocks& free = cache.classes[class_of(size)];
    return free.first ? free.pop() : refill(size);
}

void deallocate_operation(void* memory, std::size_t size) noexcept
{
    if (!cached(size))
    {
        ::operator delete(memory);
        return;
    }
    free_blocks& free = cache.classes[class_of(size)];
    if (free.room != 0)
        free.push(memory);
    else
        free_for_others(memory, size);
}

} // namespace detail
} // namespace kaio
