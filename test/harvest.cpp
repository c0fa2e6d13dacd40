//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Completions are read from the kernel's ring, or fetched by io_getevents: with the same results.

#include <stdlib.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/environment_variable.hpp"
#include "support/interposed_io.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

namespace {

constexpr std::size_t file_size = 256 * 1024;

enum way
{
    from_ring,
    by_system_call
};

std::ostream& operator<<(std::ostream& os, way w)
{
    return os << (w == from_ring ? "from the ring" : "by system call");
}

const way ways[] = {from_ring, by_system_call};

// As long as it lives, services are made that harvest in this way.
class choose : environment_variable
{
public:
    explicit choose(way w) : environment_variable("KAIO_RING", w == from_ring ? "on" : "off")
    {
    }
};

// A chain of random reads on a file of its own, each checked.
class reader
{
public:
    reader(asio::io_context& context, const std::string& path, std::size_t count, unsigned seed)
      : file_(context, path, kaio::file_base::read_only), left_(count), random_(seed),
        memory_(2048, '\0')
    {
    }

    void start()
    {
        if (left_ == 0)
            return;
        --left_;
        const std::size_t offset = random_() % (file_size + 1000);
        const std::size_t size = 1 + random_() % memory_.size();
        file_.async_read_some_at(
            offset, asio::buffer(&memory_[0], size), by_io_submit(),
            [this, offset, size](boost::system::error_code ec, std::size_t bytes) {
                const std::size_t there = offset < file_size ? file_size - offset : 0;
                good_ += there == 0 ? ec == asio::error::eof && bytes == 0
                                    : !ec && bytes == std::min(size, there) &&
                                          memory_.compare(0, bytes, pattern(offset, bytes)) == 0;
                start();
            });
    }

    std::size_t good() const
    {
        return good_;
    }

private:
    kaio::random_access_file file_;
    std::size_t left_;
    std::minstd_rand random_;
    std::string memory_;
    std::size_t good_ = 0;
};

struct harvest_fixture
{
    explicit harvest_fixture(way w, std::size_t max_in_flight = 256) : source(file_size)
    {
        const choose chosen(w);
        kaio::service_options options;
        options.max_in_flight = max_in_flight;
        kaio::make_aio_service(context, options);
    }

    kaio::service_statistics statistics()
    {
        return asio::use_service<kaio::aio_service>(context).statistics();
    }

    // All results are right: run the chains by a function.
    template <typename Function>
    void check_chains(std::size_t chains, std::size_t length, Function run_all)
    {
        std::vector<std::unique_ptr<reader>> readers;
        for (std::size_t i = 0; i != chains; ++i)
        {
            readers.emplace_back(
                new reader(context, source.path(), length, static_cast<unsigned>(i + 1)));
            readers.back()->start();
        }
        run_all();
        for (const auto& r : readers)
            BOOST_TEST(r->good() == length);
    }

    temporary_file source;
    asio::io_context context;
};

// The head of the kernel's ring.
struct ring_header
{
    std::uint32_t id;
    std::uint32_t nr;
    std::uint32_t head;
    std::uint32_t tail;
    std::uint32_t magic;
    std::uint32_t compat_features;
    std::uint32_t incompat_features;
    std::uint32_t header_length;
};

enum unknown_ring
{
    no_magic,
    other_magic,
    incompatible_feature,
    longer_header
};

const unknown_ring unknown_rings[] = {no_magic, other_magic, incompatible_feature, longer_header};

void make_unknown(ring_header& header, unknown_ring how)
{
    switch (how)
    {
    case no_magic:
        header.magic = 0;
        break;
    case other_magic:
        header.magic += 1;
        break;
    case incompatible_feature:
        header.incompat_features = 1;
        break;
    case longer_header:
        header.header_length = 64;
        break;
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(harvest, *boost::unit_test::precondition(&tries_reads))

// A small ring (127 places, for 16 in flight) goes round many times.
BOOST_DATA_TEST_CASE(many_rounds_of_the_ring, data::make(ways), how)
{
    const std::size_t length = scaled(2000, 100);
    harvest_fixture f(how, 16);
    int calls = 0;
    const interposed_get_events hook([&](::aio_context_t kernel, long minimum, long maximum,
                                         ::io_event* events, ::timespec* timeout) {
        ++calls;
        return kernel_get_events(kernel, minimum, maximum, events, timeout);
    });

    f.check_chains(16, length, [&] { run(f.context); });

    const kaio::service_statistics statistics = f.statistics();
    const std::uint64_t expected =
        how == from_ring ? statistics.events_from_ring : statistics.events_from_syscall;
    const std::uint64_t other =
        how == from_ring ? statistics.events_from_syscall : statistics.events_from_ring;
    BOOST_TEST(statistics.operations_completed == 16 * length);
    BOOST_TEST(expected >= 8 * length);
    BOOST_TEST(other == 0);
    BOOST_TEST((calls == 0) == (how == from_ring));
}

BOOST_DATA_TEST_CASE(more_outstanding_than_the_ring_has_places, data::make(ways), how)
{
    harvest_fixture f(how, 4);
    f.check_chains(500, scaled(20, 2), [&] { run(f.context); });
    BOOST_TEST(f.statistics().outstanding_high_water == 500);
}

// One batch of events is exactly as large as what io_getevents fetches at once, or not.
BOOST_DATA_TEST_CASE(harvests_of_all_sizes, data::make(ways), how)
{
    harvest_fixture f(how, 128);
    for (const std::size_t chains : {1u, 2u, 63u, 64u, 65u, 127u, 128u, 129u, 200u})
        f.check_chains(chains, 2, [&] { run_again(f.context); });
}

BOOST_DATA_TEST_CASE(several_threads_harvest, data::make(ways), how)
{
    harvest_fixture f(how, 16);
    f.check_chains(40, scaled(500, 50), [&] { run_on_threads(f.context, 4); });
}

BOOST_DATA_TEST_CASE(services_with_different_ways_live_side_by_side, data::make(ways), how)
{
    harvest_fixture one(how);
    harvest_fixture other(how == from_ring ? by_system_call : from_ring);
    one.check_chains(4, 10, [&] { run(one.context); });
    other.check_chains(4, 10, [&] { run(other.context); });
    BOOST_TEST((one.statistics().events_from_ring == 0) !=
               (other.statistics().events_from_ring == 0));
}

// A ring of another layout, such as gVisor's page of zeros, is left alone.
BOOST_DATA_TEST_CASE(an_unknown_ring_is_not_touched, data::make(unknown_rings), unknown)
{
    const interposed_setup hook([&](unsigned events, ::aio_context_t* kernel) {
        const int result = kernel_setup(events, kernel);
        if (result == 0)
            make_unknown(*reinterpret_cast<ring_header*>(*kernel), unknown);
        return result;
    });
    harvest_fixture f(from_ring);
    f.check_chains(20, 10, [&] { run(f.context); });
    BOOST_TEST(f.statistics().events_from_ring == 0);
    BOOST_TEST(f.statistics().events_from_syscall != 0);
}

// Completions still in the kernel at the end are fetched, and those of the ring are kept.
BOOST_DATA_TEST_CASE(the_context_ends_with_operations_outstanding, data::make(ways), how)
{
    std::vector<outcome> results(100);
    std::vector<std::string> memory(results.size(), std::string(4096, '\0'));
    {
        harvest_fixture f(how, 8);
        kaio::random_access_file file(f.context, f.source.path(), kaio::file_base::read_only);
        for (std::size_t i = 0; i != results.size(); ++i)
        {
            file.async_read_some_at(i * 100, asio::buffer(memory[i]), by_io_submit(),
                                    record_in(results[i]));
        }
        run_until(f.context, [&] { return results[3].calls != 0; });
    }
    for (const outcome& o : results)
        BOOST_TEST((o.calls == 0 || o.succeeded(4096)), o);
}

BOOST_AUTO_TEST_SUITE_END()
