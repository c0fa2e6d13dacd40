//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_ALIGNED_BUFFER_HPP
#define KAIO_ALIGNED_BUFFER_HPP

#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include <kaio/detail/asio.hpp>
#include <kaio/io_alignment.hpp>

namespace kaio {

/// The alignment that suits every file: see basic_file::alignment() for that of one.
inline constexpr std::size_t default_alignment = 4096;

/// A block of memory for direct transfers. It can be moved, but not copied.
/**
 * The memory is not initialised.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Unsafe.
 *
 * @par Example
 * @code
 * kaio::aligned_buffer block(4096);
 * file.async_read_some_at(0, boost::asio::buffer(block), handler);
 * @endcode
 */
class aligned_buffer
{
public:
    /// An empty one.
    aligned_buffer() noexcept : memory_(nullptr, release{0})
    {
    }

    /// Allocate memory.
    /**
     * @param size Its size in bytes.
     * @param alignment What its address is a multiple of: a power of two. With 0, which
     * basic_file::alignment() gives for files without direct I/O, any address will do.
     *
     * @throws std::invalid_argument The alignment is not a power of two.
     * @throws std::bad_alloc There is no memory.
     */
    explicit aligned_buffer(std::size_t size, std::size_t alignment = default_alignment)
      : memory_(allocate(size, alignment), release{alignment}), size_(size)
    {
    }

    /// Take over the memory of another, which becomes empty.
    aligned_buffer(aligned_buffer&& other) noexcept
      : memory_(std::move(other.memory_)), size_(std::exchange(other.size_, 0))
    {
    }

    /// Take over the memory of another, which becomes empty.
    aligned_buffer& operator=(aligned_buffer&& other) noexcept
    {
        memory_ = std::move(other.memory_);
        size_ = std::exchange(other.size_, 0);
        return *this;
    }

    /// The memory.
    void* data() const noexcept
    {
        return memory_.get();
    }

    /// Its size in bytes.
    std::size_t size() const noexcept
    {
        return size_;
    }

    /// The memory as Asio sees it: <tt>boost::asio::buffer(block)</tt>.
    operator asio::mutable_buffer() const noexcept
    {
        return asio::mutable_buffer(data(), size());
    }

private:
    struct release
    {
        void operator()(void* memory) const noexcept
        {
            if (alignment == 0)
                ::operator delete(memory);
            else
                ::operator delete(memory, std::align_val_t(alignment));
        }

        std::size_t alignment;
    };

    static void* allocate(std::size_t size, std::size_t alignment)
    {
        if ((alignment & (alignment - 1)) != 0)
            throw std::invalid_argument("kaio::aligned_buffer: not a power of two");
        return alignment == 0 ? ::operator new(size)
                              : ::operator new(size, std::align_val_t(alignment));
    }

    std::unique_ptr<void, release> memory_;
    std::size_t size_ = 0;
};

/// An allocator of memory for direct transfers.
/**
 * @par Example
 * @code
 * std::vector<char, kaio::aligned_allocator<char>> block(4096);
 * @endcode
 */
template <typename T, std::size_t Alignment = default_alignment>
class aligned_allocator
{
    static_assert(Alignment >= alignof(T) && (Alignment & (Alignment - 1)) == 0,
                  "a power of two, not below that of the type");

public:
    using value_type = T;

    template <typename U>
    struct rebind
    {
        using other = aligned_allocator<U, Alignment>;
    };

    aligned_allocator() = default;

    template <typename U>
    aligned_allocator(const aligned_allocator<U, Alignment>&) noexcept
    {
    }

    T* allocate(std::size_t n)
    {
        if (n > static_cast<std::size_t>(-1) / sizeof(T))
            throw std::bad_array_new_length();
        return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t(Alignment)));
    }

    void deallocate(T* memory, std::size_t) noexcept
    {
        ::operator delete(memory, std::align_val_t(Alignment));
    }

    template <typename U>
    friend bool operator==(const aligned_allocator&,
                           const aligned_allocator<U, Alignment>&) noexcept
    {
        return true;
    }

    template <typename U>
    friend bool operator!=(const aligned_allocator&,
                           const aligned_allocator<U, Alignment>&) noexcept
    {
        return false;
    }
};

} // namespace kaio

#endif // KAIO_ALIGNED_BUFFER_HPP
