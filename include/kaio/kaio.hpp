//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_KAIO_HPP
#define KAIO_KAIO_HPP

#include <kaio/aio_service.hpp>
#include <kaio/aligned_buffer.hpp>
#include <kaio/basic_file.hpp>
#include <kaio/basic_random_access_file.hpp>
#include <kaio/basic_stream_file.hpp>
#include <kaio/explain.hpp>
#include <kaio/file_base.hpp>
#include <kaio/io_alignment.hpp>
#include <kaio/io_options.hpp>
#include <kaio/random_access_file.hpp>
#include <kaio/service_options.hpp>
#include <kaio/service_statistics.hpp>
#include <kaio/stream_file.hpp>
#include <kaio/version.hpp>

#endif // KAIO_KAIO_HPP
