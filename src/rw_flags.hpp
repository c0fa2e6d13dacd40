//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_RW_FLAGS_HPP
#define KAIO_RW_FLAGS_HPP

#include <cstdint>

namespace kaio {
namespace detail {

// The flags of preadv2, pwritev2 and of AIO control blocks. The last two are newer than the headers
// of Debian 12: Linux 6.11 and 6.14.
constexpr std::uint32_t rwf_dsync = 0x02;
constexpr std::uint32_t rwf_sync = 0x04;
constexpr std::uint32_t rwf_nowait = 0x08;
constexpr std::uint32_t rwf_append = 0x10;
constexpr std::uint32_t rwf_atomic = 0x40;
constexpr std::uint32_t rwf_dontcache = 0x80;

} // namespace detail
} // namespace kaio

#endif // KAIO_RW_FLAGS_HPP
