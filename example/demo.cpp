//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Reads a file at random through kaio, many reads at a time and all of them checked, while the same
// loop serves a TCP session and a timer; then compares with what else a program could use.

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <stdexcept>

#include "demo/contenders.hpp"
#include "demo/demo_load.hpp"
#include "demo/given_file.hpp"
#include "demo/one_loop.hpp"
#include "demo/options.hpp"
#include "demo/written_file.hpp"

namespace {

void say_how(const demo_load& load)
{
    std::cout << "\nReads of 4 KiB at random, " << load.depth << " outstanding";
    if ((load.open_flags & O_DIRECT) != 0)
        std::cout << ", direct";
    else
        std::cout << ", through the page cache, as the file refuses direct I/O\n"
                     "  (each measurement starts with the file dropped from the cache)";
    if (load.known_content)
        std::cout << "; every byte is checked\n";
    else
        std::cout << ";\n  checked are the length of each, and the bytes of one in "
                  << bench::sample_check::interval << " (until " << bench::sample_check::samples
                  << " were)\n  against a pread made beforehand\n";
}

void demonstrate(demo_load load)
{
    say_how(load);
    // The contenders keep to the blocks read here: should something below the file cache them, it
    // has them for the first contender, too.
    load.distinct_reads = one_loop(load).run();
    contenders(load).run();
    std::cout << "\nAll reads were right." << std::endl;
    if (!std::cout)
        throw std::runtime_error("cannot print the results");
}

} // namespace

int main(int argc, char** argv)
{
    options chosen;
    CLI::App app("Shows kaio at work on a file, and compares it.", "kaio_demo");
    chosen.add_to(app);
    CLI11_PARSE(app, argc, argv);

    try
    {
        if (chosen.file.empty())
        {
            const written_file file(chosen);
            demonstrate(file.load());
        }
        else
        {
            demonstrate(load_of_given_file(chosen));
        }
    }
    catch (const std::exception& e)
    {
        std::cerr << "kaio_demo: " << e.what() << '\n';
        return 1;
    }
}
