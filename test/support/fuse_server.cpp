//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#include "fuse_server.hpp"

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <map>
#include <new>
#include <system_error>
#include <vector>

namespace kaio {
namespace test {

struct fuse_file_system::shared_state
{
    std::atomic<bool> hold{false};
    std::atomic<std::size_t> held{0};
};

// Runs in a process of its own, and ends when the test closes its end of the control socket.
class fuse_file_system::server
{
public:
    server(int device, int control, shared_state& state, bool asynchronous_direct_io)
      : device_(device), control_(control), state_(state),
        asynchronous_direct_io_(asynchronous_direct_io), buffer_(most_bytes + 4096)
    {
    }

    void run()
    {
        for (;;)
        {
            ::pollfd waits[] = {{device_, POLLIN, 0}, {control_, POLLIN, 0}};
            if (::poll(waits, 2, -1) == -1 && errno != EINTR)
                return;
            if (waits[1].revents != 0)
            {
                char byte;
                if (::read(control_, &byte, 1) != 1)
                    return;
                answer_held();
                if (::write(control_, &byte, 1) != 1)
                    return;
            }
            if ((waits[0].revents & POLLERR) != 0)
                return;
            if ((waits[0].revents & POLLIN) != 0)
                take();
        }
    }

private:
    static constexpr std::size_t most_bytes = 128 * 1024;

    struct node
    {
        std::string name;
        std::string contents;
    };

    void take()
    {
        const ::ssize_t size = ::read(device_, buffer_.data(), buffer_.size());
        if (size < static_cast<::ssize_t>(sizeof(::fuse_in_header)))
            return;
        const std::string request(buffer_.data(), static_cast<std::size_t>(size));
        if (is_to_be_held(request))
        {
            held_.push_back(request);
            state_.held = held_.size();
            return;
        }
        answer(request);
    }

    bool is_to_be_held(const std::string& request)
    {
        ::fuse_in_header in;
        std::memcpy(&in, request.data(), sizeof(in));
        const bool may_wait =
            in.opcode == FUSE_OPEN || in.opcode == FUSE_READ || in.opcode == FUSE_WRITE;
        return may_wait && state_.hold && nodes_[in.nodeid].name.compare(0, 4, "hung") == 0;
    }

    void answer_held()
    {
        std::deque<std::string> requests;
        if (!state_.hold)
            requests.swap(held_);
        state_.held = held_.size();
        for (const std::string& request : requests)
            answer(request);
    }

    template <typename Argument>
    static Argument argument(const std::string& request)
    {
        Argument result = {};
        const std::size_t size =
            std::min(sizeof(result), request.size() - sizeof(::fuse_in_header));
        std::memcpy(&result, request.data() + sizeof(::fuse_in_header), size);
        return result;
    }

    void reply(const ::fuse_in_header& in, int error, const void* data = nullptr,
               std::size_t size = 0)
    {
        ::fuse_out_header out = {};
        out.len = static_cast<std::uint32_t>(sizeof(out) + size);
        out.error = -error;
        out.unique = in.unique;
        const ::iovec parts[] = {{&out, sizeof(out)}, {const_cast<void*>(data), size}};
        if (::writev(device_, parts, 2) == -1)
            return; // Nobody waits any more.
    }

    ::fuse_attr attributes(std::uint64_t id)
    {
        ::fuse_attr result = {};
        result.ino = id;
        result.nlink = 1;
        result.mode = id == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644;
        result.size = nodes_[id].contents.size();
        result.blksize = 4096;
        return result;
    }

    void answer(const std::string& request)
    {
        ::fuse_in_header in;
        std::memcpy(&in, request.data(), sizeof(in));
        switch (in.opcode)
        {
        case FUSE_INIT:
            return initialise(in, argument<::fuse_init_in>(request));
        case FUSE_LOOKUP:
            return look_up(in, request.c_str() + sizeof(in));
        case FUSE_GETATTR:
        case FUSE_SETATTR:
        {
            if (in.opcode == FUSE_SETATTR)
            {
                const auto change = argument<::fuse_setattr_in>(request);
                if ((change.valid & FATTR_SIZE) != 0)
                    nodes_[in.nodeid].contents.resize(change.size);
            }
            ::fuse_attr_out out = {};
            out.attr = attributes(in.nodeid);
            return reply(in, 0, &out, sizeof(out));
        }
        case FUSE_OPEN:
        case FUSE_OPENDIR:
        {
            const ::fuse_open_out out = {};
            return reply(in, 0, &out, sizeof(out));
        }
        case FUSE_READ:
        {
            const auto what = argument<::fuse_read_in>(request);
            const std::string& contents = nodes_[in.nodeid].contents;
            const std::size_t begin = std::min<std::size_t>(what.offset, contents.size());
            const std::size_t size = std::min<std::size_t>(what.size, contents.size() - begin);
            return reply(in, 0, contents.data() + begin, size);
        }
        case FUSE_WRITE:
        {
            const auto what = argument<::fuse_write_in>(request);
            std::string& contents = nodes_[in.nodeid].contents;
            contents.resize(std::max<std::size_t>(contents.size(), what.offset + what.size));
            request.copy(&contents[what.offset], what.size, sizeof(in) + sizeof(::fuse_write_in));
            ::fuse_write_out out = {};
            out.size = what.size;
            return reply(in, 0, &out, sizeof(out));
        }
        case FUSE_FLUSH:
            return reply(in, nodes_[in.nodeid].name == "lost" ? EIO : 0);
        case FUSE_RELEASE:
        case FUSE_RELEASEDIR:
        case FUSE_FSYNC:
            return reply(in, 0);
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
        case FUSE_INTERRUPT:
            return;
        default:
            return reply(in, ENOSYS);
        }
    }

    void initialise(const ::fuse_in_header& in, const ::fuse_init_in& what)
    {
        ::fuse_init_out out = {};
        out.major = FUSE_KERNEL_VERSION;
        out.minor = std::min<std::uint32_t>(what.minor, FUSE_KERNEL_MINOR_VERSION);
        out.max_readahead = what.max_readahead;
        out.flags = FUSE_ASYNC_READ | FUSE_BIG_WRITES;
        if (asynchronous_direct_io_)
            out.flags |= FUSE_ASYNC_DIO;
        out.max_background = 1000;
        out.congestion_threshold = 1000;
        out.max_write = most_bytes;
        reply(in, 0, &out, sizeof(out));
    }

    void look_up(const ::fuse_in_header& in, const std::string& name)
    {
        if (name == "missing")
            return reply(in, ENOENT);
        std::uint64_t id = FUSE_ROOT_ID;
        for (const auto& [known, n] : nodes_)
        {
            if (n.name == name)
                id = known;
        }
        if (id == FUSE_ROOT_ID)
        {
            id = FUSE_ROOT_ID + 1 + nodes_.size();
            nodes_[id] = {name, pattern(0, file_size)};
        }
        ::fuse_entry_out out = {};
        out.nodeid = id;
        out.attr = attributes(id);
        reply(in, 0, &out, sizeof(out));
    }

    const int device_;
    const int control_;
    shared_state& state_;
    const bool asynchronous_direct_io_;
    std::vector<char> buffer_;
    std::map<std::uint64_t, node> nodes_;
    std::deque<std::string> held_;
};

fuse_file_system::fuse_file_system(bool asynchronous_direct_io)
  : state_(new (::mmap(nullptr, sizeof(shared_state), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0)) shared_state)
{
    const int device = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
    mount_ = std::make_unique<mounted>("kaio-test", "fuse", MS_NOSUID | MS_NODEV,
                                       "fd=" + std::to_string(device) +
                                           ",rootmode=40000,user_id=0,group_id=0,allow_other");
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
        throw std::system_error(errno, std::generic_category(), "socketpair");
    control_ = ends[0];
    process_ = ::fork();
    if (process_ == 0)
    {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::close(ends[0]);
        server(device, ends[1], *state_, asynchronous_direct_io).run();
        ::_exit(0);
    }
    ::close(ends[1]);
    ::close(device);
}

fuse_file_system::~fuse_file_system()
{
    die();
    mount_.reset();
    ::close(control_);
    ::munmap(state_, sizeof(shared_state));
}

std::string fuse_file_system::why_not()
{
    const int device = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (device == -1)
        return "/dev/fuse: " + std::generic_category().message(errno);
    ::close(device);
    return "";
}

void fuse_file_system::hold()
{
    state_->hold = true;
}

void fuse_file_system::release()
{
    state_->hold = false;
    char byte = 0;
    if (::write(control_, &byte, 1) != 1 || ::read(control_, &byte, 1) != 1)
        throw std::system_error(errno, std::generic_category(), "the server is gone");
}

std::size_t fuse_file_system::held() const
{
    return state_->held;
}

void fuse_file_system::die()
{
    if (process_ == -1)
        return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
}

} // namespace test
} // namespace kaio
