//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_OFFLOAD_CARRY_OUT_HPP
#define KAIO_OFFLOAD_CARRY_OUT_HPP

#include <cstdint>

#include <kaio/detail/operation/operation_record.hpp>

namespace kaio {
namespace detail {

/// Do what an operation asks for, waiting as long as it takes. Returns its result.
std::int64_t carry_out(operation_record& record, int descriptor) noexcept;

} // namespace detail
} // namespace kaio

#endif // KAIO_OFFLOAD_CARRY_OUT_HPP
