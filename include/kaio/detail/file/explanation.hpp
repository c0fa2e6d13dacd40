//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_FILE_EXPLANATION_HPP
#define KAIO_DETAIL_FILE_EXPLANATION_HPP

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include <kaio/detail/config.hpp>

namespace kaio {
namespace detail {

/// What is known of a transfer that failed.
struct failed_transfer
{
    int descriptor;
    std::uint64_t offset;
    const ::iovec* buffers;
    std::size_t buffer_count;

    // Where they are known: those of preadv2 and pwritev2.
    std::uint32_t rw_flags = 0;
};

/// Why it failed with an errno, in words; empty if nothing can be said beyond that.
KAIO_DECL std::string explanation(const failed_transfer& transfer, int error);

/// Where the file ends, in words.
KAIO_DECL std::string explanation_of_end(const failed_transfer& transfer);

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_FILE_EXPLANATION_HPP
