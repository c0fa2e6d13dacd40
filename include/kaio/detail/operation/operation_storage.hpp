//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_OPERATION_STORAGE_HPP
#define KAIO_DETAIL_OPERATION_OPERATION_STORAGE_HPP

#include <sys/uio.h>

#include <boost/asio/associated_allocator.hpp>
#include <cstddef>
#include <memory>
#include <type_traits>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/operation/operation_memory.hpp>

namespace kaio {
namespace detail {

/// The allocator associated with a handler, or kaio's own if the handler doesn't care.
template <typename Handler>
auto operation_allocator_for(const Handler& handler) noexcept
{
    const auto associated = asio::get_associated_allocator(handler);
    if constexpr (std::is_same_v<decltype(associated), const std::allocator<void>>)
        return operation_allocator<void>();
    else
        return associated;
}

/// Memory for an operation and the array of its buffers, in one block of an allocator.
template <typename Operation, typename Allocator>
class operation_storage
{
public:
    operation_storage(const Allocator& allocator, std::size_t vector_count)
      : allocator_(allocator), unit_count_(units(vector_count)),
        memory_(unit_traits::allocate(allocator_, unit_count_))
    {
    }

    /// Take over the memory of an operation that was made in such a storage.
    operation_storage(const Allocator& allocator, Operation& operation)
      : allocator_(allocator), unit_count_(units(operation.request().vector_count)),
        memory_(reinterpret_cast<unit*>(&operation))
    {
    }

    operation_storage(const operation_storage&) = delete;
    operation_storage& operator=(const operation_storage&) = delete;

    ~operation_storage()
    {
        if (memory_)
            unit_traits::deallocate(allocator_, memory_, unit_count_);
    }

    void* operation() const noexcept
    {
        return memory_;
    }

    ::iovec* vectors() const noexcept
    {
        return reinterpret_cast<::iovec*>(memory_ + operation_units);
    }

    void release() noexcept
    {
        memory_ = nullptr;
    }

private:
    static constexpr std::size_t alignment = alignof(Operation) > alignof(::iovec)
                                                 ? alignof(Operation)
                                                 : alignof(::iovec);

    struct alignas(alignment) unit
    {
        unsigned char bytes[alignment];
    };

    static constexpr std::size_t operation_units =
        (sizeof(Operation) + sizeof(unit) - 1) / sizeof(unit);

    static constexpr std::size_t units(std::size_t vector_count)
    {
        return operation_units + (vector_count * sizeof(::iovec) + sizeof(unit) - 1) / sizeof(unit);
    }

    using unit_allocator = typename std::allocator_traits<Allocator>::template rebind_alloc<unit>;
    using unit_traits = std::allocator_traits<unit_allocator>;

    unit_allocator allocator_;
    const std::size_t unit_count_;
    unit* memory_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_OPERATION_STORAGE_HPP
