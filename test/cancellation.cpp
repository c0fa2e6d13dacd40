//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/unit_test.hpp>
#include <kaio/kaio.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/needs_aio.hpp"
#include "support/outcome.hpp"
#include "support/run.hpp"
#include "support/scale.hpp"
#include "support/skip.hpp"
#include "support/temporary_file.hpp"

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace kaio::test;
using kaio::file_base;
using kaio::random_access_file;

const std::vector<asio::cancellation_type> types = {
    asio::cancellation_type::total, asio::cancellation_type::partial,
    asio::cancellation_type::terminal, asio::cancellation_type::all};

// A context whose kernel side holds one operation at a time, and a file.
struct fixture : context_fixture
{
    fixture()
    {
        kaio::service_options options;
        options.max_in_flight = 1;
        kaio::make_aio_service(context, options);
        file.emplace(context, on_disk.path(), flags);
    }

    ~fixture()
    {
        file.reset();
    }

    void start(outcome& result, asio::cancellation_slot slot = {})
    {
        start(*file, result, slot);
    }

    void start(random_access_file& from, outcome& result, asio::cancellation_slot slot = {})
    {
        const initiation_guard guard;
        from.async_read_some_at(block, asio::buffer(memory.data(), block),
                                asio::bind_cancellation_slot(slot, record_in(result)));
    }

    kaio::service_statistics statistics()
    {
        return asio::use_service<kaio::aio_service>(context).statistics();
    }

    static constexpr std::size_t block = 4096;
    const file_base::flags flags =
        direct_io_available() ? file_base::read_only | file_base::direct : file_base::read_only;
    temporary_file on_disk{4 * block};
    std::optional<random_access_file> file;
    aligned_memory memory{block};
};

// In this one a long direct read holds the only place in the kernel, so that all others wait.
struct occupied : fixture
{
    static constexpr std::size_t size = std::size_t(8) << 20;

    // Let the others be looked at once, so that only the lack of room keeps them waiting.
    bool others_wait(std::size_t count)
    {
        context.poll();
        return statistics().queued == count && first.calls == 0;
    }

    void start_first()
    {
        long_file.async_read_some_at(0, asio::buffer(long_memory.data(), size), record_in(first));
        context.poll();
        context.restart();
    }

    static temporary_file& long_on_disk()
    {
        static temporary_file result(std::string(size, 'x'));
        return result;
    }

    random_access_file long_file{context, long_on_disk().path(), flags};
    aligned_memory long_memory{size};
    outcome first;
};

// Have others wait behind a long read, do something to them, and look what became of them. As the
// long read may end too early, this may take more than one attempt.
template <typename Cancel, typename Check>
void while_waiting(Cancel cancel, Check check)
{
    if (!aio_available())
        return skip("needs AIO");
    if (!direct_io_available())
        return skip("no direct I/O in " + directory());
    constexpr int attempts = 100;
    constexpr std::size_t count = 10;
    for (int i = 0; i != attempts; ++i)
    {
        occupied f;
        std::vector<outcome> results(count);
        std::vector<asio::cancellation_signal> signals(count);
        f.start_first();
        for (std::size_t j = 0; j != count; ++j)
            f.start(results[j], signals[j].slot());
        const bool waited = f.others_wait(count);
        if (waited)
            cancel(f, signals);
        run_again(f.context);
        if (!waited)
            continue;
        BOOST_CHECK(f.first.succeeded(occupied::size));
        check(f, results);
        BOOST_TEST(f.statistics().operations_failed == 0u);
        BOOST_TEST(f.statistics().outstanding == 0u);
        return;
    }
    BOOST_ERROR("in no attempt did the operations wait");
}

void check_all_aborted(occupied& f, const std::vector<outcome>& results)
{
    for (const outcome& result : results)
        BOOST_CHECK(result.aborted());
    BOOST_TEST(f.statistics().operations_cancelled == results.size());
}

BOOST_FIXTURE_TEST_SUITE(cancellation, fixture)

BOOST_AUTO_TEST_CASE(by_slot_before_anything_was_submitted)
{
    for (const auto type : types)
    {
        outcome result;
        asio::cancellation_signal signal;
        start(result, signal.slot());
        signal.emit(type);
        BOOST_TEST(result.calls == 0);
        run_again(context);
        BOOST_CHECK(result.aborted());
    }
    BOOST_TEST(statistics().operations_cancelled == types.size());
    BOOST_TEST(statistics().submit_calls == 0u);
    BOOST_TEST(memory.text() == std::string(block, '\0'));
}

BOOST_AUTO_TEST_CASE(a_slot_cancels_only_its_waiting_operation)
{
    for (const auto type : types)
    {
        while_waiting([&](occupied&, auto& signals) { signals[5].emit(type); },
                      [](occupied&, const std::vector<outcome>& results) {
                          for (std::size_t i = 0; i != results.size(); ++i)
                          {
                              BOOST_CHECK(i == 5 ? results[i].aborted()
                                                 : results[i].succeeded(fixture::block));
                          }
                      });
    }
}

BOOST_AUTO_TEST_CASE(an_aborted_operation_does_not_wait_for_others)
{
    // They complete in the next turn of the loop, while the long read still holds the kernel.
    bool in_time = false;
    for (int i = 0; i != 100 && !in_time; ++i)
    {
        while_waiting(
            [&](occupied& f, auto& signals) {
                for (asio::cancellation_signal& signal : signals)
                    signal.emit(asio::cancellation_type::total);
                f.context.restart();
                f.context.poll();
                const auto statistics = f.statistics();
                in_time = statistics.operations_cancelled == signals.size() &&
                          statistics.outstanding == 1 && f.first.calls == 0;
            },
            check_all_aborted);
        if (!direct_io_available() || !aio_available())
            return;
    }
    BOOST_TEST(in_time);
}

BOOST_AUTO_TEST_CASE(the_file_cancels_what_waits)
{
    while_waiting([](occupied& f, auto&) { f.file->cancel(); }, check_all_aborted);
}

BOOST_AUTO_TEST_CASE(close_cancels_what_waits)
{
    while_waiting(
        [](occupied& f, auto&) {
            f.file->close();
            BOOST_TEST(!f.file->is_open());
        },
        check_all_aborted);
}

BOOST_AUTO_TEST_CASE(release_cancels_what_waits)
{
    while_waiting(
        [](occupied& f, auto&) {
            const int descriptor = f.file->release();
            BOOST_TEST(::pread(descriptor, f.memory.data(), fixture::block, 0) ==
                       static_cast<::ssize_t>(fixture::block));
            BOOST_TEST(::close(descriptor) == 0);
        },
        check_all_aborted);
}

BOOST_AUTO_TEST_CASE(destruction_cancels_what_waits)
{
    while_waiting([](occupied& f, auto&) { f.file.reset(); }, check_all_aborted);
}

BOOST_AUTO_TEST_CASE(move_assignment_cancels_what_waits)
{
    while_waiting([](occupied& f,
                     auto&) { *f.file = random_access_file(f.context, f.on_disk.path(), f.flags); },
                  [](occupied& f, const std::vector<outcome>& results) {
                      check_all_aborted(f, results);
                      outcome after;
                      f.start(after);
                      run_again(f.context);
                      BOOST_CHECK(after.succeeded(fixture::block));
                  });
}

BOOST_AUTO_TEST_CASE(other_files_go_on)
{
    std::optional<random_access_file> other;
    std::vector<outcome> others(5);
    while_waiting(
        [&](occupied& f, auto&) {
            other.emplace(f.context, f.on_disk.path(), f.flags);
            for (outcome& result : others)
                f.start(*other, result);
            f.file->cancel();
        },
        [&](occupied& f, const std::vector<outcome>& results) {
            check_all_aborted(f, results);
            for (const outcome& result : others)
                BOOST_CHECK(result.succeeded(fixture::block));
            other.reset();
        });
}

BOOST_AUTO_TEST_CASE(the_file_goes_on_after_cancel)
{
    outcome before, after;
    start(before);
    file->cancel();
    start(after);
    run(context);
    BOOST_CHECK(before.aborted());
    BOOST_CHECK(after.succeeded(block));
    BOOST_CHECK(memory.text() == pattern(block, block));
}

BOOST_AUTO_TEST_CASE(the_type_none_cancels_nothing)
{
    outcome result;
    asio::cancellation_signal signal;
    start(result, signal.slot());
    signal.emit(asio::cancellation_type::none);
    run(context);
    BOOST_CHECK(result.succeeded(block));
}

BOOST_AUTO_TEST_CASE(appending_writes_that_wait_for_their_turn)
{
    temporary_file log;
    random_access_file appender(context, log.path(), file_base::write_only | file_base::append);
    std::vector<outcome> results(10);
    asio::cancellation_signal signal;
    for (std::size_t i = 0; i != results.size(); ++i)
    {
        appender.async_write_some_at(
            0, asio::buffer(&"0123456789"[i], 1),
            asio::bind_cancellation_slot(i == 5 ? signal.slot() : asio::cancellation_slot(),
                                         record_in(results[i])));
    }
    signal.emit(asio::cancellation_type::total);
    run(context);
    for (std::size_t i = 0; i != results.size(); ++i)
        BOOST_CHECK(i == 5 ? results[i].aborted() : results[i].succeeded(1));
    BOOST_TEST(log.contents() == "012346789");
}

BOOST_AUTO_TEST_CASE(a_signal_before_the_start_has_no_effect)
{
    outcome result;
    asio::cancellation_signal signal;
    signal.emit(asio::cancellation_type::all);
    start(result, signal.slot());
    run(context);
    BOOST_CHECK(result.succeeded(block));
}

BOOST_AUTO_TEST_CASE(a_signal_after_the_end_has_no_effect)
{
    outcome result, next;
    asio::cancellation_signal signal, next_signal;
    start(result, signal.slot());
    run(context);
    BOOST_CHECK(result.succeeded(block));

    // The memory of the first operation may be that of the next by now.
    start(next, next_signal.slot());
    signal.emit(asio::cancellation_type::all);
    run_again(context);
    BOOST_CHECK(next.succeeded(block));
}

BOOST_AUTO_TEST_CASE(a_signal_between_completion_and_handler_has_no_effect)
{
    // With its result decided, but its handler not yet called, the operation is done.
    for (int attempt = 0; attempt != 100; ++attempt)
    {
        context_fixture f;
        random_access_file many(f.context, on_disk.path(), file_base::read_only);
        outcome one, two;
        asio::cancellation_signal signal;
        char c[2];
        bool waits = false;
        many.async_read_some_at(0, asio::buffer(c, 1), [&](error_code ec, std::size_t n) {
            record_in{one}(ec, n);
            const auto s = asio::use_service<kaio::aio_service>(f.context).statistics();
            waits = s.queued != 0 || s.outstanding == 0;
            signal.emit(asio::cancellation_type::all);
            many.cancel();
        });
        many.async_read_some_at(1, asio::buffer(c + 1, 1),
                                asio::bind_cancellation_slot(signal.slot(), record_in(two)));
        run(f.context);
        many.close();
        BOOST_CHECK(one.succeeded(1));
        if (waits)
            continue;
        BOOST_CHECK(two.succeeded(1));
        return;
    }
    BOOST_ERROR("in no attempt had both completed when the first handler ran");
}

BOOST_AUTO_TEST_CASE(a_signal_in_the_own_handler_has_no_effect)
{
    asio::cancellation_signal signal;
    outcome result;
    file->async_read_some_at(0, asio::buffer(memory.data(), block),
                             asio::bind_cancellation_slot(signal.slot(), [&](auto ec, auto n) {
                                 signal.emit(asio::cancellation_type::all);
                                 record_in{result}(ec, n);
                             }));
    run(context);
    BOOST_CHECK(result.succeeded(block));
}

BOOST_AUTO_TEST_CASE(a_slot_used_again_in_the_handler)
{
    asio::cancellation_signal signal;
    outcome second;
    file->async_read_some_at(0, asio::buffer(memory.data(), block),
                             asio::bind_cancellation_slot(signal.slot(), [&](auto ec, auto) {
                                 BOOST_TEST(!ec);
                                 start(second, signal.slot());
                                 signal.emit(asio::cancellation_type::total);
                             }));
    run(context);
    BOOST_CHECK(second.aborted());
}

BOOST_AUTO_TEST_CASE(a_signal_that_dies_before_its_operation)
{
    outcome result, other;
    {
        asio::cancellation_signal signal;
        start(result, signal.slot());
    }
    {
        asio::cancellation_signal signal;
        start(other, signal.slot());
        context.run_one();
    }
    run(context);
    BOOST_CHECK(result.succeeded(block));
    BOOST_CHECK(other.succeeded(block));
}

BOOST_AUTO_TEST_CASE(a_slot_that_outlives_operation_file_and_context)
{
    asio::cancellation_signal after_handler, after_discard;
    outcome result, discarded;
    {
        asio::io_context short_lived;
        random_access_file other(short_lived, on_disk.path(), flags);
        other.async_read_some_at(
            0, asio::buffer(memory.data(), block),
            asio::bind_cancellation_slot(after_handler.slot(), record_in(result)));
        run(short_lived);
        other.async_read_some_at(
            0, asio::buffer(memory.data(), block),
            asio::bind_cancellation_slot(after_discard.slot(), record_in(discarded)));
    }
    BOOST_CHECK(result.succeeded(block));
    BOOST_TEST(discarded.calls == 0);
    after_handler.emit(asio::cancellation_type::all);
    after_discard.emit(asio::cancellation_type::all);
}

BOOST_AUTO_TEST_CASE(a_file_that_was_moved_after_the_start)
{
    outcome by_slot, by_file, by_close;
    asio::cancellation_signal signal;
    start(by_slot, signal.slot());
    random_access_file moved(std::move(*file));
    file.reset();
    signal.emit(asio::cancellation_type::total);
    run(context);
    BOOST_CHECK(by_slot.aborted());

    moved.async_read_some_at(0, asio::buffer(memory.data(), block), record_in(by_file));
    random_access_file again(std::move(moved));
    error_code ec;
    moved.cancel(ec);
    BOOST_TEST(ec == asio::error::bad_descriptor);
    again.cancel();
    run_again(context);
    BOOST_CHECK(by_file.aborted());

    again.async_read_some_at(0, asio::buffer(memory.data(), block), record_in(by_close));
    moved = std::move(again);
    moved.close();
    run_again(context);
    BOOST_CHECK(by_close.aborted());
}

BOOST_AUTO_TEST_CASE(immediate_completions_are_not_cancelled)
{
    outcome empty, refused;
    asio::cancellation_signal signal;
    file->async_read_some_at(0, asio::mutable_buffer(),
                             asio::bind_cancellation_slot(signal.slot(), record_in(empty)));
    signal.emit(asio::cancellation_type::all);
    file->async_read_some_at(~std::uint64_t(0), asio::buffer(memory.data(), block),
                             record_in(refused));
    file->cancel();
    run(context);
    BOOST_CHECK(empty.succeeded(0));
    BOOST_CHECK(refused.failed(asio::error::invalid_argument));
}

// Direct reads that have gone to the kernel, for which every way of cancelling comes too late.
struct in_kernel : context_fixture
{
    static constexpr std::size_t size = std::size_t(4) << 20;
    static constexpr std::size_t count = 4;

    in_kernel()
    {
        for (std::size_t i = 0; i != count; ++i)
            buffers.emplace_back(size);
    }

    // Start the reads, and let the kernel have them.
    void submit()
    {
        for (std::size_t i = 0; i != count; ++i)
        {
            file.async_read_some_at(
                i * size, asio::buffer(buffers[i].data(), size),
                asio::bind_cancellation_slot(signals[i].slot(), record_in(results[i])));
        }
        const auto& service = asio::use_service<kaio::aio_service>(context);
        run_until(context, [&] { return service.statistics().submit_calls != 0; });
    }

    void check_true_results()
    {
        run_again(context);
        for (std::size_t i = 0; i != count; ++i)
        {
            BOOST_CHECK(results[i].succeeded(size));
            BOOST_CHECK(buffers[i].text() == contents.substr(i * size, size));
        }
        const auto statistics = asio::use_service<kaio::aio_service>(context).statistics();
        BOOST_TEST(statistics.operations_cancelled == 0u);
    }

    const std::string contents = pattern(0, count* size);
    temporary_file on_disk{contents};
    random_access_file file{context, on_disk.path(),
                            direct_io_available() ? file_base::read_only | file_base::direct
                                                  : file_base::read_only};
    std::vector<aligned_memory> buffers;
    std::vector<asio::cancellation_signal> signals = std::vector<asio::cancellation_signal>(count);
    std::vector<outcome> results = std::vector<outcome>(count);
};

BOOST_FIXTURE_TEST_CASE(what_the_kernel_holds_has_its_true_result_after_a_signal, in_kernel,
                        *boost::unit_test::precondition(&needs_aio))
{
    submit();
    for (std::size_t i = 0; i != count; ++i)
        signals[i].emit(types[i]);
    check_true_results();
}

BOOST_FIXTURE_TEST_CASE(what_the_kernel_holds_has_its_true_result_after_cancel, in_kernel,
                        *boost::unit_test::precondition(&needs_aio))
{
    submit();
    file.cancel();
    check_true_results();
}

BOOST_FIXTURE_TEST_CASE(what_the_kernel_holds_has_its_true_result_after_close, in_kernel,
                        *boost::unit_test::precondition(&needs_aio))
{
    submit();
    const int number = file.native_handle();
    file.close();

    // Somebody else gets the number; the reads go on with the file that they were started on.
    temporary_file other(std::size_t(1000));
    random_access_file next(context, other.path(), file_base::read_only);
    BOOST_TEST(next.native_handle() == number);
    check_true_results();
}

BOOST_FIXTURE_TEST_CASE(what_the_kernel_holds_has_its_true_result_after_release, in_kernel,
                        *boost::unit_test::precondition(&needs_aio))
{
    submit();
    const int descriptor = file.release();
    check_true_results();
    BOOST_TEST(::close(descriptor) == 0);
}

BOOST_FIXTURE_TEST_CASE(what_the_kernel_holds_has_its_true_result_after_destruction, in_kernel,
                        *boost::unit_test::precondition(&needs_aio))
{
    submit();
    random_access_file(std::move(file));
    check_true_results();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(cancellation_races_with_completion)
{
    // On several threads, with signals from a strand: each operation ends once, either way.
    context_fixture f;
    kaio::service_options options;
    options.max_in_flight = 4;
    kaio::make_aio_service(f.context, options);
    temporary_file on_disk(std::size_t(1000));
    const auto strand = asio::make_strand(f.context);
    kaio::basic_random_access_file file(strand, on_disk.path(), file_base::read_only);

    struct operation
    {
        asio::cancellation_signal signal;
        std::string text = std::string(50, '\0');
        outcome result;
    };
    const std::size_t count = scaled(2000, 100);
    std::vector<operation> operations(count);
    for (std::size_t i = 0; i != count; ++i)
    {
        operation& mine = operations[i];
        asio::post(strand, [&] {
            file.async_read_some_at(
                0, asio::buffer(mine.text),
                asio::bind_cancellation_slot(mine.signal.slot(), record_in(mine.result)));
        });
        asio::post(strand, [&, i] {
            if (i % 2 == 0)
                operations[i / 2].signal.emit(asio::cancellation_type::total);
            if (i % 100 == 99)
                file.cancel();
        });
    }
    run_on_threads(f.context, 4);
    for (const operation& o : operations)
        BOOST_CHECK(o.result.succeeded(50) || o.result.aborted());
    const auto statistics = asio::use_service<kaio::aio_service>(f.context).statistics();
    BOOST_TEST(statistics.operations_completed == count);
    BOOST_TEST(statistics.outstanding == 0u);
    file.close();
}

} // namespace
