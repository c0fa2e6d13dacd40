//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Measures one cell: the contenders with io_uring. A program of its own, because io_uring is a
// choice that holds for all of Asio in a program.

#include <boost/asio/random_access_file.hpp>

#include "file_contender.hpp"
#include "io_uring_contender.hpp"
#include "program.hpp"

int main(int argc, char** argv)
{
    using namespace bench;
    using asio_contender = file_contender<boost::asio::random_access_file>;
    return program("Measures one cell and prints its figures",
                   {
                       {"asio_io_uring", make_contender<asio_contender>()},
                       {"io_uring", make_contender<io_uring_contender>()},
                   })
        .run(argc, argv);
}
