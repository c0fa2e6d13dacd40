//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_ALIGNED_MEMORY_HPP
#define KAIO_BENCH_ALIGNED_MEMORY_HPP

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

namespace bench {

/// Memory fit for direct transfers, zeroed.
class aligned_memory
{
public:
    explicit aligned_memory(std::size_t size)
      : data_(static_cast<unsigned char*>(::operator new(size, alignment)))
    {
        std::memset(data_.get(), 0, size);
    }

    unsigned char* data() const noexcept
    {
        return data_.get();
    }

private:
    static constexpr std::align_val_t alignment{4096};

    struct free
    {
        void operator()(unsigned char* data) const noexcept
        {
            ::operator delete(data, alignment);
        }
    };

    std::unique_ptr<unsigned char, free> data_;
};

} // namespace bench

#endif // KAIO_BENCH_ALIGNED_MEMORY_HPP
