//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Reads, writes and resizes in random order, many at once, against a model of the file in memory.

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/outcome.hpp"
#include "support/random_seed.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/temporary_file.hpp"
#include "support/transfer_modes.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using namespace kaio::test;

namespace {

// In each round every segment of the file takes at most one operation.
constexpr std::size_t segment_size = 64 * 1024;
constexpr std::size_t segments = 24;

class random_operations_fixture
{
public:
    random_operations_fixture(transfer_mode mode, unsigned seed)
      : unit_(mode == transfer_mode::direct ? 4096 : 1), random_(seed)
    {
        kaio::service_options options;
        options.max_in_flight = 1 + random_() % 20;
        options.max_batch = 1 + random_() % 10;
        kaio::make_aio_service(context_, options);
        file_ = std::make_unique<kaio::random_access_file>(context_, target_.path(),
                                                           kaio::file_base::read_write | mode);
    }

    void round()
    {
        if (random_() % 4 == 0)
            resize();
        // A read across the end would see it move: only the writes of earlier rounds count.
        const std::size_t end = model_.size();
        for (std::size_t i = 0; i != segments; ++i)
        {
            switch (random_() % 3)
            {
            case 0:
                write(i * segment_size);
                break;
            case 1:
                read(i * segment_size, end);
                break;
            default:
                break;
            }
        }
        run_again(context_);
        check();
    }

    void check_contents()
    {
        BOOST_TEST(file_->size() == model_.size());
        const bool equal = target_.contents() == model_;
        BOOST_REQUIRE(equal);
    }

private:
    struct operation
    {
        explicit operation(std::size_t size) : memory(size)
        {
        }

        aligned_memory memory;
        std::string expected;
        bool read = false;
        outcome result;
    };

    std::size_t below(std::size_t limit)
    {
        return random_() % limit;
    }

    void resize()
    {
        const std::size_t size = below(segments * segment_size);
        file_->resize(size);
        model_.resize(size);
    }

    // One to five buffers of one piece of memory.
    std::vector<asio::mutable_buffer> split(aligned_memory& memory)
    {
        std::vector<asio::mutable_buffer> result;
        asio::mutable_buffer rest(memory.data(), memory.size());
        for (int i = 0; i != 4 && rest.size() > unit_; ++i)
        {
            const std::size_t size = below(rest.size() / unit_) * unit_;
            result.push_back(asio::buffer(rest, size));
            rest += size;
        }
        result.push_back(rest);
        return result;
    }

    operation& make(std::size_t segment, std::size_t& offset)
    {
        const std::size_t begin = below(segment_size / unit_) * unit_;
        const std::size_t size = (1 + below((segment_size - begin) / unit_)) * unit_;
        offset = segment + begin;
        operations_.emplace_back(size);
        return operations_.back();
    }

    void write(std::size_t segment)
    {
        std::size_t offset = 0;
        operation& o = make(segment, offset);
        const std::size_t size = o.memory.size();
        for (std::size_t i = 0; i != size; ++i)
            o.memory.data()[i] = static_cast<char>(random_() >> 8);
        o.expected.assign(o.memory.data(), size);

        if (model_.size() < offset + size)
            model_.resize(offset + size);
        model_.replace(offset, size, o.expected);
        kaio::io_options options;
        options.data_sync = below(20) == 0;
        file_->async_write_some_at(offset, split(o.memory), options, record_in(o.result));
    }

    void read(std::size_t segment, std::size_t end)
    {
        std::size_t offset = 0;
        operation& o = make(segment, offset);
        if (offset + o.memory.size() > end)
        {
            operations_.pop_back();
            return;
        }
        o.read = true;
        o.expected = model_.substr(offset, o.memory.size());
        file_->async_read_some_at(offset, split(o.memory), record_in(o.result));
    }

    void check()
    {
        for (const operation& o : operations_)
        {
            BOOST_REQUIRE(o.result.succeeded(o.expected.size()));
            const bool equal =
                !o.read || o.memory.text().substr(0, o.expected.size()) == o.expected;
            BOOST_REQUIRE(equal);
        }
        operations_.clear();
    }

    const std::size_t unit_;
    std::minstd_rand random_;
    temporary_file target_;
    std::string model_;
    std::deque<operation> operations_;
    asio::io_context context_;
    std::unique_ptr<kaio::random_access_file> file_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(random_operations)

BOOST_DATA_TEST_CASE(as_the_model_says, data::make(transfer_modes()), mode)
{
    const std::size_t sequences = scaled(10, 2);
    for (std::size_t s = 0; s != sequences; ++s)
    {
        const unsigned seed = random_seed();
        BOOST_TEST_CONTEXT("KAIO_TEST_SEED=" << seed)
        {
            random_operations_fixture f(mode, seed);
            for (int i = 0; i != 20; ++i)
                f.round();
            f.check_contents();
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
