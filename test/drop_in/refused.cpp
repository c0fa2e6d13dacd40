//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// For the messages of the compiler when a program is set up wrongly.

#include <boost/asio/random_access_file.hpp>

int main()
{
}
