//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_IO_VECTORS_HPP
#define KAIO_DETAIL_OPERATION_IO_VECTORS_HPP

#include <limits.h>
#include <sys/uio.h>

#include <boost/asio/buffer.hpp>
#include <cstddef>

#include <kaio/detail/asio.hpp>

namespace kaio {
namespace detail {

/// The number of buffers of a sequence that one transfer takes: those that aren't empty, to a limit.
template <typename BufferSequence>
std::size_t count_io_vectors(const BufferSequence& buffers)
{
    std::size_t count = 0;
    const auto end = asio::buffer_sequence_end(buffers);
    for (auto it = asio::buffer_sequence_begin(buffers); it != end && count != IOV_MAX; ++it)
        count += asio::const_buffer(*it).size() != 0;
    return count;
}

/// The first buffer of a sequence that isn't empty: there is one.
template <typename BufferSequence>
::iovec first_io_vector(const BufferSequence& buffers)
{
    auto it = asio::buffer_sequence_begin(buffers);
    while (asio::const_buffer(*it).size() == 0)
        ++it;
    const asio::const_buffer buffer(*it);
    return {const_cast<void*>(buffer.data()), buffer.size()};
}

/// Write the first buffers of a sequence that aren't empty to an array.
template <typename BufferSequence>
void fill_io_vectors(const BufferSequence& buffers, ::iovec* vectors, std::size_t count)
{
    auto it = asio::buffer_sequence_begin(buffers);
    for (std::size_t i = 0; i != count; ++it)
    {
        const asio::const_buffer buffer(*it);
        if (buffer.size() != 0)
            vectors[i++] = {const_cast<void*>(buffer.data()), buffer.size()};
    }
}

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_IO_VECTORS_HPP
