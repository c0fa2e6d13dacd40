//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SIMULATION_TARGET_HPP
#define KAIO_TEST_SIMULATION_TARGET_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <kaio/kaio.hpp>

#include "kernel.hpp"

namespace kaio {
namespace test {

enum class target_kind
{
    random_access,
    append_only,
    stream
};

enum class action
{
    read,
    write,
    append,
    sync_data,
    sync_all,
    open,
    close
};

class target;

/// One operation: what was asked for, and what became of it.
struct simulated_operation
{
    target* file = nullptr;
    action what = action::read;
    std::uint64_t offset = 0;
    std::size_t size = 0;

    // Freed when the operation has completed: whoever touches it later is found out.
    std::unique_ptr<char[]> memory;
    std::string written;
    transfer_faults faults;
    boost::asio::cancellation_signal signal;

    bool cancelled = false;
    int completions = 0;
    boost::system::error_code error;
    std::size_t transferred = 0;
};

/// A file, what must be in it, and the object by which the life uses it.
class target
{
public:
    static constexpr std::size_t slot_size = 512;
    static constexpr std::size_t slots = 16;

    target(schedule& s, kernel& k, target_kind kind, bool direct,
           const boost::asio::any_io_executor& executor);
    ~target();

    target(const target&) = delete;
    target& operator=(const target&) = delete;

    target_kind kind() const
    {
        return kind_;
    }

    kaio::basic_file<boost::asio::any_io_executor>& file();

    kaio::random_access_file& random_access()
    {
        return *random_access_;
    }

    kaio::stream_file& stream()
    {
        return *stream_;
    }

    /// Draw a transfer, unless all slots are in use.
    std::unique_ptr<simulated_operation> draw();

    /// An operation that was drawn is about to be started.
    void started(simulated_operation& o);

    /// It could not be started.
    void not_started(simulated_operation& o);

    /// It has completed, with the result that it holds.
    void completed(simulated_operation& o);

    const std::vector<simulated_operation*>& outstanding() const
    {
        return outstanding_;
    }

    /// From now on they may complete with operation_aborted.
    void cancelled();

    /// Give the object a descriptor, if it has none.
    void open();

    /// A path for opening the file.
    std::string path() const;

    /// The object has been given a descriptor by path().
    void opened();

    /// The object has lost its descriptor. Somebody else takes its number, if it is free.
    void closed();

    void release_and_assign();

    /// As by F_SETFL.
    void change_direct();

    /// Whether the object is being opened or closed.
    bool busy = false;

    /// Compare the file with what must be in it.
    void check();

    void destroy_object();

private:
    void check_result(const simulated_operation& o);
    void apply(simulated_operation& o);
    [[noreturn]] void fail(const simulated_operation& o, const std::string& what);

    bool is_serial(const simulated_operation& o) const
    {
        return kind_ == target_kind::stream || o.what == action::append;
    }

    schedule& schedule_;
    kernel& kernel_;
    const target_kind kind_;
    bool direct_;
    int memory_file_ = -1;
    std::string content_;
    std::uint64_t position_ = 0;
    std::vector<int> users_ = std::vector<int>(slots);
    std::vector<simulated_operation*> outstanding_;

    // In the order in which they were started. What they did is known when all before them have ended.
    std::deque<simulated_operation*> serial_;
    std::vector<int> strangers_;
    std::unique_ptr<kaio::random_access_file> random_access_;
    std::unique_ptr<kaio::stream_file> stream_;
};

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SIMULATION_TARGET_HPP
