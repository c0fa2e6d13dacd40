//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Asio's own functions, for a program in which they are compiled separately.

#include <boost/asio/impl/src.hpp>
