//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_PROGRESS_BAR_HPP
#define KAIO_BENCH_PROGRESS_BAR_HPP

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <string>
#include <utility>

#include "bar.hpp"
#include "number_text.hpp"

namespace bench {

/// Shows on a terminal how far some work is, in a line that goes away at the end. Elsewhere nothing.
class progress_bar
{
public:
    explicit progress_bar(std::string what, double share = 0)
      : what_(std::move(what)), on_terminal_(::isatty(STDOUT_FILENO) != 0), share_(share)
    {
        show();
    }

    progress_bar(const progress_bar&) = delete;
    progress_bar& operator=(const progress_bar&) = delete;

    ~progress_bar()
    {
        if (on_terminal_)
            std::cout << "\r\x1b[K" << std::flush;
    }

    /// Cheap enough to be called for each operation. The share is from 0 to 1.
    void update(double share)
    {
        const clock::time_point now = clock::now();
        if (now - shown_ < std::chrono::milliseconds(100))
            return;
        shown_ = now;
        share_ = share;
        show();
    }

private:
    using clock = std::chrono::steady_clock;

    void show() const
    {
        if (on_terminal_)
            std::cout << "\r  " << what_ << "  |" << bar(share_, 30) << "| "
                      << rounded(share_ * 100) << " %\x1b[K" << std::flush;
    }

    std::string what_;
    bool on_terminal_;
    double share_;
    clock::time_point shown_;
};

} // namespace bench

#endif // KAIO_BENCH_PROGRESS_BAR_HPP
