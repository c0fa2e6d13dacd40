//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_EXPLAIN_HPP
#define KAIO_EXPLAIN_HPP

#include <cstdint>
#include <string>

#include <kaio/basic_file.hpp>
#include <kaio/detail/operation/throw_transfer_error.hpp>
#include <kaio/io_options.hpp>

namespace kaio {

/// Say in words why a transfer failed.
/**
 * What is misaligned and what is required, what the descriptor doesn't allow, which limit was hit.
 * The functions that throw put the same into @c what(). It is found out by asking about the file as it
 * is now, so it says most directly after the failure.
 *
 * @param file The file.
 * @param offset Where the transfer was to begin; of a stream file, its position.
 * @param buffers The buffers of the transfer.
 * @param ec Its error code.
 *
 * @returns One sentence; the message of the error code if there is nothing to add to that; an empty
 * string if there was no error.
 *
 * @par Example
 * @code
 * file.async_read_some_at(offset, buffer, [&, offset, buffer](error_code ec, std::size_t size) {
 *     if (ec)
 *         std::cerr << kaio::explain(file, offset, buffer, ec) << '\n';
 * });
 * @endcode
 */
template <typename Executor, typename BufferSequence>
std::string explain(basic_file<Executor>& file, std::uint64_t offset, const BufferSequence& buffers,
                    const error_code& ec)
{
    const std::string why =
        detail::explain_transfer(file.native_handle(), offset, buffers, io_options(), ec);
    return why.empty() && ec ? ec.message() : why;
}

/// Say in words why a transfer with options failed.
template <typename Executor, typename BufferSequence>
std::string explain(basic_file<Executor>& file, std::uint64_t offset, const BufferSequence& buffers,
                    const io_options& options, const error_code& ec)
{
    const std::string why =
        detail::explain_transfer(file.native_handle(), offset, buffers, options, ec);
    return why.empty() && ec ? ec.message() : why;
}

} // namespace kaio

#endif // KAIO_EXPLAIN_HPP
