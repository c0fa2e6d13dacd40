//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "aio_events.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/tree/observer.hpp>
#include <boost/test/tree/test_unit.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

namespace kaio {
namespace test {
namespace {

using std::chrono::steady_clock;

// A file that everybody may lock. Nothing is in it, and it stays where it is.
class lock_file
{
public:
    explicit lock_file(const char* path) : descriptor_(open(path))
    {
        if (descriptor_ == -1)
            std::cerr << "NOTE: tests elsewhere may take all AIO events, as there is no lock: "
                      << path << ": " << std::strerror(errno) << std::endl;
    }

    // There is no flock() with a time limit.
    bool take(int operation, std::chrono::seconds limit) const
    {
        const steady_clock::time_point end = steady_clock::now() + limit;
        while (::flock(descriptor_, operation | LOCK_NB) != 0)
        {
            if (errno != EINTR && errno != EWOULDBLOCK)
                return true; // No lock for anybody.
            if (steady_clock::now() >= end)
                return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return true;
    }

    void release() const
    {
        ::flock(descriptor_, LOCK_UN);
    }

private:
    // Others' files in /tmp can't be opened with O_CREAT, not even by root.
    static int open(const char* path)
    {
        int result = -1;
        errno = ENOENT;
        for (int attempt = 0; attempt != 10 && result == -1 && errno == ENOENT; ++attempt)
        {
            result = ::open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
            if (result != -1 || errno != ENOENT)
                break;
            result = ::open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
            if (result != -1)
                ::fchmod(result, 0444);
            else if (errno == EEXIST)
                errno = ENOENT;
        }
        return result;
    }

    int descriptor_;
};

// Who wants to be alone waits with the turn in hand: others that come then wait for the turn, so that
// those that have the events become fewer.
struct lock_files
{
    lock_file turn{"/tmp/kaio-tests-turn.lock"};
    lock_file events{"/tmp/kaio-tests-aio-events.lock"};
};

lock_files& files()
{
    static lock_files result;
    return result;
}

constexpr std::chrono::seconds bound_of_sharing{30};
constexpr std::chrono::seconds bound_of_a_turn{15};
constexpr int turns = 4;

void share_events()
{
    if (!files().turn.take(LOCK_SH, bound_of_sharing) ||
        !files().events.take(LOCK_SH, bound_of_sharing))
        std::cerr << "NOTE: another test has taken all AIO events for longer than "
                  << bound_of_sharing.count() << " s" << std::endl;
    files().turn.release();
}

unsigned long figure(const char* name)
{
    unsigned long result = 0;
    std::ifstream(std::string("/proc/sys/fs/") + name) >> result;
    return result;
}

void warn_of_want()
{
    constexpr unsigned long few = 1024;
    const unsigned long used = figure("aio-nr");
    const unsigned long allowed = figure("aio-max-nr");
    if (used + few > allowed)
        std::cerr << "NOTE: other programs have " << used << " AIO events of the " << allowed
                  << " that fs.aio-max-nr allows the system: a test that needs them may fail"
                  << std::endl;
}

class sharing_cases : public boost::unit_test::test_observer
{
public:
    sharing_cases()
    {
        boost::unit_test::framework::register_observer(*this);
    }

    void test_unit_start(const boost::unit_test::test_unit& unit) override
    {
        if (unit.p_type != boost::unit_test::TUT_CASE)
            return;
        share_events();
        warn_of_want();
    }

    void test_unit_finish(const boost::unit_test::test_unit& unit, unsigned long) override
    {
        if (unit.p_type == boost::unit_test::TUT_CASE)
            files().events.release();
    }
} const observer;

} // namespace

alone_with_aio::alone_with_aio()
{
    files().events.release();
    for (int i = 0; i != turns && !alone_; ++i)
    {
        // Between two turns those that waited come in.
        if (i != 0)
            std::this_thread::sleep_for(std::chrono::seconds(1));
        if (!files().turn.take(LOCK_EX, bound_of_a_turn))
            continue;
        alone_ = files().events.take(LOCK_EX, bound_of_a_turn);
        if (!alone_)
            files().turn.release();
    }
}

alone_with_aio::~alone_with_aio()
{
    files().events.release();
    files().turn.release();
}

} // namespace test
} // namespace kaio
