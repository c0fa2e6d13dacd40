//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_CONTENDER_HPP
#define KAIO_BENCH_CONTENDER_HPP

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "descriptor.hpp"
#include "lane.hpp"
#include "latency_histogram.hpp"

namespace bench {

/// The system lacks something that a contender needs.
struct not_available : std::runtime_error
{
    using std::runtime_error::runtime_error;
};

/// A way to carry out the operations of a lane.
class contender
{
public:
    virtual ~contender() = default;

    /// Carries out all operations of a phase. Called several times, always by the same thread.
    virtual void run() = 0;

    /// Bytes on the heap after the operations of all slots had been started; 0 if not counted.
    virtual std::uint64_t bytes_started() const
    {
        return 0;
    }

    virtual std::uint64_t echo_round_trips() const
    {
        return 0;
    }

    virtual latency_histogram lateness() const
    {
        return {};
    }

    /// What else the contender has to tell.
    virtual std::map<std::string, double> statistics()
    {
        return {};
    }
};

using contender_factory = std::function<std::unique_ptr<contender>(lane&)>;
using contender_table = std::map<std::string, contender_factory>;

/// The files of a cell, opened as it wants them.
inline std::vector<descriptor> open_files(const cell& c)
{
    const std::size_t handles = c.one_handle_per_slot() ? c.depth : c.paths.size();
    std::vector<descriptor> result;
    for (std::size_t i = 0; i != handles; ++i)
    {
        result.push_back(open_file(c.paths[i % c.paths.size()], workload::open_flags(c)));
        // As Asio's random_access_file and kaio's do.
        ::posix_fadvise(result.back().get(), 0, 0, POSIX_FADV_RANDOM);
    }
    return result;
}

template <typename Contender, typename... Arguments>
contender_factory make_contender(Arguments... arguments)
{
    return [=](lane& l) { return std::make_unique<Contender>(l, arguments...); };
}

} // namespace bench

#endif // KAIO_BENCH_CONTENDER_HPP
