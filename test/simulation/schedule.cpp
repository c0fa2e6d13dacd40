//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "schedule.hpp"

#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <utility>

#include "real_calls.hpp"
#include "refused_memory.hpp"

namespace kaio {
namespace test {
namespace {

thread_local schedule* current_schedule = nullptr;

// One in so many points lets another thread go on. Many switches find other defects than few.
constexpr std::uint32_t kinds_of_switching[] = {2, 5, 20, 100};

// A thread that doesn't come to a scheduling point can't be told from one that never will. One that
// computes for so long is lost.
constexpr unsigned most_seconds = 30;

std::atomic<std::uint32_t> current_seed{0};

void report_no_end(int)
{
    char text[] = "KAIO_TEST_SEED=0000000000: a thread doesn't give way\n";
    std::uint32_t seed = current_seed;
    for (char* digit = std::strchr(text, ':') - 1; *digit != '='; --digit, seed /= 10)
        *digit = static_cast<char>('0' + seed % 10);
    const ::ssize_t written = ::write(STDERR_FILENO, text, sizeof text - 1);
    ::_exit(written == -1 ? 2 : 1);
}

// A life that takes more steps doesn't come to its end.
constexpr std::size_t most_steps = 2'000'000;

} // namespace

struct schedule::thread
{
    thread()
    {
        ::sem_init(&turn, 0, 0);
    }

    ~thread()
    {
        ::sem_destroy(&turn);
    }

    void wait_for_turn()
    {
        while (::sem_wait(&turn) == -1)
        {
        }
    }

    ::sem_t turn;
    ::pthread_t id{};
    schedule* owner = nullptr;
    void* (*function)(void*) = nullptr;
    void* argument = nullptr;
    bool ended = false;

    // What it waits for; nothing if it can go on.
    const char* waits_for = nullptr;
    const std::function<bool()>* condition = nullptr;

    // Of a condition variable.
    ::pthread_cond_t* signal = nullptr;
};

schedule::schedule(std::uint32_t seed)
  : seed_(seed), random_(seed * 2654435761u + 1), switches_(kinds_of_switching[below(4)])
{
    threads_.push_back(std::make_unique<thread>());
    running_ = threads_.front().get();
    current_schedule = this;
    current_seed = seed;
    ::signal(SIGALRM, &report_no_end);
    ::alarm(most_seconds);
}

schedule::~schedule()
{
    ::alarm(0);
    current_schedule = nullptr;
}

schedule* schedule::current() noexcept
{
    return current_schedule;
}

void schedule::point()
{
    if (below(switches_) == 0)
        give_way();
}

void schedule::wait_until(const char* what, const std::function<bool()>& condition)
{
    thread& self = *running_;
    self.waits_for = what;
    self.condition = &condition;
    give_way();
    self.condition = nullptr;
    self.waits_for = nullptr;
}

std::vector<schedule::thread*> schedule::those_that_can_go_on() const
{
    std::vector<thread*> result;
    for (const auto& t : threads_)
        if (!t->ended && (!t->condition || (*t->condition)()))
            result.push_back(t.get());
    return result;
}

void schedule::give_way()
{
    const memory_may_be_refused own_memory(false);
    thread& self = *running_;
    thread* next = nullptr;
    for (bool more = true; !next;)
    {
        if (++steps_ == most_steps)
            fail("it doesn't come to its end");
        const std::vector<thread*> able = those_that_can_go_on();
        const auto choices = static_cast<std::uint32_t>(able.size() + (more ? 1 : 0));
        if (choices == 0)
            report_hang();
        const std::uint32_t choice = below(choices);
        if (choice < able.size())
            next = able[choice];
        else
            more = world_ && world_();
    }
    if (next == &self)
        return;
    running_ = next;
    // After that another thread runs, and may free what this one has.
    const bool last = self.ended;
    ::sem_post(&next->turn);
    if (!last)
        self.wait_for_turn();
}

void* schedule::run_thread(void* argument)
{
    auto& self = *static_cast<thread*>(argument);
    schedule& owner = *self.owner;
    self.wait_for_turn();
    current_schedule = &owner;
    const memory_may_be_refused of_a_thread;
    void* const result = self.function(self.argument);
    current_schedule = nullptr;
    self.ended = true;
    owner.give_way();
    return result;
}

int schedule::create_thread(::pthread_t* id, const ::pthread_attr_t* attributes,
                            void* (*function)(void*), void* argument)
{
    const memory_may_be_refused own_memory(false);
    auto created = std::make_unique<thread>();
    created->owner = this;
    created->function = function;
    created->argument = argument;
    const int error = KAIO_REAL(pthread_create)(id, attributes, &run_thread, created.get());
    if (error != 0)
        return error;
    created->id = *id;
    threads_.push_back(std::move(created));
    point();
    return 0;
}

int schedule::join_thread(::pthread_t id, void** result)
{
    const auto position = std::find_if(threads_.begin(), threads_.end(), [id](const auto& t) {
        return t->function && ::pthread_equal(t->id, id);
    });
    if (position == threads_.end())
        fail("a thread is joined that isn't there");
    thread* const joined = position->get();
    wait_until("the end of a thread", [joined] { return joined->ended; });
    const int error = KAIO_REAL(pthread_join)(id, result);
    threads_.erase(std::find_if(threads_.begin(), threads_.end(),
                                [joined](const auto& t) { return t.get() == joined; }));
    return error;
}

void schedule::wait_for_signal(::pthread_cond_t* condition, ::pthread_mutex_t* mutex)
{
    thread& self = *running_;
    self.signal = condition;
    ::pthread_mutex_unlock(mutex);
    wait_until("a condition variable", [&self] { return !self.signal; });
    lock(mutex);
}

void schedule::signal(::pthread_cond_t* condition, bool all)
{
    const memory_may_be_refused own_memory(false);
    std::vector<thread*> waiting;
    for (const auto& t : threads_)
        if (t->signal == condition)
            waiting.push_back(t.get());
    if (waiting.empty())
        return;
    if (!all)
        waiting = {waiting[below(static_cast<std::uint32_t>(waiting.size()))]};
    for (thread* t : waiting)
        t->signal = nullptr;
}

void schedule::lock(::pthread_mutex_t* mutex)
{
    if (::pthread_mutex_trylock(mutex) == 0)
        return;
    wait_until("a mutex", [mutex] {
        return ::pthread_mutex_trylock(mutex) == 0 && ::pthread_mutex_unlock(mutex) == 0;
    });
    ::pthread_mutex_trylock(mutex);
}

std::int64_t schedule::nanoseconds()
{
    constexpr std::int64_t far = 3'000'000;
    now_ += with_chance(3) ? far : 100 + below(3000);
    return now_;
}

std::size_t schedule::number_of_running() const
{
    std::size_t number = 0;
    while (threads_[number].get() != running_)
        ++number;
    return number;
}

void schedule::fail(const std::string& what) const
{
    std::cerr << "KAIO_TEST_SEED=" << seed_ << ": " << what << std::endl;
    std::abort();
}

void schedule::report_hang() const
{
    std::string what = "it hangs; threads wait for";
    for (const auto& t : threads_)
        if (t->waits_for)
            what += std::string(" (") + t->waits_for + ")";
    fail(what);
}

} // namespace test
} // namespace kaio
