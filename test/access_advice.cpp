//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// An open file advises the kernel about its accesses, as Asio's files do.

#include <fcntl.h>

#include <boost/test/unit_test.hpp>
#include <dlfcn.h>
#include <vector>

#include <kaio/random_access_file.hpp>
#include <kaio/stream_file.hpp>

#include "support/run.hpp"
#include "support/temporary_file.hpp"

namespace {

using kaio::file_base;
using namespace kaio::test;

// The advice that was given, in order.
std::vector<int> given;

struct fixture : context_fixture
{
    fixture()
    {
        given.clear();
    }

    void expect(std::vector<int> advice)
    {
        BOOST_TEST(given == advice, boost::test_tools::per_element());
        given.clear();
    }

    template <typename File>
    void open_in_every_way(int advice)
    {
        File by_constructor(context, f.path(), file_base::read_only);
        expect({advice});

        File opened(context);
        opened.open(f.path(), file_base::read_only);
        expect({advice});

        File moved(std::move(opened));
        moved.close();
        moved.open(f.path(), file_base::read_only, 0600);
        opened.open(f.path(), file_base::read_only);
        expect({advice, advice});

        File by_operation(context);
        boost::system::error_code result = boost::asio::error::fault;
        by_operation.async_open(f.path(), file_base::read_only,
                                [&](boost::system::error_code ec) { result = ec; });
        run(context);
        BOOST_TEST(!result);
        expect({advice});

        File assigned(context, ::open(f.c_str(), O_RDONLY | O_CLOEXEC));
        expect({});
    }

    temporary_file f;
};

} // namespace

extern "C" int posix_fadvise(int descriptor, ::off_t offset, ::off_t length, int advice) noexcept
{
    given.push_back(advice);
    using function = int (*)(int, ::off_t, ::off_t, int);
    static const auto next = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "posix_fadvise"));
    return next(descriptor, offset, length, advice);
}

BOOST_FIXTURE_TEST_SUITE(access_advice, fixture)

BOOST_AUTO_TEST_CASE(random_access_files)
{
    open_in_every_way<kaio::random_access_file>(POSIX_FADV_RANDOM);
}

BOOST_AUTO_TEST_CASE(stream_files_are_read_sequentially)
{
    open_in_every_way<kaio::stream_file>(POSIX_FADV_SEQUENTIAL);
}

BOOST_AUTO_TEST_SUITE_END()
