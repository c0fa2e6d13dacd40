//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_EXAMPLE_CONTENDER_PROGRAM_HPP
#define KAIO_EXAMPLE_CONTENDER_PROGRAM_HPP

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>

#include "descriptor.hpp"

/// A contender that is a program of its own, next to this one.
class contender_program
{
public:
    /// Exit codes of such a program. It prints a line: figures with the first, else a message.
    enum exit_code
    {
        measured = 0,
        failed = 1,
        not_available = 2
    };

    struct outcome
    {
        int exit_code;
        std::string output;
    };

    explicit contender_program(const char* name)
      : path_(std::filesystem::read_symlink("/proc/self/exe").replace_filename(name))
    {
    }

    bool exists() const
    {
        return std::filesystem::exists(path_);
    }

    outcome run(std::string argument) const
    {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0)
            bench::throw_errno("pipe");
        const bench::descriptor output(ends[0]);
        const pid_t child = start(std::move(argument), bench::descriptor(ends[1]));
        std::string text = read_all(output);
        return {wait(child), std::move(text)};
    }

private:
    pid_t start(std::string argument, const bench::descriptor& output) const
    {
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, output.get(), STDOUT_FILENO);
        std::string program = path_;
        char* const arguments[] = {program.data(), argument.data(), nullptr};
        pid_t child = 0;
        errno = ::posix_spawn(&child, path_.c_str(), &actions, nullptr, arguments, environ);
        ::posix_spawn_file_actions_destroy(&actions);
        if (errno != 0)
            bench::throw_errno("cannot run " + path_.string());
        return child;
    }

    static std::string read_all(const bench::descriptor& output)
    {
        std::string text;
        std::array<char, 4096> buffer;
        for (ssize_t n = 0; (n = ::read(output.get(), buffer.data(), buffer.size())) > 0;)
            text.append(buffer.data(), static_cast<std::size_t>(n));
        return text.substr(0, text.find('\n'));
    }

    static int wait(pid_t child)
    {
        int status = 0;
        while (::waitpid(child, &status, 0) < 0 && errno == EINTR)
        {
        }
        return WIFEXITED(status) ? WEXITSTATUS(status) : failed;
    }

    std::filesystem::path path_;
};

#endif // KAIO_EXAMPLE_CONTENDER_PROGRAM_HPP
