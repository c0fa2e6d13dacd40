//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// Everything at random, for a minute: transfers, syncs, cancellations, closes, openings, moves,
// resizes, forks and the end of the context in the midst of it all. Every operation completes once,
// or is destroyed once with its context, and the files hold what a model says.

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <kaio/kaio.hpp>

#include "support/environment_variable.hpp"
#include "support/initiation_guard.hpp"
#include "support/process_state.hpp"
#include "support/random_seed.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/statistics.hpp"
#include "support/temporary_file.hpp"

namespace asio = boost::asio;

using boost::system::error_code;

using namespace kaio::test;

namespace {

// Some file systems have no fallocate(2).
bool can_allocate()
{
    static const bool result = [] {
        const temporary_file target(std::size_t(1));
        const int descriptor = ::open(target.path().c_str(), O_RDWR | O_CLOEXEC);
        const bool allocated = ::fallocate(descriptor, 0, 0, 4096) == 0;
        ::close(descriptor);
        return allocated;
    }();
    return result;
}

#if defined(__SANITIZE_THREAD__)
constexpr bool forks_allowed = false; // gcc 12's can't follow one.
#else
constexpr bool forks_allowed = true;
#endif

// Each segment of a file takes at most one transfer at a time.
constexpr std::size_t segment_size = 64 * 1024;
constexpr std::size_t segments = 8;
constexpr std::size_t file_size = segments * segment_size;

// The outcomes of the operations of a round.
struct ledger
{
    std::atomic<std::size_t> started{0};
    std::atomic<std::size_t> completed{0};
    std::atomic<std::size_t> destroyed{0};
    std::atomic<std::size_t> aborted{0};

    // Set in a child process, which doesn't share what the parent writes.
    std::atomic<bool> results_count{true};

    void fail(const std::string& what)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (failures_++ < 10)
            std::cerr << "stress: " << what << std::endl;
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

// Part of a handler: tells the ledger whether that was called, or destroyed uncalled.
class entry
{
public:
    explicit entry(ledger& l) : ledger_(&l)
    {
        ++ledger_->started;
    }

    entry(entry&& other) noexcept : ledger_(std::exchange(other.ledger_, nullptr))
    {
    }

    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;

    ~entry()
    {
        if (ledger_)
            ++ledger_->destroyed;
    }

    void close()
    {
        ledger& l = *std::exchange(ledger_, nullptr);
        ++l.completed;
        if (initiation_guard::active())
            l.fail("a handler was called inside an initiating function");
    }

private:
    ledger* ledger_;
};

struct operation
{
    explicit operation(std::size_t bytes) : memory(std::max<std::size_t>(bytes, 1))
    {
    }

    asio::cancellation_signal signal;
    aligned_memory memory;
    std::size_t offset = 0;
    std::size_t size = 0;
    bool is_read = false;

    // An abortion, or a short count, needs a reason.
    bool cancelled = false;
    std::uint64_t interruptions = 0;
    bool on_closed_file = false;
};

// A file, what is done with it, and what it ought to hold. Lives on a strand.
class actor : public std::enable_shared_from_this<actor>
{
public:
    actor(asio::io_context& context, ledger& l, unsigned seed, const std::string& path, bool direct)
      : strand_(asio::make_strand(context)), ledger_(l), random_(seed), path_(path),
        unit_(direct ? 4096 : 1),
        flags_(direct ? kaio::file_base::read_write | kaio::file_base::direct
                      : kaio::file_base::read_write),
        model_(pattern(0, file_size)), busy_(segments), outstanding_(segments),
        file_(std::make_unique<kaio::random_access_file>(strand_, path, flags_))
    {
    }

    void start(std::size_t actions)
    {
        // Not by the handler: a child that was told to retire must not be set to work again by it.
        actions_left_ = actions;
        asio::post(strand_, [self = shared_from_this()] { self->go_on(); });
    }

    // Start nothing more. Only while nobody runs the context.
    void retire()
    {
        actions_left_ = 0;
    }

    // Reads the file by plain system calls. Call it only after the context's end.
    bool as_the_model_says() const
    {
        std::string contents = temporary_contents();
        for (std::size_t s = 0; s != segments; ++s)
        {
            const std::size_t at = s * segment_size;
            if (!busy_[s] && contents.compare(at, segment_size, model_, at, segment_size) != 0)
                return false;
        }
        return true;
    }

private:
    using clock = std::chrono::steady_clock;

    struct transfer_handler
    {
        void operator()(const error_code& ec, std::size_t bytes)
        {
            account.close();
            self->transferred(*what, ec, bytes);
            self->go_on();
        }

        std::shared_ptr<actor> self;
        std::shared_ptr<operation> what;
        entry account;
    };

    // Calls a member function with the result.
    struct plain_handler
    {
        void operator()(const error_code& ec)
        {
            account.close();
            (*self.*function)(*what, ec);
            self->go_on();
        }

        std::shared_ptr<actor> self;
        std::shared_ptr<operation> what;
        void (actor::*function)(operation&, const error_code&);
        entry account;
    };

    std::string temporary_contents() const
    {
        std::string result(file_size, '\0');
        const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
        const ::ssize_t count = ::pread(descriptor, &result[0], result.size(), 0);
        ::close(descriptor);
        result.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
        return result;
    }

    std::size_t below(std::size_t limit)
    {
        return random_() % limit;
    }

    void go_on()
    {
        const std::size_t count = 1 + below(3);
        for (std::size_t i = 0; i != count; ++i)
        {
            if (actions_left_ == 0)
                return;
            --actions_left_;
            const initiation_guard guard;
            act();
        }
        if (pending_ == 0 && actions_left_ != 0)
            asio::post(strand_, [self = shared_from_this()] { self->go_on(); });
    }

    void act()
    {
        const std::size_t dice = below(100);
        if (dice < 36)
            transfer(true);
        else if (dice < 72)
            transfer(false);
        else if (dice < 77)
            sync();
        else if (dice < 84)
            cancel_one();
        else if (dice < 86)
            cancel_all();
        else if (dice < 89)
            move();
        else if (dice < 91)
            resize();
        else if (dice < 93)
            close();
        else if (dice < 94)
            close_asynchronously();
        else if (dice < 97)
            open();
        else
            open_asynchronously();
    }

    std::shared_ptr<operation> make(std::size_t size)
    {
        auto result = std::make_shared<operation>(size);
        result->interruptions = interruptions_;
        result->on_closed_file = !file_->is_open();
        ++pending_;
        return result;
    }

    // A slot for most of them, remembered in some place of the table.
    template <typename Handler>
    auto with_slot(Handler handler)
    {
        std::shared_ptr<operation>& place = outstanding_[below(outstanding_.size())];
        place = handler.what;
        const auto slot = place->signal.slot();
        return asio::bind_cancellation_slot(slot, std::move(handler));
    }

    void transfer(bool is_read)
    {
        const std::size_t segment = below(segments);
        if (busy_[segment])
            return;
        const std::size_t begin = below(segment_size / unit_) * unit_;
        const std::size_t size = (1 + below((segment_size - begin) / unit_)) * unit_;
        const auto what = make(size);
        busy_[segment] = true;
        what->is_read = is_read;
        what->offset = segment * segment_size + begin;
        what->size = size;
        transfer_handler handler{shared_from_this(), what, entry(ledger_)};
        if (is_read)
        {
            file_->async_read_some_at(what->offset, asio::buffer(what->memory.data(), size),
                                      with_slot(std::move(handler)));
            return;
        }
        const auto fill = static_cast<char>(random_());
        for (std::size_t i = 0; i != size; ++i)
            what->memory.data()[i] = static_cast<char>(fill + static_cast<char>(i % 251));
        kaio::io_options options;
        options.data_sync = below(50) == 0;
        const std::size_t first = below(size / unit_ + 1) * unit_;
        const std::vector<asio::const_buffer> buffers{
            asio::buffer(what->memory.data(), first),
            asio::buffer(what->memory.data() + first, size - first)};
        file_->async_write_some_at(what->offset, buffers, options, with_slot(std::move(handler)));
    }

    void transferred(operation& what, const error_code& ec, std::size_t bytes)
    {
        --pending_;
        busy_[what.offset / segment_size] = false;
        if (!ec && !what.is_read)
            model_.replace(what.offset, bytes, what.memory.data(), bytes);
        check(what, ec);
        if (ec)
            return;
        if (bytes > what.size || (bytes < what.size && !interrupted(what)))
            ledger_.fail("short count: " + std::to_string(bytes) + " of " +
                         std::to_string(what.size));
        else if (ledger_.results_count && what.is_read &&
                 model_.compare(what.offset, bytes, what.memory.data(), bytes) != 0)
            ledger_.fail("wrong data read at " + std::to_string(what.offset));
    }

    bool interrupted(const operation& what) const
    {
        return what.cancelled || what.interruptions != interruptions_;
    }

    void check(const operation& what, const error_code& ec)
    {
        ledger_.aborted += ec == asio::error::operation_aborted;
        const bool allowed = !ec ? !what.on_closed_file
                             : ec == asio::error::operation_aborted
                                 ? interrupted(what) || !ledger_.results_count
                                 : ec == asio::error::bad_descriptor && what.on_closed_file;
        if (!allowed)
            ledger_.fail("unexpected result: " + ec.message());
    }

    void sync()
    {
        const auto what = make(0);
        plain_handler handler{shared_from_this(), what, &actor::synced, entry(ledger_)};
        if (below(2) == 0)
            file_->async_sync_all(with_slot(std::move(handler)));
        else
            file_->async_sync_data(with_slot(std::move(handler)));
    }

    void synced(operation& what, const error_code& ec)
    {
        --pending_;
        check(what, ec);
    }

    // To any size that leaves the segments alone.
    void resize()
    {
        const auto what = make(0);
        plain_handler handler{shared_from_this(), what, &actor::synced, entry(ledger_)};
        if (below(2) == 0 || !can_allocate())
            file_->async_resize(file_size + below(segment_size), with_slot(std::move(handler)));
        else
            file_->async_allocate(0, file_size + 1 + below(segment_size),
                                  with_slot(std::move(handler)));
    }

    void cancel_one()
    {
        const auto& what = outstanding_[below(outstanding_.size())];
        if (!what)
            return;
        what->cancelled = true;
        constexpr asio::cancellation_type types[] = {asio::cancellation_type::terminal,
                                                     asio::cancellation_type::partial,
                                                     asio::cancellation_type::total};
        what->signal.emit(types[below(3)]);
    }

    void cancel_all()
    {
        ++interruptions_;
        error_code ignored;
        file_->cancel(ignored);
    }

    void move()
    {
        auto moved = std::make_unique<kaio::random_access_file>(std::move(*file_));
        if (below(2) == 0)
        {
            file_ = std::move(moved);
            return;
        }
        // The assignment closes the file of the target.
        file_ = std::make_unique<kaio::random_access_file>(strand_, path_, flags_);
        *file_ = std::move(*moved);
    }

    void close()
    {
        ++interruptions_;
        switch (below(3))
        {
        case 0:
            file_->close();
            break;
        case 1:
            file_ = std::make_unique<kaio::random_access_file>(strand_);
            break;
        default:
            const int released = file_->release();
            if (released != -1)
                ::close(released);
            break;
        }
    }

    void close_asynchronously()
    {
        ++interruptions_;
        const auto what = make(0);
        file_->async_close(
            with_slot(plain_handler{shared_from_this(), what, &actor::closed, entry(ledger_)}));
        if (file_->is_open())
            ledger_.fail("open after async_close");
    }

    void closed(operation&, const error_code& ec)
    {
        --pending_;
        if (ec && ledger_.results_count)
            ledger_.fail("async_close: " + ec.message());
    }

    void open()
    {
        error_code ec;
        const bool was_open = file_->is_open();
        file_->open(path_, flags_, ec);
        const bool right = was_open ? ec == asio::error::already_open
                                    : !ec || (opening_ && ec == asio::error::already_started);
        if (!right)
            ledger_.fail("open: " + ec.message());
    }

    void open_asynchronously()
    {
        const auto what = make(0);
        ++opening_;
        file_->async_open(
            path_, flags_,
            with_slot(plain_handler{shared_from_this(), what, &actor::opened, entry(ledger_)}));
    }

    void opened(operation& what, const error_code& ec)
    {
        --pending_;
        --opening_;
        const bool right =
            !ec ? file_->is_open()
            : ec == asio::error::operation_aborted
                ? interrupted(what) || !ledger_.results_count
                : ec == asio::error::already_open || ec == asio::error::already_started;
        if (!right)
            ledger_.fail("async_open: " + ec.message());
    }

    asio::strand<asio::io_context::executor_type> strand_;
    ledger& ledger_;
    std::minstd_rand random_;
    const std::string path_;
    const std::size_t unit_;
    const kaio::file_base::flags flags_;

    std::string model_;
    std::vector<bool> busy_;
    std::vector<std::shared_ptr<operation>> outstanding_;
    std::size_t actions_left_ = 0;
    std::size_t pending_ = 0;
    int opening_ = 0;
    std::uint64_t interruptions_ = 0;

    std::unique_ptr<kaio::random_access_file> file_;
};

// One context with all that happens on it.
class stress_round
{
public:
    explicit stress_round(unsigned seed) : random_(seed)
    {
        const std::size_t files = 1 + below(4);
        for (std::size_t i = 0; i != files; ++i)
            targets_.emplace_back(new temporary_file(file_size));
    }

    void run()
    {
        const std::size_t descriptors = open_descriptors();
        const std::size_t contexts = aio_contexts();
        {
            const std::size_t threads = 1 + below(4);
            context_ = std::make_unique<asio::io_context>(static_cast<int>(threads));
            make_actors();
            if (threads == 1)
                run_with_forks();
            else
                run_on(threads);
            if (ends_early_)
                abandon();
            else
                check_end();
        }
        BOOST_REQUIRE(ledger_.failures() == 0U);
        BOOST_REQUIRE(ledger_.started == ledger_.completed + ledger_.destroyed);
        BOOST_REQUIRE((ends_early_ || ledger_.destroyed == 0U));
        BOOST_REQUIRE(open_descriptors() == descriptors);
        BOOST_REQUIRE(aio_contexts() == contexts);
    }

    std::size_t operations() const
    {
        return ledger_.started;
    }

    std::size_t aborted() const
    {
        return ledger_.aborted;
    }

    std::size_t destroyed() const
    {
        return ledger_.destroyed;
    }

    std::size_t forks() const
    {
        return children_seen_;
    }

private:
    std::size_t below(std::size_t limit)
    {
        return random_() % limit;
    }

    void make_actors()
    {
        kaio::service_options& options = options_;
        options.max_in_flight = 1 + below(below(2) == 0 ? 8 : 100);
        options.max_batch = 1 + below(16);
        options.helper_threads = below(9);
        const kaio::submission_mode modes[] = {kaio::submission_mode::on_loop,
                                               kaio::submission_mode::on_thread,
                                               kaio::submission_mode::writes_on_thread};
        options.submission = modes[below(3)];
        kaio::make_aio_service(*context_, options);

        ends_early_ = below(3) == 0;
        enough_ = below(1000);
        for (const auto& target : targets_)
        {
            const bool direct = direct_io_available() && below(2) == 0;
            actors_.push_back(std::make_shared<actor>(
                *context_, ledger_, static_cast<unsigned>(random_()), target->path(), direct));
            actors_.back()->start(100 + below(400));
        }
    }

    bool over() const
    {
        return ends_early_ && ledger_.completed >= enough_;
    }

    void run_on(std::size_t count)
    {
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i != count; ++i)
        {
            threads.emplace_back([&] {
                const auto end = std::chrono::steady_clock::now() + time_bound;
                while (!over() && context_->run_one_until(end) != 0)
                {
                }
                if (over())
                    context_->stop();
            });
        }
        for (std::thread& thread : threads)
            thread.join();
    }

    void run_with_forks()
    {
        std::size_t until_fork = below(400);
        const auto end = std::chrono::steady_clock::now() + time_bound;
        while (!over() && context_->run_one_until(end) != 0)
        {
            if (forks_allowed && until_fork-- == 0 && children_seen_ < 3)
            {
                fork();
                until_fork = below(400);
            }
        }
        wait_for_children();
    }

    void fork()
    {
        ++children_seen_;
        context_->notify_fork(asio::execution_context::fork_prepare);
        const ::pid_t child = ::fork();
        BOOST_REQUIRE(child != -1);
        if (child == 0)
        {
            ::alarm(60);
            ::_exit(be_child());
        }
        children_.push_back(child);
        context_->notify_fork(asio::execution_context::fork_parent);
    }

    // Everything that was outstanding completes here too, and the context can be used.
    int be_child() noexcept
    {
        ledger_.results_count = false;
        context_->notify_fork(asio::execution_context::fork_child);
        for (const auto& a : actors_)
            a->retire();
        context_->restart();
        context_->run();
        if (ledger_.failures() != 0)
            return 2;
        if (ledger_.started != ledger_.completed + ledger_.destroyed || ledger_.destroyed != 0)
        {
            std::cerr << "stress: in a child " << ledger_.completed << " of " << ledger_.started
                      << " operations completed, " << ledger_.destroyed << " destroyed\n";
            return 3;
        }
        kaio::random_access_file file(*context_, targets_.front()->path(),
                                      kaio::file_base::read_only);
        std::string memory(5000, '\0');
        std::size_t count = 0;
        file.async_read_some_at(1, asio::buffer(memory),
                                [&](error_code, std::size_t n) { count = n; });
        context_->restart();
        context_->run();
        actors_.clear();
        file.close();
        context_.reset();
        return count == memory.size() ? 0 : 4;
    }

    void wait_for_children()
    {
        for (const ::pid_t child : children_)
        {
            int status = -1;
            BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
            BOOST_REQUIRE(status == 0);
        }
        children_.clear();
    }

    void check_end()
    {
        BOOST_REQUIRE_MESSAGE(context_->stopped(),
                              "the context still has work after a minute; at most "
                                  << options_.max_in_flight << " in flight, "
                                  << options_.helper_threads << " helper threads, submission on "
                                  << (options_.submission == kaio::submission_mode::on_loop
                                          ? "the loop\n"
                                      : options_.submission == kaio::submission_mode::on_thread
                                          ? "a thread\n"
                                          : "the loop but for writes\n")
                                  << asio::use_service<kaio::aio_service>(*context_).statistics());
        for (const auto& a : actors_)
            BOOST_REQUIRE(a->as_the_model_says());
        const kaio::service_statistics s =
            asio::use_service<kaio::aio_service>(*context_).statistics();
        BOOST_TEST(s.outstanding == 0U);
        BOOST_TEST(s.queued == 0U);
        BOOST_TEST(s.operations_started == s.operations_completed);
        BOOST_TEST(consistent(s), s);
        actors_.clear();
        context_.reset();
    }

    // The files that nothing is outstanding on go first, the others with the handlers.
    void abandon()
    {
        actors_.clear();
        context_.reset();
    }

    std::minstd_rand random_;
    const environment_variable harvest_{"KAIO_RING", below(4) == 0 ? "off" : "on"};
    ledger ledger_;
    std::vector<std::unique_ptr<temporary_file>> targets_;
    std::vector<std::shared_ptr<actor>> actors_;
    std::vector<::pid_t> children_;
    kaio::service_options options_;
    std::size_t children_seen_ = 0;
    bool ends_early_ = false;
    std::size_t enough_ = 0;
    std::unique_ptr<asio::io_context> context_;
};

} // namespace

BOOST_AUTO_TEST_CASE(stress)
{
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(scaled(60000, 1000));
    std::minstd_rand seeds(random_seed());
    std::size_t rounds = 0;
    std::size_t operations = 0;
    std::size_t aborted = 0;
    std::size_t destroyed = 0;
    std::size_t forks = 0;
    do
    {
        stress_round round(static_cast<unsigned>(seeds()));
        BOOST_TEST_CONTEXT("round " << rounds)
        {
            round.run();
        }
        ++rounds;
        operations += round.operations();
        aborted += round.aborted();
        destroyed += round.destroyed();
        forks += round.forks();
    } while (std::chrono::steady_clock::now() < end);
    std::cout << rounds << " rounds, " << operations << " operations, " << aborted << " aborted, "
              << destroyed << " destroyed, " << forks << " forks" << std::endl;
}
