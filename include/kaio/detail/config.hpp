//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_CONFIG_HPP
#define KAIO_DETAIL_CONFIG_HPP

// What every header of kaio needs, the engine's included: nothing here knows Asio.

#if !defined(__linux__)
#error "kaio uses the Linux kernel's asynchronous I/O: it works on Linux only"
#endif

#if defined(KAIO_SHARED) || defined(KAIO_BUILDING_LIBRARY)
#define KAIO_DECL __attribute__((visibility("default")))
#else
#define KAIO_DECL
#endif

#endif // KAIO_DETAIL_CONFIG_HPP
