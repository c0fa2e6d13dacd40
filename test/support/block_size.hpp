//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_BLOCK_SIZE_HPP
#define KAIO_TEST_SUPPORT_BLOCK_SIZE_HPP

#include <cstddef>

namespace kaio {
namespace test {

/// A block of a file system, and enough for any direct transfer.
constexpr std::size_t block_size = 4096;

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_BLOCK_SIZE_HPP
