//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_READ_TABLE_HPP
#define KAIO_BENCH_READ_TABLE_HPP

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "bar.hpp"
#include "number_text.hpp"
#include "read_result.hpp"

namespace bench {

/// A table of contenders with a bar for each one's reads/s, and what the first gains over them.
class read_table
{
public:
    /// Add a contender, the one that the others are compared with first.
    void add(std::string contender, const read_figures& figures)
    {
        rows_.push_back({std::move(contender), figures, {}});
    }

    /// Add a contender that couldn't be measured.
    void add_missing(std::string contender, std::string reason)
    {
        rows_.push_back({std::move(contender), {}, std::move(reason)});
    }

    friend std::ostream& operator<<(std::ostream& os, const read_table& table)
    {
        table.print_figures(os);
        os << '\n';
        table.print_ratios(os);
        return os;
    }

private:
    struct row
    {
        std::string contender;
        read_figures figures;
        std::string missing;
    };

    static constexpr std::size_t bar_columns = 16;

    void print_figures(std::ostream& os) const
    {
        const double best = fastest();
        os << "  " << pad("", name_columns()) << right("reads/s", 10) << pad("", bar_columns + 2)
           << right("CPU us/read", 12) << right("p50 us", 9) << right("p99 us", 9)
           << right("p99.9 us", 10) << '\n';
        for (const row& r : rows_)
        {
            os << "  " << pad(r.contender, name_columns());
            if (r.missing.empty())
                print(os, r.figures, best);
            else
                os << "  not measured: " << r.missing;
            os << '\n';
        }
    }

    static void print(std::ostream& os, const read_figures& f, double best)
    {
        os << right(rounded(f.reads_per_second), 10) << "  "
           << bar(f.reads_per_second / best, bar_columns)
           << right(decimal(f.cpu_us_per_read, 1), 12) << right(rounded(f.p50_us), 9)
           << right(rounded(f.p99_us), 9) << right(rounded(f.p999_us), 10);
    }

    void print_ratios(std::ostream& os) const
    {
        const row& first = rows_.front();
        os << "  " << first.contender << ", compared with\n";
        for (const row& r : rows_)
            if (&r != &first && r.missing.empty())
                os << "    " << pad(r.contender, name_columns())
                   << ratio(first.figures.reads_per_second, r.figures.reads_per_second)
                   << " x the reads/s"
                   << ratio(first.figures.cpu_us_per_read, r.figures.cpu_us_per_read)
                   << " x the CPU per read\n";
    }

    static std::string ratio(double a, double b)
    {
        return right(decimal(a / b, 2), 8);
    }

    double fastest() const
    {
        double result = 0;
        for (const row& r : rows_)
            result = std::max(result, r.figures.reads_per_second);
        return result;
    }

    std::size_t name_columns() const
    {
        std::size_t result = 0;
        for (const row& r : rows_)
            result = std::max(result, r.contender.size());
        return result;
    }

    static std::string pad(std::string text, std::size_t columns)
    {
        text.resize(std::max(text.size(), columns), ' ');
        return text;
    }

    static std::string right(const std::string& text, std::size_t columns)
    {
        return std::string(columns - std::min(columns, text.size()), ' ') + text;
    }

    std::vector<row> rows_;
};

} // namespace bench

#endif // KAIO_BENCH_READ_TABLE_HPP
