//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "kernel.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "real_calls.hpp"

namespace kaio {
namespace test {
namespace {

kernel* current_kernel = nullptr;

// What the kernel puts at the address of a context.
struct ring
{
    std::uint32_t id;
    std::uint32_t size;
    std::uint32_t head;
    std::uint32_t tail;
    std::uint32_t magic;
    std::uint32_t compatible_features;
    std::uint32_t incompatible_features;
    std::uint32_t header_length;

    ::io_event* events()
    {
        return reinterpret_cast<::io_event*>(this + 1);
    }

    std::uint32_t used() const
    {
        const std::uint32_t begin = __atomic_load_n(&head, __ATOMIC_ACQUIRE);
        return (tail + size - begin) % size;
    }
};

// Out of the way of the numbers that programs are given.
constexpr int first_private_descriptor = 300;

// Linux looks at that when an operation is submitted.
bool allows(int descriptor, unsigned command)
{
    const int flags = KAIO_REAL(fcntl)(descriptor, F_GETFL, 0);
    if (flags == -1 || (flags & O_PATH) != 0)
        return false;
    const int access = flags & O_ACCMODE;
    if (command == IOCB_CMD_PREAD || command == IOCB_CMD_PREADV)
        return access != O_WRONLY;
    return command == IOCB_CMD_FSYNC || command == IOCB_CMD_FDSYNC || access != O_RDONLY;
}

std::uint64_t inode_of(int descriptor)
{
    struct stat status
    {
    };
    ::fstat(descriptor, &status);
    return status.st_ino;
}

enum class stage
{
    accepted,
    carried_out,
    reported
};

} // namespace

struct kernel::operation
{
    ::iocb block{};
    std::vector<::iovec> buffers;
    int descriptor = -1;
    stage at = stage::accepted;
    std::int64_t result = 0;
};

struct kernel::context
{
    explicit context(unsigned events, bool with_ring)
      : most(events), memory(sizeof(ring) + (events + 1) * sizeof(::io_event))
    {
        ring& r = the_ring();
        r.size = events + 1;
        r.magic = with_ring ? 0xa10a10a1 : 0;
        r.compatible_features = 1;
        r.header_length = sizeof(ring);
    }

    ring& the_ring()
    {
        return *reinterpret_cast<ring*>(memory.data());
    }

    // Those that are in the ring need their place still.
    std::size_t without_place() const
    {
        return static_cast<std::size_t>(
            std::count_if(operations.begin(), operations.end(),
                          [](const auto& o) { return o->at != stage::reported; }));
    }

    const unsigned most;
    std::vector<char> memory;
    std::vector<std::unique_ptr<operation>> operations;
};

kernel::kernel(schedule& s) : schedule_(s)
{
    current_kernel = this;
    schedule_.set_world([this] { return happens(); });
}

kernel::~kernel()
{
    schedule_.set_world(nullptr);
    current_kernel = nullptr;
}

kernel* kernel::current() noexcept
{
    return schedule::current() ? current_kernel : nullptr;
}

void kernel::set_direct(int descriptor, bool direct)
{
    if (direct)
    {
        direct_.insert(descriptor);
        were_direct_.insert(inode_of(descriptor));
    }
    else
        direct_.erase(descriptor);
}

void kernel::forbid(int descriptor)
{
    forbidden_.insert(descriptor);
}

void kernel::allow(int descriptor)
{
    forbidden_.erase(descriptor);
}

void kernel::watch(const void* memory, std::size_t size, transfer_faults& faults)
{
    const auto* const begin = static_cast<const char*>(memory);
    watched_[begin] = {begin + size, &faults};
}

void kernel::unwatch(const void* memory)
{
    watched_.erase(static_cast<const char*>(memory));
}

transfer_faults* kernel::faults_of(const ::iovec* buffers, int count)
{
    for (int i = 0; i != count; ++i)
    {
        if (buffers[i].iov_len == 0)
            continue;
        const auto* const begin = static_cast<const char*>(buffers[i].iov_base);
        auto position = watched_.upper_bound(begin);
        if (position == watched_.begin() || begin >= (--position)->second.end)
            schedule_.fail("memory is touched that belongs to no operation");
        return position->second.faults;
    }
    return nullptr;
}

void kernel::check_allowed(int descriptor) const
{
    if (forbidden_.count(descriptor) != 0)
        schedule_.fail("a descriptor is used that belongs to somebody else");
}

// AIO contexts.

int kernel::setup(unsigned events, ::aio_context_t* context_id)
{
    const memory_may_be_refused own_memory(false);
    if (schedule_.with_chance(rates_.no_aio))
        return -ENOSYS;
    auto created = std::make_unique<context>(events, schedule_.below(4) != 0);
    *context_id = reinterpret_cast<::aio_context_t>(created->memory.data());
    contexts_[*context_id] = std::move(created);
    return 0;
}

int kernel::destroy(::aio_context_t context_id)
{
    const auto position = contexts_.find(context_id);
    if (position == contexts_.end())
        schedule_.fail("io_destroy of a context that isn't there");
    context& c = *position->second;
    schedule_.wait_until("the operations of a context", [&c] { return c.operations.empty(); });
    contexts_.erase(position);
    return 0;
}

int kernel::submit(::aio_context_t context_id, long count, ::iocb** blocks)
{
    const memory_may_be_refused own_memory(false);
    schedule_.point();
    const auto position = contexts_.find(context_id);
    if (position == contexts_.end())
        schedule_.fail("io_submit into a context that isn't there");
    context& c = *position->second;
    long accepted = 0;
    int error = 0;
    for (; accepted != count; ++accepted)
    {
        const std::size_t used = c.without_place() + c.the_ring().used();
        if (used >= c.most || schedule_.with_chance(rates_.busy) ||
            (accepted != 0 && schedule_.with_chance(rates_.partial_submission)))
        {
            error = EAGAIN;
            break;
        }
        auto o = std::make_unique<operation>();
        o->block = *blocks[accepted];
        const int descriptor = static_cast<int>(o->block.aio_fildes);
        check_allowed(descriptor);
        if (!allows(descriptor, o->block.aio_lio_opcode))
        {
            error = EBADF;
            break;
        }
        o->descriptor = KAIO_REAL(fcntl)(descriptor, F_DUPFD_CLOEXEC, first_private_descriptor);
        const bool no_wait = (o->block.aio_rw_flags & RWF_NOWAIT) != 0;
        if (draw_once(refused_by_aio_, descriptor, rates_.refused_by_aio))
            error = EINVAL;
        else if (no_wait && draw_once(unknown_flag_, descriptor, rates_.unknown_flag))
            error = EOPNOTSUPP;
        if (error != 0)
        {
            ::close(o->descriptor);
            break;
        }
        const auto* memory = reinterpret_cast<::iovec*>(o->block.aio_buf);
        if (o->block.aio_lio_opcode == IOCB_CMD_PREADV ||
            o->block.aio_lio_opcode == IOCB_CMD_PWRITEV)
            o->buffers.assign(memory, memory + o->block.aio_nbytes);
        else
            o->buffers.push_back({reinterpret_cast<void*>(o->block.aio_buf), o->block.aio_nbytes});
        schedule_.note("io_submit takes", o.get(), "of descriptor", descriptor, "command",
                       o->block.aio_lio_opcode, "flags", o->block.aio_rw_flags);
        c.operations.push_back(std::move(o));
        while (schedule_.with_chance(rates_.within_submit) && happens_in(c))
        {
        }
    }
    schedule_.note("io_submit has taken", accepted, "of", count, "error", error);
    schedule_.point();
    return accepted != 0 ? static_cast<int>(accepted) : -error;
}

int kernel::get_events(::aio_context_t context_id, long minimum, long maximum, ::io_event* events)
{
    schedule_.point();
    const auto position = contexts_.find(context_id);
    if (position == contexts_.end())
        schedule_.fail("io_getevents of a context that isn't there");
    ring& r = position->second->the_ring();
    if (minimum != 0)
        schedule_.wait_until("an event", [&r] { return r.used() != 0; });
    long count = 0;
    for (; count != maximum && r.used() != 0; ++count)
    {
        events[count] = r.events()[r.head];
        r.head = (r.head + 1) % r.size;
    }
    return static_cast<int>(count);
}

// What happens by itself.

bool kernel::happens()
{
    std::vector<context*> able;
    for (const auto& c : contexts_)
        if (!c.second->operations.empty())
            able.push_back(c.second.get());
    return !able.empty() &&
           happens_in(*able[schedule_.below(static_cast<std::uint32_t>(able.size()))]);
}

bool kernel::happens_in(context& c)
{
    if (c.operations.empty())
        return false;
    const auto count = static_cast<std::uint32_t>(c.operations.size());
    const auto position = c.operations.begin() + schedule_.below(count);
    operation& o = **position;
    switch (o.at)
    {
    case stage::accepted:
        carry_out(o);
        o.at = stage::carried_out;
        break;
    case stage::carried_out:
        put_into_ring(c, o);
        o.at = stage::reported;
        break;
    case stage::reported:
        if ((o.block.aio_flags & IOCB_FLAG_RESFD) != 0)
            ::eventfd_write(static_cast<int>(o.block.aio_resfd), 1);
        c.operations.erase(position);
        break;
    }
    return true;
}

void kernel::put_into_ring(context& c, const operation& o)
{
    ring& r = c.the_ring();
    if (r.used() == r.size - 1)
        schedule_.fail("the ring is full");
    ::io_event& event = r.events()[r.tail];
    event.data = o.block.aio_data;
    event.obj = 0;
    event.res = o.result;
    event.res2 = 0;
    __atomic_store_n(&r.tail, (r.tail + 1) % r.size, __ATOMIC_RELEASE);
    if (schedule_.with_chance(rates_.signal_for_nothing))
        ::eventfd_write(static_cast<int>(o.block.aio_resfd), 1);
}

void kernel::carry_out(operation& o)
{
    const auto offset = o.block.aio_offset;
    const auto flags = static_cast<int>(o.block.aio_rw_flags);
    switch (o.block.aio_lio_opcode)
    {
    case IOCB_CMD_PREAD:
    case IOCB_CMD_PREADV:
    case IOCB_CMD_PWRITE:
    case IOCB_CMD_PWRITEV:
        o.result = perform(
            o.block.aio_lio_opcode == IOCB_CMD_PWRITE || o.block.aio_lio_opcode == IOCB_CMD_PWRITEV,
            o.descriptor, o.buffers.data(), static_cast<int>(o.buffers.size()), offset, flags);
        break;
    case IOCB_CMD_FSYNC:
    case IOCB_CMD_FDSYNC:
        o.result = perform_sync(o.descriptor, o.block.aio_lio_opcode == IOCB_CMD_FDSYNC);
        break;
    default:
        schedule_.fail("a command that kaio doesn't use");
    }
    ::close(o.descriptor);
    schedule_.note("carried out", &o, "result", o.result);
}

// Transfers.

// The same answer each time for one file.
bool kernel::draw_once(std::map<std::uint64_t, bool>& drawn, int descriptor, std::uint32_t percent)
{
    const std::uint64_t inode = inode_of(descriptor);
    const auto position = drawn.find(inode);
    if (position == drawn.end())
        return drawn[inode] = schedule_.with_chance(percent);
    return position->second;
}

std::int64_t kernel::perform(bool write, int descriptor, const ::iovec* buffers, int count,
                             std::int64_t offset, int flags)
{
    transfer_faults* const faults = faults_of(buffers, count);
    if ((flags & RWF_NOWAIT) != 0 && schedule_.with_chance(rates_.would_block))
        return -EAGAIN;
    if (faults && schedule_.with_chance(rates_.io_error))
    {
        const int error = write && schedule_.below(2) == 0 ? ENOSPC : EIO;
        faults->errors.insert(error);
        return -error;
    }
    std::vector<::iovec> some(buffers, buffers + count);
    if (faults && schedule_.with_chance(rates_.short_transfer))
    {
        // At least one byte of the first buffer that has any, and none behind the cut.
        const auto first =
            std::find_if(some.begin(), some.end(), [](const ::iovec& b) { return b.iov_len != 0; });
        const auto cut = first + schedule_.below(static_cast<std::uint32_t>(some.end() - first));
        // A count that equals the number of buffers must not be taken for all.
        const auto most = static_cast<std::uint32_t>(cut->iov_len);
        const auto number = static_cast<std::uint32_t>(count);
        if (most != 0)
            cut->iov_len =
                schedule_.below(4) == 0 ? std::min(most, number) : 1 + schedule_.below(most);
        some.erase(cut + 1, some.end());
        // What was cut short so as not to wait is completed by kaio. But a direct transfer that
        // ends within a sector has come to the end of the file.
        if ((flags & RWF_NOWAIT) == 0 || were_direct_.count(inode_of(descriptor)) != 0)
            faults->cut_short = true;
    }
    const int kept = flags & ~RWF_NOWAIT;
    const ::ssize_t result = write
                                 ? KAIO_REAL(pwritev2)(descriptor, some.data(),
                                                       static_cast<int>(some.size()), offset, kept)
                                 : KAIO_REAL(preadv2)(descriptor, some.data(),
                                                      static_cast<int>(some.size()), offset, kept);
    return result == -1 ? -errno : result;
}

::ssize_t kernel::transfer(bool write, int descriptor, const ::iovec* buffers, int count,
                           ::off_t offset, int flags)
{
    const memory_may_be_refused own_memory(false);
    schedule_.point();
    check_allowed(descriptor);
    std::int64_t result = -EOPNOTSUPP;
    if ((flags & RWF_NOWAIT) == 0 || !draw_once(unknown_flag_, descriptor, rates_.unknown_flag))
        result = perform(write, descriptor, buffers, count, offset, flags);
    schedule_.note(write ? "pwritev2" : "preadv2", "of descriptor", descriptor, "offset", offset,
                   "flags", flags, "result", result);
    schedule_.point();
    if (result >= 0)
        return result;
    errno = static_cast<int>(-result);
    return -1;
}

std::int64_t kernel::perform_sync(int descriptor, bool data)
{
    if (schedule_.with_chance(rates_.io_error))
    {
        errors_of_syncs_.insert(EIO);
        return -EIO;
    }
    const int result = data ? KAIO_REAL(fdatasync)(descriptor) : KAIO_REAL(fsync)(descriptor);
    return result == -1 ? -errno : 0;
}

int kernel::sync(int descriptor, bool data)
{
    const memory_may_be_refused own_memory(false);
    schedule_.point();
    check_allowed(descriptor);
    const std::int64_t result = perform_sync(descriptor, data);
    schedule_.point();
    if (result == 0)
        return 0;
    errno = static_cast<int>(-result);
    return -1;
}

int kernel::file_status_flags(int descriptor, int flags) const
{
    return direct_.count(descriptor) != 0 ? flags | O_DIRECT : flags;
}

bool kernel::holds_operations() const
{
    return std::any_of(contexts_.begin(), contexts_.end(),
                       [](const auto& c) { return c.second->without_place() != 0; });
}

bool kernel::refuses_memory()
{
    if (rates_.no_memory == 0 || schedule_.below(1000) >= rates_.no_memory)
        return false;
    schedule_.note("no memory");
    return true;
}

bool kernel::refuses_thread()
{
    return schedule_.with_chance(rates_.no_thread);
}

} // namespace test
} // namespace kaio
