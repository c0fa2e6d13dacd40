//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_STREAM_FILE_HPP
#define KAIO_STREAM_FILE_HPP

#include <kaio/basic_stream_file.hpp>

namespace kaio {

/// Typedef for the typical usage of a stream file.
using stream_file = basic_stream_file<>;

} // namespace kaio

#endif // KAIO_STREAM_FILE_HPP
