//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "life.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <kaio/kaio.hpp>

#include "kernel.hpp"
#include "schedule.hpp"
#include "target.hpp"

namespace kaio {
namespace test {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

struct thrown_by_a_handler
{
};

int lowest_free_descriptor()
{
    const int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(lowest);
    return lowest;
}

class life
{
public:
    life(std::uint32_t seed, life_figures& figures) : figures_(figures), schedule_(seed)
    {
        threads_ = schedule_.below(2) == 0 ? 1 : 1 + schedule_.below(3);
        kernel_.set_rates(draw_rates());
        visitors_ = schedule_.below(2) == 0 ? 0 : 1 + schedule_.below(2);
        budget_ = 2 + schedule_.below(schedule_.below(2) == 0 ? 6 : 50);
        eagerness_ = schedule_.below(4);
        disturbance_ = schedule_.below(3) * 10;
    }

    void live()
    {
        const int lowest = lowest_free_descriptor();
        make_context();
        make_targets();
        for (std::uint32_t i = 1 + schedule_.below(12); i != 0; --i)
            start_one(any_target());
        while (run() && goes_on())
        {
        }
        end();
        if (lowest_free_descriptor() != lowest)
            schedule_.fail("a descriptor is left over");
    }

private:
    // Counts itself: a handler must be destroyed, whether it was called or not.
    class handler
    {
    public:
        handler(life& owner, simulated_operation& o) : owner_(&owner), operation_(&o)
        {
            ++owner_->handlers_;
        }

        handler(handler&& other) noexcept
          : owner_(std::exchange(other.owner_, nullptr)), operation_(other.operation_)
        {
        }

        ~handler()
        {
            if (owner_)
                --owner_->handlers_;
        }

        void operator()(error_code error, std::size_t transferred = 0)
        {
            life& owner = *owner_;
            simulated_operation& o = *operation_;
            o.error = error;
            o.transferred = transferred;
            const memory_may_be_refused not_of_the_program(false);
            owner.completed(o);
        }

    private:
        life* owner_;
        simulated_operation* operation_;
    };

    fault_rates draw_rates()
    {
        const auto some = [this] {
            static constexpr std::uint32_t rates[] = {0, 0, 5, 40};
            return rates[schedule_.below(4)];
        };
        fault_rates rates;
        rates.would_block = some();
        rates.unknown_flag = some();
        rates.refused_by_aio = some();
        rates.no_aio = some() / 3;
        rates.partial_submission = some();
        rates.busy = some();
        rates.within_submit = schedule_.below(3) * 45;
        rates.no_thread = some();
        rates.signal_for_nothing = some();
        rates.short_transfer = some();
        rates.io_error = some();
        // An executor with a queue of its own asks for memory before it calls a handler.
        if (threads_ == 1)
            rates.no_memory = schedule_.below(4) * 50;
        return rates;
    }

    void make_context()
    {
        context_ =
            std::make_unique<asio::io_context>(threads_ == 1 && schedule_.below(2) == 0 ? 1 : 8);
        service_options options;
        options.max_in_flight = 1 + schedule_.below(schedule_.below(2) == 0 ? 4 : 20);
        options.max_batch = 1 + schedule_.below(8);
        options.helper_threads = schedule_.below(5);
        static constexpr submission_mode modes[] = {
            submission_mode::on_loop, submission_mode::on_loop, submission_mode::on_thread,
            submission_mode::writes_on_thread};
        options.submission = modes[schedule_.below(4)];
        make_aio_service(*context_, options);
    }

    void make_targets()
    {
        for (std::uint32_t i = 1 + schedule_.below(3) + visitors_; i != 0; --i)
        {
            static constexpr target_kind kinds[] = {target_kind::random_access,
                                                    target_kind::random_access,
                                                    target_kind::append_only, target_kind::stream};
            asio::any_io_executor executor = context_->get_executor();
            if (threads_ != 1)
                executor = asio::make_strand(*context_);
            targets_.push_back(std::make_unique<target>(
                schedule_, kernel_, kinds[schedule_.below(4)], schedule_.below(2) == 0, executor));
        }
    }

    // The last ones belong to visitors.
    target& any_target()
    {
        return *targets_[schedule_.below(static_cast<std::uint32_t>(targets_.size()) - visitors_)];
    }

    bool belongs_to_visitor(const target& t) const
    {
        return std::any_of(targets_.end() - visitors_, targets_.end(),
                           [&t](const auto& other) { return other.get() == &t; });
    }

    // A thread that doesn't run the context, and starts operations on a file of its own. The guard
    // keeps run() from returning until they have been started.
    void visit(target& t, asio::executor_work_guard<asio::io_context::executor_type> guard)
    {
        const memory_may_be_refused not_of_the_program(false);
        for (std::uint32_t i = 1 + schedule_.below(6); i != 0; --i)
        {
            start_one(t);
            schedule_.point();
            if (schedule_.with_chance(disturbance_))
                cancel(t);
        }
        guard.reset();
    }

    // A handler that runs beside others may touch its own file only.
    target& target_beside(target& own)
    {
        return threads_ == 1 ? any_target() : own;
    }

    void start_one(target& t)
    {
        if (budget_ == 0 || t.busy || !t.file().is_open())
            return;
        std::unique_ptr<simulated_operation> drawn = t.draw();
        if (!drawn)
            return;
        start(t, std::move(drawn));
    }

    template <typename Initiate>
    void initiate(simulated_operation& o, Initiate&& how)
    {
        if (schedule_.below(3) == 0)
            how(asio::bind_cancellation_slot(o.signal.slot(), handler(*this, o)));
        else
            how(handler(*this, o));
    }

    void start(target& t, std::unique_ptr<simulated_operation> drawn)
    {
        --budget_;
        simulated_operation& o = *drawn;
        operations_.push_back(std::move(drawn));
        t.started(o);
        try
        {
            hand_over(t, o);
        }
        catch (const std::bad_alloc&)
        {
            ++figures_.not_started;
            t.not_started(o);
            t.busy = false;
        }
    }

    void hand_over(target& t, simulated_operation& o)
    {
        const memory_may_be_refused here;
        initiate(o, [&](auto&& h) {
            using handler_type = decltype(h);
            switch (o.what)
            {
            case action::sync_data:
                t.file().async_sync_data(std::forward<handler_type>(h));
                break;
            case action::sync_all:
                t.file().async_sync_all(std::forward<handler_type>(h));
                break;
            case action::open:
                t.file().async_open(t.path(), file_base::read_write, std::forward<handler_type>(h));
                break;
            case action::close:
                t.file().async_close(std::forward<handler_type>(h));
                break;
            default:
                transfer(t, o, std::forward<handler_type>(h));
            }
        });
    }

    // One to three buffers.
    template <typename Buffer>
    std::vector<Buffer> split(const simulated_operation& o)
    {
        std::vector<Buffer> result;
        Buffer rest(o.memory.get(), o.size);
        for (std::uint32_t i = schedule_.below(3); i != 0; --i)
        {
            const std::size_t size = schedule_.below(static_cast<std::uint32_t>(rest.size()) + 1);
            result.push_back(asio::buffer(rest, size));
            rest += size;
        }
        result.push_back(rest);
        return result;
    }

    template <typename Handler>
    void transfer(target& t, simulated_operation& o, Handler&& h)
    {
        const bool read = o.what == action::read;
        io_options options;
        options.append = o.what == action::append;
        options.data_sync = !read && schedule_.below(10) == 0;
        if (t.kind() == target_kind::stream && read)
            t.stream().async_read_some(split<asio::mutable_buffer>(o), std::forward<Handler>(h));
        else if (t.kind() == target_kind::stream)
            t.stream().async_write_some(split<asio::const_buffer>(o), std::forward<Handler>(h));
        else if (read)
            t.random_access().async_read_some_at(o.offset, split<asio::mutable_buffer>(o),
                                                 std::forward<Handler>(h));
        else
            t.random_access().async_write_some_at(o.offset, split<asio::const_buffer>(o), options,
                                                  std::forward<Handler>(h));
    }

    void completed(simulated_operation& o)
    {
        if (++o.completions != 1)
            schedule_.fail("an operation has completed twice");
        target& t = *o.file;
        count(o);
        t.completed(o);
        if (o.what == action::open || o.what == action::close)
        {
            t.busy = false;
            if (o.what == action::open && !o.error)
                t.opened();
            if (o.what == action::close && !t.file().is_open())
                t.closed();
        }
        if (belongs_to_visitor(t))
            return;
        reopen(t);
        for (std::uint32_t i = schedule_.below(3); i != 0; --i)
            start_one(target_beside(t));
        if (schedule_.with_chance(eagerness_ * 20))
            start_one(target_beside(t));
        if (schedule_.with_chance(disturbance_))
            disturb(target_beside(t));
    }

    void count(const simulated_operation& o)
    {
        ++figures_.operations;
        if (o.error == asio::error::operation_aborted)
            ++figures_.cancelled;
        else if (o.error && o.error != asio::error::eof)
            ++figures_.failed;
        if (o.faults.cut_short)
            ++figures_.cut_short;
    }

    // What is serial and still in flight would have no order with what is started on another
    // description of the file.
    void reopen(target& t)
    {
        if (t.busy || t.file().is_open())
            return;
        if (t.kind() != target_kind::random_access && !t.outstanding().empty())
            return;
        if (budget_ != 0 && schedule_.below(2) == 0)
            start_open(t);
        else
            t.open();
    }

    void start_open(target& t)
    {
        auto o = std::make_unique<simulated_operation>();
        o->file = &t;
        o->what = action::open;
        t.busy = true;
        start(t, std::move(o));
    }

    void start_close(target& t)
    {
        t.cancelled();
        auto o = std::make_unique<simulated_operation>();
        o->file = &t;
        o->what = action::close;
        t.busy = true;
        start(t, std::move(o));
    }

    void disturb(target& t)
    {
        switch (schedule_.below(8))
        {
        case 0:
            if (t.busy || t.file().is_open())
                cancel(t);
            break;
        case 1:
            if (!t.busy && t.file().is_open())
            {
                t.cancelled();
                schedule_.note("close", t.path());
                t.file().close();
                t.closed();
                reopen(t);
            }
            break;
        case 2:
            if (!t.busy && t.file().is_open() &&
                (t.kind() == target_kind::random_access || t.outstanding().empty()))
                t.release_and_assign();
            break;
        case 3:
            if (!t.busy && t.file().is_open() && budget_ != 0)
                start_close(t);
            break;
        case 4:
            emit(t);
            break;
        case 5:
            t.change_direct();
            break;
        case 6:
            stopped_ = true;
            schedule_.note("stop");
            context_->stop();
            break;
        default:
            throw thrown_by_a_handler();
        }
    }

    void cancel(target& t)
    {
        error_code not_open;
        t.cancelled();
        schedule_.note("cancel", t.path());
        t.file().cancel(not_open);
    }

    void emit(target& t)
    {
        const auto& outstanding = t.outstanding();
        if (outstanding.empty())
            return;
        simulated_operation& o =
            *outstanding[schedule_.below(static_cast<std::uint32_t>(outstanding.size()))];
        o.cancelled = true;
        schedule_.note("emit", &o);
        static constexpr asio::cancellation_type types[] = {asio::cancellation_type::terminal,
                                                            asio::cancellation_type::partial,
                                                            asio::cancellation_type::total};
        o.signal.emit(types[schedule_.below(3)]);
    }

    std::size_t outstanding() const
    {
        std::size_t result = 0;
        for (const auto& t : targets_)
            result += t->outstanding().size();
        return result;
    }

    // Returns whether the context has to run again.
    bool run()
    {
        stopped_ = false;
        context_->restart();
        // A visitor that leaves early must not stop the context before the next has come.
        auto guard = asio::make_work_guard(*context_);
        std::vector<std::thread> others;
        try
        {
            for (std::uint32_t i = 0; i != visitors_; ++i)
                others.emplace_back([this, &t = **(targets_.end() - 1 - i),
                                     guard = asio::make_work_guard(*context_)]() mutable {
                    visit(t, std::move(guard));
                });
            for (std::uint32_t i = 1; i < threads_; ++i)
                others.emplace_back([this] { run_thread(); });
        }
        catch (const std::system_error&)
        {
            // So there are less.
        }
        guard.reset();
        run_thread();
        for (std::thread& t : others)
            t.join();
        if (outstanding() == 0)
            return false;
        if (!stopped_)
            schedule_.fail("run() has returned, and " + std::to_string(outstanding()) +
                           " operations are outstanding");
        return true;
    }

    void run_thread()
    {
        const memory_may_be_refused not_of_the_program(false);
        for (;;)
        {
            try
            {
                const memory_may_be_refused here;
                context_->run();
                schedule_.note("run() returns");
                return;
            }
            catch (const thrown_by_a_handler&)
            {
            }
            catch (const std::exception& e)
            {
                schedule_.fail(e.what());
            }
        }
    }

    // What happens between two runs. False if the life ends before its operations have.
    bool goes_on()
    {
        if (schedule_.below(6) == 0)
        {
            ++figures_.abandoned;
            abandoned_ = true;
            return false;
        }
        if (schedule_.below(3) == 0)
        {
            context_->notify_fork(asio::execution_context::fork_prepare);
            if (kernel_.holds_operations())
                schedule_.fail("the kernel holds operations at a fork");
            if (schedule_.threads() != 1)
                schedule_.fail("there are threads at a fork");
            context_->notify_fork(asio::execution_context::fork_parent);
        }
        return true;
    }

    void end()
    {
        if (!abandoned_)
        {
            for (const auto& t : targets_)
                t->check();
            const service_statistics s = asio::use_service<aio_service>(*context_).statistics();
            if (s.operations_started != s.operations_completed || s.outstanding != 0 ||
                s.queued != 0)
                schedule_.fail("the statistics are wrong");
        }
        const bool files_first = schedule_.below(2) == 0;
        if (files_first)
            for (const auto& t : targets_)
                t->destroy_object();
        else
            for (const auto& t : targets_)
            {
                error_code not_open;
                t->file().close(not_open);
            }
        for (const auto& t : targets_)
            t->destroy_object();
        context_.reset();
        if (!kernel_.no_contexts())
            schedule_.fail("an AIO context is left over");
        if (handlers_ != 0)
            schedule_.fail("a handler is left over");
        targets_.clear();
    }

    life_figures& figures_;
    schedule schedule_;
    kernel kernel_{schedule_};
    std::uint32_t threads_;
    std::uint32_t visitors_;
    std::uint32_t budget_;
    std::uint32_t eagerness_;
    std::uint32_t disturbance_;
    bool stopped_ = false;
    bool abandoned_ = false;
    int handlers_ = 0;
    std::vector<std::unique_ptr<simulated_operation>> operations_;
    std::vector<std::unique_ptr<target>> targets_;
    std::unique_ptr<asio::io_context> context_;
};

} // namespace

void live(std::uint32_t seed, life_figures& figures)
{
    life(seed, figures).live();
}

} // namespace test
} // namespace kaio
