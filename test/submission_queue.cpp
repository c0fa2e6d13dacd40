//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The operations that wait, for the loop and for the threads.

#include "queue/submission_queue.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <deque>
#include <vector>

#include "support/skip.hpp"

using namespace kaio::detail;

namespace {

struct operation : operation_record
{
    operation(open_file& file, operation_kind kind)
      : operation_record(kind, [](operation_record&, upcall) {})
    {
        begin(file, 0);
    }
};

struct file : open_file
{
    explicit file(mount_usage& mount)
    {
        set_mount(mount);
    }
};

struct queue_fixture
{
    operation_record& make(open_file& file, operation_kind kind = operation_kind::read)
    {
        return operations.emplace_back(file, kind);
    }

    operation_record& make_serial(open_file& file)
    {
        operation_record& record = make(file, operation_kind::write);
        record.set_serial(true);
        return record;
    }

    operation_record& push(operation_record& record)
    {
        queue.push(record);
        return record;
    }

    mount_usage mount;
    file a{mount};
    file b{mount};
    submission_queue queue;
    std::deque<operation> operations;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(submission_queue_, queue_fixture)

BOOST_AUTO_TEST_CASE(operations_of_a_file_leave_in_the_order_in_which_they_came)
{
    operation_record& first = push(make(a));
    operation_record& second = push(make(a));
    operation_record& third = push(make(a));
    BOOST_TEST(queue.size() == 3U);
    BOOST_TEST((first.progress().state == operation_state::queued));
    BOOST_TEST(&queue.pop(a) == &first);
    BOOST_TEST(&queue.pop(a) == &second);
    BOOST_TEST(&queue.pop(a) == &third);
    BOOST_TEST(queue.size() == 0U);
    BOOST_TEST(queue.ready().front() == nullptr);
}

BOOST_AUTO_TEST_CASE(files_are_served_in_turn)
{
    push(make(a));
    push(make(b));
    BOOST_TEST(queue.ready().size() == 2U);
    BOOST_TEST(queue.ready().front() == &a);
    queue.ready().rotate();
    BOOST_TEST(queue.ready().front() == &b);
    queue.ready().rotate();
    BOOST_TEST(queue.ready().front() == &a);
}

BOOST_AUTO_TEST_CASE(an_operation_that_is_put_back_is_the_next)
{
    push(make(a));
    push(make(a));
    operation_record& first = queue.pop(a);
    queue.put_back(first);
    BOOST_TEST(queue.size() == 2U);
    BOOST_TEST(&queue.pop(a) == &first);
}

BOOST_AUTO_TEST_CASE(serial_operations_run_one_at_a_time)
{
    operation_record& first = push(make_serial(a));
    operation_record& second = push(make_serial(a));
    BOOST_TEST(&queue.pop(a) == &first);
    BOOST_TEST(queue.ready().front() == nullptr);
    BOOST_TEST(first.progress().has_turn);
    BOOST_TEST(!second.progress().has_turn);
    queue.serial_finished(first);
    BOOST_TEST(!first.progress().has_turn);
    BOOST_TEST(queue.ready().front() == &a);
    BOOST_TEST(&queue.pop(a) == &second);
    BOOST_TEST(second.progress().has_turn);
    queue.put_back(second);
    BOOST_TEST(!second.progress().has_turn);
    BOOST_TEST(queue.ready().front() == &a);
    BOOST_TEST(&queue.pop(a) == &second);
}

BOOST_AUTO_TEST_CASE(a_serial_operation_holds_up_no_concurrent_one)
{
    push(make_serial(a));
    push(make_serial(a));
    queue.pop(a);
    BOOST_TEST(queue.ready().front() == nullptr);
    operation_record& read = push(make(a));
    BOOST_TEST(queue.ready().front() == &a);
    BOOST_TEST(&queue.pop(a) == &read);
    BOOST_TEST(queue.ready().front() == nullptr);
}

BOOST_AUTO_TEST_CASE(serial_and_concurrent_operations_take_turns)
{
    for (int i = 0; i != 3; ++i)
    {
        push(make_serial(a));
        push(make(a));
    }
    for (int i = 0; i != 6; ++i)
    {
        operation_record& record = queue.pop(a);
        BOOST_TEST(record.request().serial == (i % 2 == 1));
        BOOST_TEST(record.progress().has_turn == record.request().serial);
        if (record.request().serial)
            queue.serial_finished(record);
    }
}

BOOST_AUTO_TEST_CASE(an_operation_may_be_taken_out_of_the_middle)
{
    operation_record& first = push(make(a));
    operation_record& second = push(make(a));
    operation_record& third = push(make(a));
    queue.erase(second);
    BOOST_TEST(queue.size() == 2U);
    BOOST_TEST(&queue.pop(a) == &first);
    queue.erase(third);
    BOOST_TEST(queue.size() == 0U);
    BOOST_TEST(queue.ready().front() == nullptr);
}

BOOST_AUTO_TEST_CASE(several_may_be_taken_at_once)
{
    push(make(a));
    push(make(a));
    operation_record& third = push(make(a));
    queue.popped(a, &third, 2);
    BOOST_TEST(queue.size() == 1U);
    BOOST_TEST(a.waiting().first_concurrent() == &third);
    queue.popped(a, nullptr, 1);
    BOOST_TEST(queue.size() == 0U);
    BOOST_TEST(queue.ready().front() == nullptr);
}

BOOST_AUTO_TEST_CASE(operations_for_threads_are_counted_for_their_mount)
{
    operation_record& first = make(a);
    operation_record& second = make(a);
    queue.push_off_loop(first, operation_state::queued_for_helper);
    queue.push_off_loop(second, operation_state::queued_for_helper);
    BOOST_TEST((first.progress().state == operation_state::queued_for_helper));
    BOOST_TEST(queue.off_loop_size() == 2U);
    BOOST_TEST(mount.waiting == 2U);
    BOOST_TEST(queue.off_loop().front() == &a);
    queue.erase(first);
    queue.put_back_off_loop(first);
    BOOST_TEST((first.progress().state == operation_state::queued_for_submission));
    BOOST_TEST(a.waiting().helper_submits_next());
    BOOST_TEST(a.waiting().first_off_loop() == &first);
    queue.erase(first);
    BOOST_TEST(!a.waiting().helper_submits_next());
    queue.erase(second);
    BOOST_TEST(queue.off_loop_size() == 0U);
    BOOST_TEST(!a.waiting().helper_submits_next());
    BOOST_TEST(mount.waiting == 0U);
    BOOST_TEST(queue.off_loop().front() == nullptr);
}

BOOST_AUTO_TEST_CASE(each_read_for_a_thread_is_offered_for_prefetch_once)
{
    file_traits traits;
    traits.type = file_type::regular;
    traits.prefetches = true;
    a.set_descriptor(-1, traits);
    std::vector<operation_record*> reads;
    for (int i = 0; i != 3; ++i)
    {
        reads.push_back(&make(a));
        queue.push_off_loop(*reads.back(), operation_state::queued_for_helper);
    }
    BOOST_TEST(queue.prefetchable().front() == &a);
    BOOST_TEST(&queue.pass_prefetchable(a) == reads[0]);
    // One that is taken before its turn is not offered any more.
    queue.erase(*reads[1]);
    BOOST_TEST(&queue.pass_prefetchable(a) == reads[2]);
    BOOST_TEST(queue.prefetchable().front() == nullptr);
}

BOOST_AUTO_TEST_CASE(reads_of_direct_files_are_not_offered_for_prefetch)
{
    // The writing end of such a pipe has the flag O_DIRECT, on any file system.
    int ends[2];
    if (::pipe2(ends, O_DIRECT) != 0)
        return kaio::test::skip("the kernel has no pipes with O_DIRECT");
    file_traits traits;
    traits.type = file_type::regular;
    traits.prefetches = true;
    b.set_descriptor(ends[1], traits);
    ::close(ends[0]);
    ::close(ends[1]);
    BOOST_TEST(b.is_direct());
    queue.push_off_loop(make(b), operation_state::queued_for_helper);
    BOOST_TEST(queue.prefetchable().front() == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
