//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_AIO_EVENTS_HPP
#define KAIO_TEST_SUPPORT_AIO_EVENTS_HPP

// fs.aio-max-nr limits the events of AIO for the whole system, and so for all test programs that run
// on it, in whatever tree and by whatever user. Each test case shares a lock with those of the
// others; one that takes all events has it alone. aio_events.cpp, which every test program is linked
// with, sees to the former.

namespace kaio {
namespace test {

/// While it exists no other test uses AIO.
class alone_with_aio
{
public:
    /// Waits until the test cases that run have ended. That is bounded, and may fail.
    alone_with_aio();

    ~alone_with_aio();

    alone_with_aio(const alone_with_aio&) = delete;
    alone_with_aio& operator=(const alone_with_aio&) = delete;

    explicit operator bool() const noexcept
    {
        return alone_;
    }

private:
    bool alone_ = false;
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_AIO_EVENTS_HPP
