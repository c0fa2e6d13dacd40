//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "target.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cstring>

#include "real_calls.hpp"

namespace kaio {
namespace test {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Out of the way of the numbers that kaio and the life are given.
constexpr int first_own_descriptor = 200;

int make_memory_file()
{
    const int made = ::memfd_create("kaio", MFD_CLOEXEC);
    const int moved = KAIO_REAL(fcntl)(made, F_DUPFD_CLOEXEC, first_own_descriptor);
    ::close(made);
    return moved;
}

} // namespace

target::target(schedule& s, kernel& k, target_kind kind, bool direct,
               const asio::any_io_executor& executor)
  : schedule_(s), kernel_(k), kind_(kind), direct_(direct), memory_file_(make_memory_file())
{
    if (kind_ != target_kind::append_only)
    {
        content_.resize(slots * slot_size);
        for (char& c : content_)
            c = static_cast<char>(schedule_.below(256));
        if (::pwrite(memory_file_, content_.data(), content_.size(), 0) !=
            static_cast<::ssize_t>(content_.size()))
            schedule_.fail("the file can't be made");
    }
    if (kind_ == target_kind::stream)
        stream_ = std::make_unique<kaio::stream_file>(executor);
    else
        random_access_ = std::make_unique<kaio::random_access_file>(executor);
    open();
}

target::~target()
{
    destroy_object();
    for (const int stranger : strangers_)
    {
        kernel_.allow(stranger);
        ::close(stranger);
    }
    ::close(memory_file_);
}

void target::destroy_object()
{
    random_access_.reset();
    stream_.reset();
}

kaio::basic_file<asio::any_io_executor>& target::file()
{
    if (stream_)
        return *stream_;
    return *random_access_;
}

std::string target::path() const
{
    return "/proc/self/fd/" + std::to_string(memory_file_);
}

void target::open()
{
    if (file().is_open())
        return;
    const int descriptor = ::open(path().c_str(), O_RDWR | O_CLOEXEC);
    kernel_.set_direct(descriptor, direct_);
    file().assign(descriptor);
    position_ = 0;
}

void target::opened()
{
    position_ = 0;
}

void target::closed()
{
    const int stranger = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    kernel_.forbid(stranger);
    strangers_.push_back(stranger);
}

void target::release_and_assign()
{
    cancelled();
    schedule_.note("release", path());
    const int descriptor = file().release();
    kernel_.forbid(descriptor);
    // What is in flight goes on with the file, not with the descriptor.
    schedule_.point();
    kernel_.allow(descriptor);
    file().assign(descriptor);
}

void target::change_direct()
{
    direct_ = !direct_;
    schedule_.note("change O_DIRECT of", path());
    if (file().is_open())
        kernel_.set_direct(file().native_handle(), direct_);
}

void target::cancelled()
{
    for (simulated_operation* const o : outstanding_)
        o->cancelled = true;
}

std::unique_ptr<simulated_operation> target::draw()
{
    auto o = std::make_unique<simulated_operation>();
    o->file = this;
    const bool write = schedule_.below(2) == 0;
    o->size = 1 + schedule_.below(slot_size);
    if (schedule_.below(30) == 0)
    {
        o->what = schedule_.below(2) == 0 ? action::sync_data : action::sync_all;
        o->size = 0;
        return o;
    }
    o->what = write ? action::write : action::read;
    if (kind_ == target_kind::append_only)
        o->what = action::append;
    if (kind_ == target_kind::random_access)
    {
        const std::size_t slot = schedule_.below(slots);
        if (users_[slot] < 0 || (write && users_[slot] != 0))
            return nullptr;
        const std::size_t begin = schedule_.below(slot_size);
        o->size = std::min(o->size, slot_size - begin);
        o->offset = slot * slot_size + begin;
    }
    o->memory = std::make_unique<char[]>(o->size);
    if (o->what != action::read)
    {
        for (std::size_t i = 0; i != o->size; ++i)
            o->memory[i] = static_cast<char>(schedule_.below(256));
        o->written.assign(o->memory.get(), o->size);
    }
    return o;
}

void target::started(simulated_operation& o)
{
    schedule_.note("start", &o, "of", path(), "by descriptor", file().native_handle(), "kind",
                   static_cast<int>(o.what), "offset", o.offset, "size", o.size);
    outstanding_.push_back(&o);
    if (o.memory)
    {
        kernel_.watch(o.memory.get(), o.size, o.faults);
        if (is_serial(o))
            serial_.push_back(&o);
        else if (o.what == action::write)
            users_[o.offset / slot_size] = -1;
        else
            ++users_[o.offset / slot_size];
    }
}

void target::not_started(simulated_operation& o)
{
    outstanding_.erase(std::find(outstanding_.begin(), outstanding_.end(), &o));
    if (!o.memory)
        return;
    kernel_.unwatch(o.memory.get());
    if (is_serial(o))
        serial_.pop_back();
    else if (o.what == action::write)
        users_[o.offset / slot_size] = 0;
    else
        --users_[o.offset / slot_size];
    o.memory.reset();
}

void target::fail(const simulated_operation& o, const std::string& what)
{
    static constexpr const char* names[] = {"read",     "write", "append", "sync_data",
                                            "sync_all", "open",  "close"};
    schedule_.fail(std::string(names[static_cast<int>(o.what)]) + " of " + std::to_string(o.size) +
                   " at " + std::to_string(o.offset) + ": " + o.error.message() + ", " +
                   std::to_string(o.transferred) + " bytes: " + what);
}

void target::completed(simulated_operation& o)
{
    schedule_.note("completed", &o, o.error.message(), o.transferred);
    outstanding_.erase(std::find(outstanding_.begin(), outstanding_.end(), &o));
    check_result(o);
    if (!o.memory)
        return;
    kernel_.unwatch(o.memory.get());
    if (!is_serial(o))
    {
        int& users = users_[o.offset / slot_size];
        users = o.what == action::write ? 0 : users - 1;
        apply(o);
        return;
    }
    while (!serial_.empty() && serial_.front()->completions != 0)
    {
        apply(*serial_.front());
        serial_.pop_front();
    }
}

void target::check_result(const simulated_operation& o)
{
    if (o.error == asio::error::operation_aborted)
    {
        if (!o.cancelled)
            fail(o, "nobody has cancelled it");
        if (o.transferred != 0)
            fail(o, "cancelled and transferred");
    }
    else if (o.error && o.error != asio::error::eof)
    {
        const int error = o.error.value();
        const bool sync = o.what == action::sync_data || o.what == action::sync_all;
        const bool made =
            sync ? kernel_.errors_of_syncs().count(error) != 0 : o.faults.errors.count(error) != 0;
        const bool no_helper = (error == EAGAIN && kernel_.rates().no_thread != 0) ||
                               (error == ENOMEM && kernel_.rates().no_memory != 0);
        if (!made && !no_helper)
            fail(o, "nothing has failed so");
    }
    else if (o.memory && o.error != asio::error::eof)
    {
        if (o.transferred == 0 || o.transferred > o.size)
            fail(o, "the count can't be");
    }
}

void target::apply(simulated_operation& o)
{
    if (!o.error || o.error == asio::error::eof)
    {
        if (kind_ == target_kind::stream)
            o.offset = position_;
        if (o.what == action::append)
            o.offset = content_.size();
        const std::size_t end = o.offset + o.transferred;
        if (o.what == action::read)
        {
            if (o.error == asio::error::eof ? o.offset < content_.size() : end > content_.size())
                fail(o, "the end of the file isn't there");
            if (content_.compare(o.offset, o.transferred, o.memory.get(), o.transferred) != 0)
                fail(o, "something else stands in the file");
        }
        else
        {
            if (content_.size() < end)
                content_.resize(end);
            content_.replace(o.offset, o.transferred, o.written, 0, o.transferred);
        }
        const bool at_the_end = o.what == action::read && end == content_.size();
        const bool kept_from_going_on = o.cancelled || !o.faults.errors.empty() ||
                                        kernel_.rates().no_thread != 0 ||
                                        kernel_.rates().no_memory != 0;
        if (o.transferred < o.size && !at_the_end && !o.faults.cut_short && !kept_from_going_on)
            fail(o, "nothing has cut it short");
        position_ = end;
    }
    o.memory.reset();
}

void target::check()
{
    std::string found(content_.size() + 1, '\0');
    const ::ssize_t size = ::pread(memory_file_, found.data(), found.size(), 0);
    found.resize(static_cast<std::size_t>(std::max<::ssize_t>(size, 0)));
    if (found.size() != content_.size())
        schedule_.fail("a file has " + std::to_string(found.size()) + " bytes instead of " +
                       std::to_string(content_.size()));
    const auto different = std::mismatch(found.begin(), found.end(), content_.begin()).first;
    if (different != found.end())
        schedule_.fail("a file is wrong at " + std::to_string(different - found.begin()));
    if (stream_ && stream_->is_open() && stream_->seek(0, kaio::file_base::seek_cur) != position_)
        schedule_.fail("the position is " +
                       std::to_string(stream_->seek(0, kaio::file_base::seek_cur)) +
                       " instead of " + std::to_string(position_));
}

} // namespace test
} // namespace kaio
