//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_LATENCY_HISTOGRAM_HPP
#define KAIO_BENCH_LATENCY_HISTOGRAM_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

/// Counts durations in buckets no wider than a 64th of the value, from 1 ns to 18 minutes.
class latency_histogram
{
public:
    void record(std::chrono::nanoseconds duration) noexcept
    {
        const auto value =
            static_cast<std::uint64_t>(std::clamp<std::int64_t>(duration.count(), 0, longest));
        ++buckets_[bucket_of(value)];
        ++count_;
        max_ = std::max(max_, value);
    }

    void clear() noexcept
    {
        std::fill(buckets_.begin(), buckets_.end(), 0);
        count_ = 0;
        max_ = 0;
    }

    void merge(const latency_histogram& other) noexcept
    {
        for (std::size_t i = 0; i != buckets_.size(); ++i)
            buckets_[i] += other.buckets_[i];
        count_ += other.count_;
        max_ = std::max(max_, other.max_);
    }

    std::uint64_t count() const noexcept
    {
        return count_;
    }

    std::chrono::nanoseconds max() const noexcept
    {
        return std::chrono::nanoseconds(max_);
    }

    /// The duration that this share of all (0 to 1) doesn't exceed; 0 if there are none.
    std::chrono::nanoseconds percentile(double share) const noexcept
    {
        const double wanted = share * static_cast<double>(count_);
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i != buckets_.size(); ++i)
        {
            seen += buckets_[i];
            if (seen != 0 && static_cast<double>(seen) >= wanted)
                return std::chrono::nanoseconds(std::min(last_value_of(i), max_));
        }
        return max();
    }

    /// Calls function(longest duration, count) for each bucket that holds something.
    template <typename Function>
    void for_each(Function function) const
    {
        for (std::size_t i = 0; i != buckets_.size(); ++i)
            if (buckets_[i] != 0)
                function(std::chrono::nanoseconds(std::min(last_value_of(i), max_)), buckets_[i]);
    }

private:
    // Values below 64 have a bucket each. Above, each doubling is divided into 64.
    static constexpr unsigned precision = 6;
    static constexpr std::uint64_t divisions = 1 << precision;
    static constexpr unsigned largest_shift = 33;
    static constexpr std::int64_t longest =
        (std::int64_t{1} << (largest_shift + precision + 1)) - 1;

    static std::size_t bucket_of(std::uint64_t value) noexcept
    {
        if (value < divisions)
            return value;
        const unsigned shift = 63U - static_cast<unsigned>(__builtin_clzll(value)) - precision;
        return shift * divisions + (value >> shift);
    }

    static std::uint64_t last_value_of(std::size_t bucket) noexcept
    {
        if (bucket < divisions)
            return bucket;
        const std::size_t shift = bucket / divisions - 1;
        return ((bucket - shift * divisions + 1) << shift) - 1;
    }

    std::vector<std::uint64_t> buckets_ =
        std::vector<std::uint64_t>((largest_shift + 2) * divisions);
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

} // namespace bench

#endif // KAIO_BENCH_LATENCY_HISTOGRAM_HPP
