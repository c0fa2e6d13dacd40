//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <malloc.h>

#include <boost/asio/buffer.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>
#include <list>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <kaio/aligned_buffer.hpp>
#include <kaio/random_access_file.hpp>

#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/sanitizers.hpp"
#include "support/temporary_file.hpp"

namespace {

namespace asio = boost::asio;
using kaio::aligned_allocator;
using kaio::aligned_buffer;
using kaio::file_base;
using namespace kaio::test;

bool is_aligned(const void* memory, std::size_t alignment)
{
    return reinterpret_cast<std::uintptr_t>(memory) % alignment == 0;
}

BOOST_AUTO_TEST_SUITE(aligned_buffer_header)

BOOST_AUTO_TEST_CASE(aligned_as_asked)
{
    for (const std::size_t alignment : {1u, 16u, 512u, 4096u, 65536u})
    {
        // Several at once, so that none is aligned by chance.
        const aligned_buffer several[] = {aligned_buffer(100, alignment),
                                          aligned_buffer(100, alignment),
                                          aligned_buffer(100, alignment)};
        for (const aligned_buffer& b : several)
        {
            BOOST_TEST(is_aligned(b.data(), alignment));
            BOOST_TEST(b.size() == 100u);
        }
    }
    BOOST_TEST(is_aligned(aligned_buffer(1).data(), 4096));
    BOOST_TEST(aligned_buffer(100, 0).size() == 100u);
    BOOST_TEST(aligned_buffer().size() == 0u);
    BOOST_TEST(!aligned_buffer().data());
    BOOST_CHECK_THROW(aligned_buffer(100, 48), std::invalid_argument);
    // Sanitizers end the program instead.
    if (!kaio::test::under_sanitizer)
    {
        BOOST_CHECK_THROW(aligned_buffer(std::numeric_limits<std::size_t>::max() / 2),
                          std::bad_alloc);
    }
}

BOOST_AUTO_TEST_CASE(a_moved_buffer_keeps_its_memory)
{
    static_assert(std::is_nothrow_move_constructible_v<aligned_buffer>);
    static_assert(std::is_nothrow_move_assignable_v<aligned_buffer>);
    static_assert(!std::is_copy_constructible_v<aligned_buffer>);
    static_assert(!std::is_convertible_v<std::size_t, aligned_buffer>);
    aligned_buffer a(100);
    void* const memory = a.data();
    aligned_buffer b(std::move(a));
    BOOST_TEST(b.data() == memory);
    BOOST_TEST(a.size() == 0u);
    a = aligned_buffer(200, 0);
    a = std::move(b);
    BOOST_TEST(a.data() == memory);
    BOOST_TEST(a.size() == 100u);
    BOOST_TEST(!b.data());
    BOOST_TEST(b.size() == 0u);
}

BOOST_AUTO_TEST_CASE(it_converts_to_a_buffer_of_asio)
{
    const aligned_buffer block(100);
    const asio::mutable_buffer all = asio::buffer(block);
    BOOST_TEST(all.data() == block.data());
    BOOST_TEST(all.size() == 100u);
    BOOST_TEST(asio::buffer(block, 10).size() == 10u);
    const asio::mutable_buffer converted = block;
    BOOST_TEST(converted.size() == 100u);
}

BOOST_AUTO_TEST_CASE(containers_use_the_allocator)
{
    std::vector<char, aligned_allocator<char>> block(100);
    BOOST_TEST(is_aligned(block.data(), 4096));
    BOOST_TEST(asio::buffer(block).size() == 100u);
    std::vector<double, aligned_allocator<double, 64>> numbers(3), more(5);
    BOOST_TEST(is_aligned(numbers.data(), 64));
    numbers.swap(more);
    BOOST_TEST(numbers.size() == 5u);
    // A container that allocates something else than its elements.
    const std::list<int, aligned_allocator<int>> nodes{1, 2, 3};
    BOOST_TEST(nodes.size() == 3u);
    BOOST_CHECK((aligned_allocator<char>() == aligned_allocator<int>()));
    BOOST_CHECK(!(aligned_allocator<char>() != aligned_allocator<int>()));
    aligned_allocator<double> a;
    constexpr std::size_t count = 1000;
    double* const memory = a.allocate(count);
    BOOST_TEST(::malloc_usable_size(memory) >= count * sizeof(double));
    a.deallocate(memory, count);
    if (!kaio::test::under_sanitizer)
    {
        BOOST_CHECK_THROW(
            static_cast<void>(a.allocate(std::numeric_limits<std::size_t>::max() / 2)),
            std::bad_alloc);
    }
}

BOOST_FIXTURE_TEST_CASE(for_direct_transfers, context_fixture)
{
    temporary_file f(std::size_t(8192));
    const file_base::flags direct = direct_io_available() ? file_base::direct : file_base::flags();
    kaio::random_access_file file(context, f.path(), file_base::read_write | direct);
    aligned_buffer block(4096, file.alignment().memory);
    std::vector<char, aligned_allocator<char>> other(4096);
    outcome read, written;
    file.async_read_some_at(4096, asio::buffer(block), record_in(read));
    run(context);
    BOOST_CHECK(read.succeeded(4096));
    BOOST_CHECK(std::string(static_cast<char*>(block.data()), 4096) == pattern(4096, 4096));
    file.async_write_some_at(0, asio::buffer(other), record_in(written));
    run_again(context);
    BOOST_CHECK(written.succeeded(4096));
    BOOST_CHECK(f.contents() == std::string(4096, '\0') + pattern(4096, 4096));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
