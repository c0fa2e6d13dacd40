//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_EXAMPLE_DEMO_WRITTEN_FILE_HPP
#define KAIO_EXAMPLE_DEMO_WRITTEN_FILE_HPP

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <kaio/aio_service.hpp>
#include <kaio/random_access_file.hpp>

#include "content_writer.hpp"
#include "demo_load.hpp"
#include "direct_io.hpp"
#include "number_text.hpp"
#include "options.hpp"
#include "progress_bar.hpp"
#include "scratch_file.hpp"

/// The demo's own file: written through kaio, with content by which every byte can be checked.
class written_file
{
public:
    explicit written_file(const options& chosen)
      : file_(chosen.directory, chosen.mebibytes * 1024 * 1024)
    {
        load_.path = file_.path();
        load_.open_flags = O_RDONLY | bench::direct_flag(load_.path, load_.block_size);
        load_.file_size = chosen.mebibytes * 1024 * 1024;
        load_.known_content = true;
        load_.depth = chosen.depth;
        load_.duration = chosen.duration();
        write();
    }

    /// How to read it. The file lasts as long as this object.
    const demo_load& load() const noexcept
    {
        return load_;
    }

private:
    void write() const
    {
        const int direct = load_.open_flags & O_DIRECT;
        std::cout << "Writing " << (load_.file_size >> 20) << " MiB of recognisable content to "
                  << file_.name() << std::endl;

        const auto started = std::chrono::steady_clock::now();
        boost::asio::io_context context(1);
        content_writer writer(context, load_.path,
                              static_cast<kaio::file_base::flags>(O_WRONLY | direct),
                              bench::file_content(load_.seed), load_.depth);
        {
            bench::progress_bar progress("writing");
            writer.start([&](std::uint64_t written) {
                progress.update(static_cast<double>(written) /
                                static_cast<double>(load_.file_size));
            });
            context.run();
            writer.finish();
        }
        const auto elapsed = std::chrono::steady_clock::now() - started;

        report(boost::asio::use_service<kaio::aio_service>(context).statistics(),
               std::chrono::duration<double>(elapsed).count());
    }

    void report(const kaio::service_statistics& statistics, double seconds) const
    {
        using bench::grouped;
        std::cout << "  " << grouped(statistics.operations_completed) << " writes of "
                  << (content_writer::block_size >> 10) << " KiB, at most "
                  << statistics.outstanding_high_water << " outstanding, by "
                  << grouped(statistics.submit_calls) << " calls of io_submit\n"
                  << "  synced after " << bench::decimal(seconds, 2)
                  << " s: " << bench::rounded(static_cast<double>(load_.file_size >> 20) / seconds)
                  << " MiB/s\n";
    }

    scratch_file file_;
    demo_load load_;
};

#endif // KAIO_EXAMPLE_DEMO_WRITTEN_FILE_HPP
