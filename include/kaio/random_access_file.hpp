//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_RANDOM_ACCESS_FILE_HPP
#define KAIO_RANDOM_ACCESS_FILE_HPP

#include <kaio/basic_random_access_file.hpp>

namespace kaio {

/// Typedef for the typical usage of a random-access file.
using random_access_file = basic_random_access_file<>;

} // namespace kaio

#endif // KAIO_RANDOM_ACCESS_FILE_HPP
