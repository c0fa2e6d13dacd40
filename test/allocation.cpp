//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <malloc.h>

#include <array>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <kaio/kaio.hpp>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/sanitizers.hpp"
#include "support/scale.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"
#include "support/tracking_allocator.hpp"

namespace {

std::atomic<std::size_t> malloc_calls{0};

// Makes malloc fail.
std::atomic<bool> no_memory{false};

} // namespace

// The whole family, in front of the C library's. A sanitizer has its own there already.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern "C" {

void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t size)
{
    ++malloc_calls;
    return no_memory ? nullptr : __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size)
{
    ++malloc_calls;
    return __libc_calloc(count, size);
}

void* realloc(void* memory, std::size_t size)
{
    ++malloc_calls;
    return __libc_realloc(memory, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size)
{
    ++malloc_calls;
    return __libc_memalign(alignment, size);
}

void* memalign(std::size_t alignment, std::size_t size)
{
    ++malloc_calls;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void** result, std::size_t alignment, std::size_t size)
{
    ++malloc_calls;
    *result = __libc_memalign(alignment, size);
    return *result ? 0 : ENOMEM;
}

void free(void* memory)
{
    if (memory)
        ++malloc_calls;
    __libc_free(memory);
}

} // extern "C"
#endif

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace kaio::test;
using kaio::file_base;
using kaio::random_access_file;

BOOST_AUTO_TEST_SUITE(allocation)

// The associated allocator.

struct allocator_fixture : context_fixture
{
    template <typename Handler>
    auto with_allocator(Handler handler)
    {
        return asio::bind_allocator(tracking_allocator<>(count), std::move(handler));
    }

    // A handler that finds its operation's memory given back.
    auto record(outcome& result)
    {
        return with_allocator([this, &result](error_code ec, std::size_t n) {
            live_in_handler += count.live_blocks;
            record_in{result}(ec, n);
        });
    }

    temporary_file on_disk{std::size_t(10000)};
    random_access_file file{context, on_disk.path(), file_base::read_write};
    std::string text = std::string(100, '\0');
    allocation_count count;
    std::size_t live_in_handler = 0;
};

BOOST_FIXTURE_TEST_CASE(operation_memory_comes_from_the_associated_allocator, allocator_fixture)
{
    outcome read, write, many;
    std::vector<asio::mutable_buffer> buffers;
    for (std::size_t i = 0; i != text.size(); ++i)
        buffers.push_back(asio::buffer(&text[i], 1));

    file.async_read_some_at(0, asio::buffer(text), record(read));
    BOOST_TEST(count.live_blocks == 1u, "operation and buffers are one block");
    run(context);
    BOOST_CHECK(read.succeeded(100));
    BOOST_TEST(count.live_blocks == 0u);
    BOOST_TEST(count.live_bytes == 0u);

    file.async_write_some_at(0, asio::buffer(text), record(write));
    run_again(context);
    BOOST_CHECK(write.succeeded(100));

    const std::size_t before = count.allocations;
    file.async_read_some_at(0, buffers, record(many));
    BOOST_TEST(count.allocations == before + 1);
    run_again(context);
    BOOST_CHECK(many.succeeded(100));
    BOOST_TEST(count.live_bytes == 0u);
    BOOST_TEST(live_in_handler == 0u, "memory is given back before the handler is called");
}

BOOST_FIXTURE_TEST_CASE(memory_is_given_back_before_the_upcall_on_every_executor, allocator_fixture)
{
    outcome empty, refused, aborted, on_strand, elsewhere;
    file.async_read_some_at(0, asio::mutable_buffer(), record(empty));
    run(context);
    BOOST_CHECK(empty.succeeded(0));
    BOOST_TEST(live_in_handler == 0u);

    file.async_read_some_at(~std::uint64_t(0), asio::buffer(text), record(refused));
    run_again(context);
    BOOST_CHECK(refused.failed(asio::error::invalid_argument));
    BOOST_TEST(live_in_handler == 0u);

    file.async_read_some_at(0, asio::buffer(text), record(aborted));
    file.cancel();
    run_again(context);
    BOOST_CHECK(aborted.aborted());
    BOOST_TEST(live_in_handler == 0u);

    file.async_read_some_at(0, asio::buffer(text),
                            asio::bind_executor(asio::make_strand(context), record(on_strand)));
    run_again(context);
    BOOST_CHECK(on_strand.succeeded(100));
    BOOST_TEST(live_in_handler == 0u);

    context_fixture other;
    file.async_read_some_at(0, asio::buffer(text),
                            asio::bind_executor(other.context, record(elsewhere)));
    run_again(context);
    run(other.context);
    BOOST_CHECK(elsewhere.succeeded(100));
    BOOST_TEST(live_in_handler == 0u);
    BOOST_TEST(count.live_bytes == 0u);
}

BOOST_FIXTURE_TEST_CASE(memory_is_given_back_when_the_handler_throws, allocator_fixture)
{
    file.async_read_some_at(0, asio::buffer(text),
                            with_allocator([](error_code, std::size_t) { throw 1; }));
    BOOST_CHECK_THROW(run(context), int);
    BOOST_TEST(count.live_bytes == 0u);
    run_again(context);
}

// An allocator that has nothing to give.
template <typename T = void>
struct exhausted_allocator
{
    using value_type = T;

    exhausted_allocator() = default;

    template <typename U>
    exhausted_allocator(const exhausted_allocator<U>&) noexcept
    {
    }

    T* allocate(std::size_t)
    {
        throw std::bad_alloc();
    }

    void deallocate(T*, std::size_t) noexcept
    {
    }

    template <typename U>
    bool operator==(const exhausted_allocator<U>&) const noexcept
    {
        return true;
    }

    template <typename U>
    bool operator!=(const exhausted_allocator<U>&) const noexcept
    {
        return false;
    }
};

BOOST_FIXTURE_TEST_CASE(without_memory_nothing_is_started, allocator_fixture)
{
    outcome refused, after;
    const auto handler = [&] {
        return asio::bind_allocator(exhausted_allocator<>(), record_in(refused));
    };
    BOOST_CHECK_THROW(file.async_read_some_at(0, asio::buffer(text), handler()), std::bad_alloc);
    BOOST_CHECK_THROW(file.async_write_some_at(0, asio::buffer(text), handler()), std::bad_alloc);
    const auto statistics = asio::use_service<kaio::aio_service>(context).statistics();
    BOOST_TEST(statistics.operations_started == 0u);
    BOOST_TEST(run(context) == 0u);
    BOOST_TEST(refused.calls == 0);

    file.async_read_some_at(0, asio::buffer(text), record(after));
    run_again(context);
    BOOST_CHECK(after.succeeded(100));
}

// Lets a number of steps pass, and has the next one fail.
struct failing_step
{
    std::size_t passes = 0;

    void take()
    {
        if (passes == 0)
            throw std::bad_alloc();
        --passes;
    }
};

template <typename T = void>
struct failing_allocator
{
    using value_type = T;

    explicit failing_allocator(failing_step& s) : step(&s)
    {
    }

    template <typename U>
    failing_allocator(const failing_allocator<U>& other) noexcept : step(other.step)
    {
    }

    T* allocate(std::size_t n)
    {
        step->take();
        return std::allocator<T>().allocate(n);
    }

    void deallocate(T* memory, std::size_t n) noexcept
    {
        std::allocator<T>().deallocate(memory, n);
    }

    template <typename U>
    bool operator==(const failing_allocator<U>& other) const noexcept
    {
        return step == other.step;
    }

    template <typename U>
    bool operator!=(const failing_allocator<U>& other) const noexcept
    {
        return step != other.step;
    }

    failing_step* step;
};

// Its copies may fail, what it allocates may, and so may its executor.
struct failing_handler
{
    using allocator_type = failing_allocator<>;

    struct executor_type
    {
        asio::io_context* context;
        failing_step* step;

        asio::execution_context& query(asio::execution::context_t) const noexcept
        {
            return *context;
        }

        template <typename Function>
        void execute(Function&& f) const
        {
            step->take();
            context->get_executor().execute(std::forward<Function>(f));
        }

        bool operator==(const executor_type& other) const noexcept
        {
            return context == other.context;
        }

        bool operator!=(const executor_type& other) const noexcept
        {
            return context != other.context;
        }
    };

    failing_handler(asio::io_context& c, failing_step& s, int& n) : context(&c), step(&s), calls(&n)
    {
    }

    failing_handler(failing_handler&&) = default;

    failing_handler(const failing_handler& other)
      : context(other.context), step(other.step), calls(other.calls)
    {
        step->take();
    }

    allocator_type get_allocator() const noexcept
    {
        return allocator_type(*step);
    }

    executor_type get_executor() const noexcept
    {
        return {context, step};
    }

    void operator()(error_code, std::size_t = 0) const
    {
        ++*calls;
    }

    asio::io_context* context;
    failing_step* step;
    int* calls;
};

// Wherever the start of an operation fails: it either throws and has started nothing, or starts
// what
// completes once.
BOOST_FIXTURE_TEST_CASE(a_start_fails_or_completes_once, allocator_fixture)
{
    using file_type = kaio::random_access_file;
    const auto start_nothing = [&](file_type& f, const failing_handler& h) {
        f.async_read_some_at(0, asio::buffer(text, 0), h);
    };
    const std::function<void(file_type&, const failing_handler&)> starts[] = {
        [&](file_type& f, const failing_handler& h) {
            f.async_read_some_at(0, asio::buffer(text), h);
        },
        start_nothing,
        [](file_type& f, const failing_handler& h) { f.async_sync_all(h); },
        [](file_type& f, const failing_handler& h) { f.async_allocate(0, 1, h); },
        [&](file_type& f, const failing_handler& h) {
            f.async_open(on_disk.path(), file_base::read_only, h);
        },
        [](file_type& f, const failing_handler& h) { f.async_close(h); }};
    std::size_t failures = 0;
    for (const auto& start : starts)
    {
        for (const bool open : {false, true})
        {
            bool failed = true;
            for (std::size_t passes = 0; failed; ++passes)
            {
                BOOST_REQUIRE(passes != 50u);
                file_type f(context);
                if (open)
                    f.open(on_disk.path(), file_base::read_only);
                auto& service = asio::use_service<kaio::aio_service>(context);
                const auto before = service.statistics();
                failing_step step{passes};
                int calls = 0;
                failed = false;
                try
                {
                    start(f, failing_handler(context, step, calls));
                }
                catch (const std::bad_alloc&)
                {
                    failed = true;
                    ++failures;
                }
                const auto after = service.statistics();
                BOOST_TEST(after.operations_started - before.operations_started == !failed);
                BOOST_TEST(calls == 0);
                step.passes = 1000;
                run_again(context);
                BOOST_TEST(calls == !failed);
                BOOST_TEST(service.statistics().outstanding == 0u);

                // The file object can still be used.
                error_code ec;
                f.close(ec);
                f.open(on_disk.path(), file_base::read_only, ec);
                BOOST_TEST(!ec);
            }
        }
    }
    BOOST_TEST(failures >= 12u);
}

// Calls of the malloc family.

BOOST_AUTO_TEST_CASE(the_count_counts)
{
    if (under_sanitizer)
    {
        skip("malloc can't be replaced under a sanitizer, so that the "
             "tests that count its calls do nothing");
        return;
    }
    const auto count = [](auto function) {
        const std::size_t before = malloc_calls;
        function();
        return malloc_calls - before;
    };
    void* volatile memory = nullptr;
    BOOST_TEST(count([&] { memory = std::malloc(10); }) == 1u);
    BOOST_TEST(count([&] { memory = std::realloc(memory, 10000); }) == 1u);
    BOOST_TEST(count([&] { std::free(memory); }) == 1u);
    BOOST_TEST(count([&] { std::free(memory = std::calloc(10, 10)); }) == 2u);
    BOOST_TEST(count([&] { std::free(memory = std::aligned_alloc(64, 128)); }) == 2u);
    BOOST_TEST(count([&] { ::operator delete(memory = ::operator new(10)); }) == 2u);
    BOOST_TEST(count([] {}) == 0u);
}

template <typename Executor>
struct counting_fixture : context_fixture
{
    using file_type = kaio::basic_random_access_file<Executor>;

    counting_fixture()
    {
        // A thread that is created in the middle would be counted too.
        kaio::service_options options;
        options.helper_threads = 0;
        kaio::make_aio_service(context, options);
        file.emplace(context, on_disk.path(), file_base::read_only);
    }

    ~counting_fixture()
    {
        file.reset();
    }

    // A read of cached data with one buffer, or with several.
    template <typename Handler>
    void start(std::size_t i, Handler handler)
    {
        char* const memory = &texts[i % texts.size()][0];
        if (several_buffers)
        {
            const std::array<asio::mutable_buffer, 4> buffers = {
                asio::buffer(memory, 10), asio::buffer(memory + 10, 10),
                asio::buffer(memory + 20, 10), asio::buffer(memory + 30, 10)};
            file->async_read_some_at(i % 100, buffers, std::move(handler));
        }
        else
        {
            file->async_read_some_at(i % 100, asio::buffer(memory, 40), std::move(handler));
        }
    }

    // Each started by the handler of the one before.
    void start_chain(std::size_t length)
    {
        start(length, [this, length](const error_code& ec, std::size_t n) {
            failures += ec || n != 40;
            if (length == measured)
                before = malloc_calls;
            if (length > 1)
                start_chain(length - 1);
            else
                calls_of_malloc = malloc_calls - before;
        });
    }

    // All started together, and the next wave when the last of them has completed.
    void start_waves(std::size_t size, std::size_t waves)
    {
        left = size;
        for (std::size_t i = 0; i != size; ++i)
        {
            start(i, [this, size, waves](const error_code& ec, std::size_t n) {
                failures += ec || n != 40;
                if (--left != 0)
                    return;
                if (waves == measured)
                    before = malloc_calls;
                if (waves > 1)
                    start_waves(size, waves - 1);
                else
                    calls_of_malloc = malloc_calls - before;
            });
        }
    }

    void check()
    {
        BOOST_TEST(failures == 0u);
        if (!under_sanitizer)
            BOOST_TEST(calls_of_malloc == 0u);
    }

    temporary_file on_disk{std::size_t(10000)};
    std::optional<file_type> file;
    std::vector<std::string> texts = std::vector<std::string>(256, std::string(40, '\0'));
    bool several_buffers = false;
    const std::size_t measured = scaled(100, 10);
    std::size_t left = 0;
    std::size_t failures = 0;
    std::size_t before = 0;
    std::size_t calls_of_malloc = 1;
};

using executors = std::tuple<asio::any_io_executor, asio::io_context::executor_type>;

constexpr std::size_t warm_up = 10;
const std::vector<std::size_t> wave_sizes = {1, 32, kaio::service_options().max_in_flight};

BOOST_AUTO_TEST_CASE_TEMPLATE(chains, Executor, executors)
{
    for (const bool several : {false, true})
    {
        counting_fixture<Executor> f;
        f.several_buffers = several;
        f.start_chain(warm_up + f.measured);
        run(f.context);
        f.check();
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(waves_started_inside_run, Executor, executors)
{
    for (const bool several : {false, true})
    {
        for (const std::size_t size : wave_sizes)
        {
            BOOST_TEST_CONTEXT("waves of " << size)
            {
                counting_fixture<Executor> f;
                f.several_buffers = several;
                asio::post(f.context, [&] { f.start_waves(size, warm_up + f.measured); });
                run(f.context);
                f.check();
            }
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(waves_started_outside_run, Executor, executors)
{
    for (const bool several : {false, true})
    {
        for (const std::size_t size : wave_sizes)
        {
            BOOST_TEST_CONTEXT("waves of " << size)
            {
                counting_fixture<Executor> f;
                f.several_buffers = several;
                for (std::size_t wave = 0; wave != warm_up + f.measured; ++wave)
                {
                    if (wave == warm_up)
                        f.before = malloc_calls;
                    for (std::size_t i = 0; i != size; ++i)
                        f.start(i, [&f](const error_code& ec, std::size_t n) {
                            f.failures += ec || n != 40;
                        });
                    f.context.restart();
                    f.context.run_for(time_bound);
                }
                f.calls_of_malloc = malloc_calls - f.before;
                f.check();
            }
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(waves_started_by_another_thread, Executor, executors)
{
    // This thread allocates, and the other one frees: the memory has to find its way back.
    for (const std::size_t size : wave_sizes)
    {
        BOOST_TEST_CONTEXT("waves of " << size)
        {
            counting_fixture<Executor> f;
            std::mutex mutex;
            std::condition_variable all_completed;
            std::size_t completed = 0;
            auto guard = asio::make_work_guard(f.context);
            std::thread runner([&] { f.context.run_for(time_bound); });
            const std::size_t more_warm_up = 10 * warm_up;
            bool in_time = true;
            for (std::size_t wave = 0; in_time && wave != more_warm_up + f.measured; ++wave)
            {
                if (wave == more_warm_up)
                    f.before = malloc_calls;
                completed = 0;
                for (std::size_t i = 0; i != size; ++i)
                {
                    f.start(i, [&](const error_code& ec, std::size_t n) {
                        const std::lock_guard<std::mutex> lock(mutex);
                        f.failures += ec || n != 40;
                        if (++completed == size)
                            all_completed.notify_one();
                    });
                }
                std::unique_lock<std::mutex> lock(mutex);
                in_time =
                    all_completed.wait_for(lock, time_bound, [&] { return completed == size; });
            }
            f.calls_of_malloc = malloc_calls - f.before;
            guard.reset();
            runner.join();
            BOOST_TEST(in_time);
            f.check();
        }
    }
}

// A handler that has to be queued takes the place of its operation.
BOOST_AUTO_TEST_CASE(handlers_on_a_strand_are_called_without_memory)
{
    if (under_sanitizer)
        return skip("malloc can't be replaced under a sanitizer");
    context_fixture f;
    const temporary_file on_disk(std::size_t(10000));
    random_access_file file(f.context, on_disk.path(), file_base::read_only);
    const auto strand = asio::make_strand(f.context.get_executor());
    char memory[40];
    std::size_t called = 0;
    for (int i = 0; i != 4; ++i)
        file.async_read_some_at(
            0, asio::buffer(memory),
            asio::bind_executor(strand, [&](const error_code&, std::size_t) { ++called; }));
    std::size_t thrown = 0;
    no_memory = true;
    while (!f.context.stopped())
    {
        try
        {
            f.context.run();
        }
        catch (const std::bad_alloc&)
        {
            ++thrown;
        }
    }
    no_memory = false;
    BOOST_TEST(called == 4u);
    BOOST_TEST(thrown == 0u);
}

BOOST_AUTO_TEST_CASE(chains_on_a_strand_allocate_nothing)
{
    // Asio's own part in it, the strand's queue, takes its memory from the handler's allocator.
    using strand = asio::strand<asio::io_context::executor_type>;
    context_fixture f;
    kaio::service_options options;
    options.helper_threads = 0;
    kaio::make_aio_service(f.context, options);
    temporary_file on_disk(std::size_t(10000));
    kaio::basic_random_access_file<strand> file(asio::make_strand(f.context), on_disk.path(),
                                                file_base::read_only);
    char memory[40];
    std::size_t left = 1000, before = 0, calls_of_malloc = 1;
    struct link
    {
        void operator()(const error_code&, std::size_t)
        {
            if (left == 500)
                before = malloc_calls;
            if (--left != 0)
                file.async_read_some_at(0, asio::buffer(memory), link(*this));
            else
                calls_of_malloc = malloc_calls - before;
        }

        kaio::basic_random_access_file<strand>& file;
        char (&memory)[40];
        std::size_t& left;
        std::size_t& before;
        std::size_t& calls_of_malloc;
    };
    file.async_read_some_at(0, asio::buffer(memory),
                            link{file, memory, left, before, calls_of_malloc});
    run(f.context);
    BOOST_TEST(left == 0u);
    if (!under_sanitizer)
        BOOST_TEST(calls_of_malloc == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
