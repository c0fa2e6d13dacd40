//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Several threads start, cancel, open, close and run on one context, each with files of its own: no
// thread's run() returns before its operations have been handled, each of them once, and what is
// read
// is right. What several threads do within one run(), forks and the end of a context are for
// stress.cpp.

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/initiation_guard.hpp"
#include "support/process_state.hpp"
#include "support/random_seed.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/statistics.hpp"
#include "support/temporary_file.hpp"

namespace asio = boost::asio;

using boost::system::error_code;
using clock_type = std::chrono::steady_clock;

using namespace kaio::test;

namespace {

constexpr std::size_t unit = 4096;
constexpr std::size_t units = 64;

// Every word says where it is, and nothing else is ever written there.
void fill(char* memory, std::uint64_t offset, std::size_t size)
{
    for (std::uint64_t i = 0; i != size; i += sizeof(offset), offset += sizeof(offset))
        std::memcpy(memory + i, &offset, sizeof(offset));
}

bool holds(const char* memory, std::uint64_t offset, std::size_t size)
{
    for (std::uint64_t i = 0; i + sizeof(offset) <= size;
         i += sizeof(offset), offset += sizeof(offset))
    {
        if (std::memcmp(memory + i, &offset, sizeof(offset)) != 0)
            return false;
    }
    return true;
}

std::string contents()
{
    std::string result(units * unit, '\0');
    fill(&result[0], 0, result.size());
    return result;
}

// One for direct and one for cached transfers, which don't go well together.
struct shared_files
{
    const temporary_file direct{contents()};
    const temporary_file cached{contents()};
};

// The outcomes of the operations of all threads.
struct ledger
{
    std::atomic<std::size_t> started{0};
    std::atomic<std::size_t> handled{0};
    std::atomic<std::size_t> destroyed{0};

    void fail(const std::string& what)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (failures_++ < 10)
            std::cerr << "one_context: " << what << std::endl;
    }

    std::size_t failures()
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return failures_;
    }

private:
    std::mutex mutex_;
    std::size_t failures_ = 0;
};

// The files of one thread. Handlers use them on any thread, so that there is a lock.
class actor
{
public:
    actor(const asio::any_io_executor& executor, ledger& l, unsigned seed,
          const shared_files& files)
      : executor_(executor), ledger_(l), random_(seed), file_(executor), stream_(executor),
        written_(executor)
    {
        const bool direct = direct_io_available() && below(2) == 0;
        flags_ = kaio::file_base::read_write;
        if (direct)
            flags_ |= kaio::file_base::direct;
        path_ = (direct ? files.direct : files.cached).path();
        open_what_is_closed();
        written_.open(scratch_.path(), kaio::file_base::write_only);
    }

    actor(const actor&) = delete;
    actor& operator=(const actor&) = delete;

    /// Do a number of things, and have handlers do some more.
    void act(std::size_t now, std::size_t later)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        budget_ = later;
        for (std::size_t i = 0; i != now; ++i)
            act();
    }

    /// Start a single transfer.
    void transfer_once()
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        budget_ = 0;
        transfer();
    }

    /// Operations that were started and not handled.
    std::size_t outstanding() const
    {
        return outstanding_;
    }

private:
    struct operation
    {
        const char* data() const
        {
            return memory.data();
        }

        asio::cancellation_signal signal;
        mutable aligned_memory memory{2 * unit};
        std::uint64_t offset = 0;
        std::size_t size = 0;
        bool is_read = false;
        bool at_position = false;
    };

    // Tells whether it was called once, and when it is destroyed uncalled.
    class handler
    {
    public:
        handler(actor& a, std::shared_ptr<operation> what) : self_(&a), what_(std::move(what))
        {
            ++self_->ledger_.started;
            ++self_->outstanding_;
        }

        handler(handler&& other) noexcept
          : self_(std::exchange(other.self_, nullptr)), what_(std::move(other.what_)),
            ledger_(other.ledger_)
        {
        }

        handler(const handler&) = delete;
        handler& operator=(const handler&) = delete;

        ~handler()
        {
            if (self_)
                ++ledger_.destroyed;
        }

        void operator()(const error_code& ec, std::size_t bytes = 0)
        {
            actor* const self = std::exchange(self_, nullptr);
            if (!self)
            {
                ledger_.fail("a handler was called twice");
                return;
            }
            if (initiation_guard::active())
                ledger_.fail("a handler was called inside an initiating function");
            self->handled(*what_, ec, bytes);
        }

    private:
        actor* self_;
        std::shared_ptr<operation> what_;
        ledger& ledger_ = self_->ledger_;
    };

    std::size_t below(std::size_t limit)
    {
        return random_() % limit;
    }

    // With a slot that is remembered for a while.
    template <typename Start>
    void start(std::shared_ptr<operation> what, Start&& begin)
    {
        const initiation_guard guard;
        remembered_[below(remembered_.size())] = what;
        const auto slot = what->signal.slot();
        begin(asio::bind_cancellation_slot(slot, handler(*this, std::move(what))));
    }

    void handled(const operation& what, const error_code& ec, std::size_t bytes)
    {
        check(what, ec, bytes);
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            for (std::size_t i = below(3); i != 0; --i)
                act_later();
        }
        --outstanding_;
        ++ledger_.handled;
    }

    void check(const operation& what, const error_code& ec, std::size_t bytes)
    {
        const bool allowed = !ec || ec == asio::error::operation_aborted ||
                             ec == asio::error::bad_descriptor || ec == asio::error::eof ||
                             ec == asio::error::already_open || ec == asio::error::already_started;
        if (!allowed)
            ledger_.fail("unexpected result: " + ec.message());
        if (ec || !what.is_read)
            return;
        std::uint64_t offset = what.offset;
        if (what.at_position && bytes >= sizeof(offset))
            std::memcpy(&offset, what.data(), sizeof(offset));
        if (bytes > what.size || !holds(what.data(), offset, bytes))
            ledger_.fail("wrong data");
    }

    void act_later()
    {
        if (budget_ == 0)
            return;
        --budget_;
        if (below(4) != 0)
        {
            act();
            return;
        }
        asio::post(executor_, [this] {
            const std::lock_guard<std::mutex> lock(mutex_);
            act();
        });
    }

    void act()
    {
        const std::size_t dice = below(100);
        if (dice < 42)
            transfer();
        else if (dice < 63)
            transfer_at_position();
        else if (dice == 63)
            sync(); // Rare, as it takes longer than all the rest.
        else if (dice < 74)
            cancel_one();
        else if (dice < 80)
            cancel_all();
        else if (dice < 86)
            close();
        else if (dice < 90)
            open_asynchronously();
        else
            open_what_is_closed();
    }

    void transfer()
    {
        const auto what = std::make_shared<operation>();
        what->size = (1 + below(2)) * unit;
        what->offset = below(units - 1) * unit;
        what->is_read = below(3) != 0;
        if (what->is_read)
        {
            start(what, [&](auto&& h) {
                file_.async_read_some_at(
                    what->offset, asio::buffer(what->memory.data(), what->size), std::move(h));
            });
            return;
        }
        fill(what->memory.data(), what->offset, what->size);
        start(what, [&](auto&& h) {
            file_.async_write_some_at(what->offset, asio::buffer(what->memory.data(), what->size),
                                      std::move(h));
        });
    }

    void transfer_at_position()
    {
        const auto what = std::make_shared<operation>();
        what->size = (1 + below(2)) * unit;
        what->at_position = true;
        what->is_read = below(3) != 0;
        const auto buffer = asio::buffer(what->memory.data(), what->size);
        start(what, [&](auto&& h) {
            if (what->is_read)
                stream_.async_read_some(buffer, std::move(h));
            else
                written_.async_write_some(buffer, std::move(h));
        });
    }

    void sync()
    {
        start(std::make_shared<operation>(), [&](auto&& h) {
            if (below(2) == 0)
                file_.async_sync_data(std::move(h));
            else
                stream_.async_sync_all(std::move(h));
        });
    }

    void cancel_one()
    {
        if (const auto& what = remembered_[below(remembered_.size())])
            what->signal.emit(asio::cancellation_type::terminal);
    }

    void cancel_all()
    {
        error_code ignored;
        if (below(2) == 0)
            file_.cancel(ignored);
        else
            stream_.cancel(ignored);
    }

    void close()
    {
        error_code ignored;
        int released = -1;
        switch (below(5))
        {
        case 0:
            file_.close(ignored);
            break;
        case 1:
            stream_.close(ignored);
            break;
        case 2:
            released = file_.release(ignored);
            break;
        case 3:
            released = stream_.release(ignored);
            break;
        default:
            start(std::make_shared<operation>(),
                  [&](auto&& h) { file_.async_close(std::move(h)); });
            break;
        }
        if (released != -1)
            ::close(released);
    }

    void open_asynchronously()
    {
        start(std::make_shared<operation>(), [&](auto&& h) {
            if (below(2) == 0)
                file_.async_open(path_, flags_, std::move(h));
            else
                stream_.async_open(path_, flags_, std::move(h));
        });
    }

    void open_what_is_closed()
    {
        error_code ec;
        if (!file_.is_open())
            file_.open(path_, flags_, ec);
        check_open(ec);
        if (!stream_.is_open())
            stream_.open(path_, flags_, ec);
        check_open(ec);
        if (outstanding_ == 0 && stream_.is_open())
            stream_.seek(0, kaio::file_base::seek_set, ec);
    }

    void check_open(const error_code& ec)
    {
        if (ec && ec != asio::error::already_started && ec != asio::error::already_open)
            ledger_.fail("open: " + ec.message());
    }

    const asio::any_io_executor executor_;
    ledger& ledger_;
    std::mutex mutex_;
    std::minstd_rand random_;
    std::string path_;
    kaio::file_base::flags flags_;
    std::atomic<std::size_t> outstanding_{0};
    std::size_t budget_ = 0;
    std::array<std::shared_ptr<operation>, 8> remembered_;

    temporary_file scratch_;
    kaio::random_access_file file_;
    kaio::stream_file stream_;
    kaio::stream_file written_;
};

// Where threads wait for each other.
class barrier
{
public:
    explicit barrier(std::size_t count) : count_(count)
    {
    }

    void wait()
    {
        const std::size_t phase = phase_;
        if (++arrived_ == count_)
        {
            arrived_ = 0;
            ++phase_;
            return;
        }
        const auto end = clock_type::now() + 2 * time_bound;
        for (int looks = 0; phase_ == phase; ++looks)
        {
            if (looks < 200)
                continue;
            std::this_thread::yield();
            if (clock_type::now() > end)
            {
                std::cerr << "one_context: a thread doesn't come back" << std::endl;
                std::abort();
            }
        }
    }

private:
    const std::size_t count_;
    std::atomic<std::size_t> arrived_{0};
    std::atomic<std::size_t> phase_{0};
};

void pass(std::size_t steps)
{
    for (std::atomic<std::size_t> i{0}; i != steps; ++i)
    {
    }
}

kaio::service_options random_options(std::minstd_rand& random)
{
    kaio::service_options result;
    result.max_in_flight = 1 + random() % (random() % 2 == 0 ? 8 : 100);
    result.max_batch = 1 + random() % 16;
    result.helper_threads = random() % 5;
    if (random() % 4 == 0)
        result.submission = kaio::submission_mode::on_thread;
    return result;
}

std::vector<std::unique_ptr<actor>> make_actors(const asio::any_io_executor& executor, ledger& l,
                                                std::minstd_rand& random, const shared_files& files)
{
    std::vector<std::unique_ptr<actor>> result;
    for (std::size_t i = 2 + random() % 3; i != 0; --i)
        result.push_back(
            std::make_unique<actor>(executor, l, static_cast<unsigned>(random()), files));
    return result;
}

// Many rounds on one io_context: all threads do something and run it until there is nothing to do.
class rounds_on_context
{
public:
    rounds_on_context(unsigned seed, const shared_files& files, clock_type::time_point end)
      : random_(seed), end_(end)
    {
        kaio::make_aio_service(context_, random_options(random_));
        actors_ = make_actors(context_.get_executor(), ledger_, random_, files);
        kept_at_work_.resize(actors_.size());
        gate_ = std::make_unique<barrier>(actors_.size());
    }

    std::size_t run()
    {
        std::vector<std::thread> threads;
        for (std::size_t i = 1; i != actors_.size(); ++i)
        {
            const auto seed = static_cast<unsigned>(random_());
            threads.emplace_back([this, i, seed] { run_other(i, seed); });
        }
        run_first();
        for (std::thread& thread : threads)
            thread.join();

        const kaio::service_statistics s =
            asio::use_service<kaio::aio_service>(context_).statistics();
        BOOST_REQUIRE(ledger_.failures() == 0u);
        BOOST_REQUIRE(ledger_.started == ledger_.handled);
        BOOST_REQUIRE(ledger_.destroyed == 0u);
        BOOST_REQUIRE(s.outstanding == 0u);
        BOOST_REQUIRE_MESSAGE(consistent(s), s);
        return ledger_.started;
    }

    std::size_t rounds() const
    {
        return rounds_;
    }

private:
    using work_guard = asio::executor_work_guard<asio::io_context::executor_type>;

    void run_first()
    {
        constexpr std::size_t most = 2000;
        for (; rounds_ != most && clock_type::now() < end_ && ledger_.failures() == 0; ++rounds_)
        {
            context_.restart();
            // In small rounds threads meet the most often, in large ones the most happens.
            constexpr std::size_t sizes[] = {0, 0, 0, 0, 0, 1, 1, 8};
            size_ = sizes[random_() % 8];
            with_stop_ = random_() % 16 == 0;
            for (std::optional<work_guard>& kept : kept_at_work_)
            {
                if (random_() % 2 == 0)
                    kept.emplace(context_.get_executor());
            }
            gate_->wait();
            run_round(0, random_);
            gate_->wait();
            finish();
        }
        over_ = true;
        gate_->wait();
    }

    void run_other(std::size_t which, unsigned seed)
    {
        std::minstd_rand random(seed);
        for (;;)
        {
            gate_->wait();
            if (over_)
                return;
            run_round(which, random);
            gate_->wait();
        }
    }

    void run_round(std::size_t which, std::minstd_rand& random)
    {
        actor& a = *actors_[which];
        pass(random() % 128);
        if (size_ == 0)
            a.transfer_once();
        else
            a.act(1 + random() % size_, random() % (4 * size_));
        // The context may stop a moment after its work has come to an end, though there is new work
        // by then (Asio 1.81, posted functions do the same). So only a thread that has kept it at
        // work
        // until its operations had been started can say that they may not be left. The others don't
        // keep it at work, so that they can still be in the middle of starting theirs.
        const bool kept = kept_at_work_[which].has_value();
        kept_at_work_[which].reset();
        if (with_stop_ && random() % 2 == 0)
        {
            asio::post(context_, [this, round = rounds_] {
                if (round == rounds_ && !finishing_)
                    context_.stop();
            });
        }
        if (with_stop_ && random() % 4 == 0)
            context_.stop();

        context_.poll();
        if (!context_.stopped())
            context_.run_for(time_bound);
        if (!context_.stopped())
            ledger_.fail("the context still has work after a minute");
        if (kept && !with_stop_ && a.outstanding() != 0)
            ledger_.fail("run() returned, and " + std::to_string(a.outstanding()) +
                         " operations were outstanding");
    }

    // Operations started on a stopped context, and those that stop() left.
    void finish()
    {
        finishing_ = true;
        context_.restart();
        context_.run_for(time_bound);
        finishing_ = false;
        for (const auto& a : actors_)
        {
            if (a->outstanding() != 0)
                ledger_.fail(std::to_string(a->outstanding()) + " operations are left");
        }
    }

    std::minstd_rand random_;
    const clock_type::time_point end_;
    ledger ledger_;
    asio::io_context context_;
    std::vector<std::unique_ptr<actor>> actors_;
    std::vector<std::optional<work_guard>> kept_at_work_; // One for each actor.
    std::unique_ptr<barrier> gate_;
    std::size_t rounds_ = 0;
    std::size_t size_ = 1;
    bool with_stop_ = false;
    bool over_ = false;
    bool finishing_ = false;
};

// A pool on which several threads do something until one of them joins it, or stops it.
std::size_t run_on_pool(unsigned seed, const shared_files& files)
{
    std::minstd_rand random(seed);
    ledger l;
    {
        asio::thread_pool pool(1 + random() % 3);
        kaio::make_aio_service(pool, random_options(random));
        auto actors = make_actors(pool.get_executor(), l, random, files);
        const bool with_stop = random() % 8 == 0;
        const std::size_t bursts = 1 + random() % 20;
        const std::size_t size = 1 + random() % 8;
        barrier gate(actors.size());
        const auto run_burst = [&](std::size_t which, std::size_t burst) {
            gate.wait();
            pass((which + burst) % 16 * 8);
            actors[which]->act(1 + burst % size, burst % 5 * size);
        };
        std::vector<std::thread> threads;
        for (std::size_t i = 1; i != actors.size(); ++i)
        {
            threads.emplace_back([&, i] {
                for (std::size_t burst = 0; burst != bursts; ++burst)
                    run_burst(i, burst);
            });
        }
        for (std::size_t burst = 0; burst != bursts; ++burst)
            run_burst(0, burst);
        if (with_stop)
            pool.stop();
        pool.join();
        if (!with_stop && actors.front()->outstanding() != 0)
            l.fail("join() returned, and " + std::to_string(actors.front()->outstanding()) +
                   " operations were outstanding");
        for (std::thread& thread : threads)
            thread.join();
        actors.clear();
    }
    BOOST_REQUIRE(l.failures() == 0u);
    BOOST_REQUIRE(l.started == l.handled + l.destroyed);
    return l.started;
}

} // namespace

BOOST_AUTO_TEST_SUITE(one_context)

BOOST_AUTO_TEST_CASE(an_io_context_keeps_its_promises)
{
    const shared_files files;
    const auto end = clock_type::now() + std::chrono::milliseconds(scaled(6000, 500));
    std::minstd_rand seeds(random_seed());
    std::size_t rounds = 0;
    std::size_t operations = 0;
    while (clock_type::now() < end)
    {
        const std::size_t descriptors = open_descriptors();
        const std::size_t contexts = aio_contexts();
        {
            rounds_on_context r(static_cast<unsigned>(seeds()), files, end);
            operations += r.run();
            rounds += r.rounds();
        }
        BOOST_REQUIRE(open_descriptors() == descriptors);
        BOOST_REQUIRE(aio_contexts() == contexts);
    }
    BOOST_TEST((files.cached.contents() == contents() && files.direct.contents() == contents()));
    std::cout << rounds << " rounds, " << operations << " operations" << std::endl;
}

BOOST_AUTO_TEST_CASE(a_thread_pool_keeps_its_promises)
{
    const shared_files files;
    const auto end = clock_type::now() + std::chrono::milliseconds(scaled(4000, 500));
    std::minstd_rand seeds(random_seed());
    std::size_t pools = 0;
    std::size_t operations = 0;
    while (clock_type::now() < end)
    {
        const std::size_t descriptors = open_descriptors();
        const std::size_t contexts = aio_contexts();
        operations += run_on_pool(static_cast<unsigned>(seeds()), files);
        BOOST_REQUIRE(open_descriptors() == descriptors);
        BOOST_REQUIRE(aio_contexts() == contexts);
        ++pools;
    }
    BOOST_TEST((files.cached.contents() == contents() && files.direct.contents() == contents()));
    std::cout << pools << " pools, " << operations << " operations" << std::endl;
}

BOOST_AUTO_TEST_SUITE_END()
