//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DROP_IN_KAIO_DROP_IN_HPP
#define KAIO_DROP_IN_KAIO_DROP_IN_HPP

// What all headers of the folder kaio/drop_in need: they stand before Asio's of the same name, and
// put kaio's types behind Asio's names. Defines KAIO_DROP_IN if the program is set up for that.

#if defined(BOOST_ASIO_HAS_IO_URING)
#error \
    "kaio::drop_in takes the place of Asio's io_uring files: build without BOOST_ASIO_HAS_IO_URING, \
and without liburing. For io_uring itself, don't link kaio::drop_in; kaio::kaio works beside it"
#elif !defined(BOOST_ASIO_HAS_FILE)
#error \
    "kaio::drop_in needs BOOST_ASIO_HAS_FILE=1 in the whole program: link the CMake target, or \
define it for every translation unit, together with the include path to kaio/drop_in"
#else
#define KAIO_DROP_IN 1
#endif

#endif // KAIO_DROP_IN_KAIO_DROP_IN_HPP
