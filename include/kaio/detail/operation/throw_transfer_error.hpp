//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_THROW_TRANSFER_ERROR_HPP
#define KAIO_DETAIL_OPERATION_THROW_TRANSFER_ERROR_HPP

#include <string>
#include <vector>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/file/descriptor.hpp>
#include <kaio/detail/file/explanation.hpp>
#include <kaio/detail/operation/io_vectors.hpp>
#include <kaio/detail/operation/kernel_options.hpp>
#include <kaio/detail/operation/start_transfer.hpp>
#include <kaio/detail/throw_error.hpp>
#include <kaio/io_options.hpp>

namespace kaio {
namespace detail {

/// Why a transfer failed, in words; empty if nothing can be said beyond the error code.
template <typename BufferSequence>
std::string explain_transfer(int descriptor, const transfer_offset& offset,
                             const BufferSequence& buffers, const io_options& options,
                             const error_code& ec)
{
    if (!ec)
        return {};
    std::vector<::iovec> vectors(count_io_vectors(buffers));
    fill_io_vectors(buffers, vectors.data(), vectors.size());
    int ignored = 0;
    const std::uint64_t begin =
        offset ? *offset : descriptor::seek(descriptor, 0, SEEK_CUR, ignored);
    const failed_transfer transfer{descriptor, begin, vectors.data(), vectors.size(),
                                   rw_flags(options)};
    if (ec == asio::error::eof)
        return explanation_of_end(transfer);
    return ec.category() == boost::system::system_category() ? explanation(transfer, ec.value())
                                                             : std::string();
}

/// Throw what a transfer that failed is to throw: its error code, and why.
template <typename BufferSequence>
void throw_transfer_error(const error_code& ec, const char* location, const file_handle& handle,
                          const transfer_offset& offset, const BufferSequence& buffers,
                          const io_options& options)
{
    if (!ec)
        return;
    std::string what = location;
    const std::string why = explain_transfer(handle.descriptor(), offset, buffers, options, ec);
    if (!why.empty())
        what += ": " + why;
    throw_error(ec, what.c_str());
}

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_THROW_TRANSFER_ERROR_HPP
