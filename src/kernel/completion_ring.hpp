//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_KERNEL_COMPLETION_RING_HPP
#define KAIO_KERNEL_COMPLETION_RING_HPP

#include <cstddef>
#include <cstdint>

namespace kaio {
namespace detail {

/// One completion, as the kernel writes it.
struct completion_event
{
    std::uint64_t data;
    std::uint64_t control_block;
    std::int64_t result;
    std::int64_t result2;
};

/// The ring in which the kernel leaves completions, read without a system call.
/** Only one reader at a time, be it this class or io_getevents: both move the same head. */
class completion_ring
{
public:
    completion_ring() = default;

    /// Take the ring of an AIO context into use, if its layout is the one known here.
    explicit completion_ring(void* context) noexcept;

    bool usable() const noexcept
    {
        return header_ != nullptr;
    }

    /// Call f(event) for each completion that is there, and give their places back to the kernel.
    template <typename Function>
    std::size_t consume(Function&& f) noexcept
    {
        std::uint32_t head = __atomic_load_n(&header_->head, __ATOMIC_RELAXED);
        const std::uint32_t tail = __atomic_load_n(&header_->tail, __ATOMIC_ACQUIRE);
        std::size_t count = 0;
        for (; head != tail; ++count)
        {
            f(events()[head]);
            head = head + 1 == size_ ? 0 : head + 1;
        }
        if (count != 0)
            __atomic_store_n(&header_->head, head, __ATOMIC_RELEASE);
        return count;
    }

private:
    struct header
    {
        std::uint32_t id;
        std::uint32_t nr;
        std::uint32_t head;
        std::uint32_t tail;
        std::uint32_t magic;
        std::uint32_t compat_features;
        std::uint32_t incompat_features;
        std::uint32_t header_length;
    };

    const completion_event* events() const noexcept
    {
        return reinterpret_cast<const completion_event*>(header_ + 1);
    }

    header* header_ = nullptr;
    std::uint32_t size_ = 0;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_KERNEL_COMPLETION_RING_HPP
