//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// What is left when somebody has taken all events that fs.aio-max-nr allows the whole system.

#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <deque>
#include <string>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/interposed_io.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"

namespace asio = boost::asio;

using namespace kaio::test;

using kaio::file_base;

namespace {

constexpr std::size_t block_size = 4096;

// Takes whatever there is, and gives it back.
class all_events
{
public:
    all_events()
    {
        for (unsigned count = 1 << 20; count != 0;)
        {
            ::aio_context_t context = 0;
            if (kernel_setup(count, &context) == 0)
                contexts_.push_back(context);
            else
                count /= 2;
        }
    }

    ~all_events()
    {
        give_back();
    }

    all_events(const all_events&) = delete;
    all_events& operator=(const all_events&) = delete;

    void give_back()
    {
        for (const ::aio_context_t context : contexts_)
            kernel_destroy(context);
        contexts_.clear();
    }

    bool empty() const
    {
        return contexts_.empty();
    }

private:
    static void kernel_destroy(::aio_context_t context);

    std::vector<::aio_context_t> contexts_;
};

void all_events::kernel_destroy(::aio_context_t context)
{
    ::syscall(SYS_io_destroy, context);
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

BOOST_AUTO_TEST_CASE(exhausted)
{
    constexpr std::size_t blocks = 100;
    const temporary_file target(blocks * block_size);
    asio::io_context early;
    reader before(early, target.path());
    if (!asio::use_service<kaio::aio_service>(early).statistics().kernel_aio)
        return skip("needs AIO");
    before.start(blocks);
    early.poll();
    all_events taken;
    BOOST_REQUIRE(!taken.empty());

    // Whoever has a context keeps it.
    before.start(blocks);
    run_again(early);
    before.check();
    BOOST_TEST(asio::use_service<kaio::aio_service>(early).statistics().kernel_aio);

    // Whoever comes now works on threads, and says why.
    {
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
        asio::io_context demanding;
        kaio::service_options options;
        options.require_kernel_aio = true;
        BOOST_CHECK_EXCEPTION(kaio::make_aio_service(demanding, options),
                              boost::system::system_error,
                              [](const boost::system::system_error& e) {
                                  return e.code().value() == EAGAIN &&
                                         std::string(e.what()).find("256") != std::string::npos;
                              });
    }

    taken.give_back();
    asio::io_context again;
    kaio::service_options options;
    options.require_kernel_aio = true;
    kaio::make_aio_service(again, options);
    reader last(again, target.path());
    last.start(blocks);
    run(again);
    last.check();
}
