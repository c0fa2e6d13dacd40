//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_VERSION_HPP
#define KAIO_VERSION_HPP

#define KAIO_VERSION_MAJOR 0
#define KAIO_VERSION_MINOR 1
#define KAIO_VERSION_PATCH 0

/// The version as one number: KAIO_VERSION / 10000 is the major version, KAIO_VERSION / 100 % 100
/// the minor version, KAIO_VERSION % 100 the patch level.
#define KAIO_VERSION (KAIO_VERSION_MAJOR * 10000 + KAIO_VERSION_MINOR * 100 + KAIO_VERSION_PATCH)

#endif // KAIO_VERSION_HPP
