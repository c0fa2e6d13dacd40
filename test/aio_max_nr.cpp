//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Somebody else has taken all events that fs.aio-max-nr allows the whole system.

#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <deque>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/aio_events.hpp"
#include "support/block_size.hpp"
#include "support/interposed_io.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"

namespace asio = boost::asio;

using namespace kaio::test;

using kaio::file_base;

namespace {

// Takes whatever there is, and gives it back.
class all_events
{
public:
    all_events()
    {
        // Some in small pieces, which are given back first.
        for (int i = 0; i != 8; ++i)
            take(16);
        take_all();
    }

    // Also what other processes have given back meanwhile.
    void take_all()
    {
        for (unsigned count = 1 << 20; count != 0;)
        {
            if (!take(count))
                count /= 2;
        }
    }

    ~all_events()
    {
        release();
    }

    all_events(const all_events&) = delete;
    all_events& operator=(const all_events&) = delete;

    void release()
    {
        while (!contexts_.empty())
            give_back_last();
    }

    // The smallest that are left, until there is room for so many.
    void release(unsigned events)
    {
        for (unsigned given = 0; given < events && !contexts_.empty();)
            given += give_back_last();
    }

    bool empty() const
    {
        return contexts_.empty();
    }

private:
    struct taken
    {
        ::aio_context_t context;
        unsigned events;
    };

    bool take(unsigned events)
    {
        ::aio_context_t context = 0;
        const bool result = kernel_setup(events, &context) == 0;
        if (result)
            contexts_.push_front({context, events});
        return result;
    }

    unsigned give_back_last()
    {
        const taken last = contexts_.back();
        contexts_.pop_back();
        ::syscall(SYS_io_destroy, last.context);
        return last.events;
    }

    std::deque<taken> contexts_;
};

unsigned long figure(const char* name)
{
    unsigned long result = 0;
    std::ifstream(std::string("/proc/sys/fs/") + name) >> result;
    return result;
}

struct reader
{
    reader(asio::io_context& context, const std::string& path)
      : file(context, path, file_base::read_only)
    {
    }

    void start(std::size_t count)
    {
        for (std::size_t i = 0; i != count; ++i)
        {
            results.emplace_back();
            memory.emplace_back(block_size, '\0');
            offsets.push_back(i * block_size);
            file.async_read_some_at(i * block_size, asio::buffer(memory.back()),
                                    record_in(results.back()));
        }
    }

    void check() const
    {
        for (std::size_t i = 0; i != results.size(); ++i)
        {
            BOOST_TEST(results[i].succeeded(block_size), results[i]);
            BOOST_TEST(memory[i] == pattern(offsets[i], block_size));
        }
    }

    kaio::random_access_file file;
    std::deque<outcome> results;
    std::deque<std::string> memory;
    std::vector<std::size_t> offsets;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_context_works_when_aio_max_nr_is_exhausted)
{
    constexpr std::size_t blocks = 100;
    const temporary_file target(blocks * block_size);
    asio::io_context early;
    reader before(early, target.path());
    if (!asio::use_service<kaio::aio_service>(early).statistics().kernel_aio)
        return skip("needs AIO");
    before.start(blocks);
    early.poll();
    const alone_with_aio alone;
    if (!alone)
        return skip("other tests use AIO all the time");
    all_events taken;
    BOOST_REQUIRE(!taken.empty());

    // Whoever has a context keeps it.
    before.start(blocks);
    run_again(early);
    before.check();
    BOOST_TEST(asio::use_service<kaio::aio_service>(early).statistics().kernel_aio);

    // Programs that are no tests may give back some at any time.
    const auto take_all_before = [&](unsigned events, ::aio_context_t* context) {
        taken.take_all();
        return kernel_setup(events, context);
    };

    // Whoever comes now works on threads, and says why.
    {
        const interposed_setup hook(take_all_before);
        asio::io_context late;
        reader after(late, target.path());
        after.start(blocks);
        run(late);
        after.check();
        const kaio::service_statistics s = asio::use_service<kaio::aio_service>(late).statistics();
        BOOST_TEST(!s.kernel_aio);
        BOOST_TEST(s.helper_operations == blocks);
        BOOST_TEST(s.setup_error.find("aio-max-nr") != std::string::npos, s.setup_error);
    }
    {
        const interposed_setup hook(take_all_before);
        asio::io_context demanding;
        kaio::service_options options;
        options.require_kernel_aio = true;
        BOOST_CHECK_EXCEPTION(kaio::make_aio_service(demanding, options),
                              boost::system::system_error,
                              [](const boost::system::system_error& e) {
                                  const std::string what = e.what();
                                  const std::string allowed = std::to_string(figure("aio-max-nr"));
                                  return e.code().value() == EAGAIN &&
                                         what.find("256") != std::string::npos &&
                                         what.find("aio-max-nr " + allowed) != std::string::npos;
                              });
    }

    // With a few left, there is room for fewer at once. Others may take what is given back.
    unsigned granted = 0;
    while (granted == 0)
    {
        BOOST_REQUIRE(!taken.empty());
        bool first = true;
        const interposed_setup hook([&](unsigned events, ::aio_context_t* context) {
            if (std::exchange(first, false))
            {
                taken.take_all();
                taken.release(20);
            }
            const int result = kernel_setup(events, context);
            granted = result == 0 ? events : 0;
            return result;
        });
        asio::io_context modest;
        reader after(modest, target.path());
        after.start(blocks);
        run(modest);
        after.check();
        const kaio::service_statistics s =
            asio::use_service<kaio::aio_service>(modest).statistics();
        BOOST_TEST(s.kernel_aio == (granted != 0));
        BOOST_TEST(s.setup_error.empty() == s.kernel_aio);
        BOOST_TEST(s.in_flight_high_water <= granted);
    }
    BOOST_TEST(granted < 256U);

    taken.release();
    asio::io_context again;
    kaio::service_options options;
    options.require_kernel_aio = true;
    kaio::make_aio_service(again, options);
    reader last(again, target.path());
    last.start(blocks);
    run(again);
    last.check();
}
