//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_TEST_SUPPORT_TRACKING_EXECUTOR_HPP
#define KAIO_TEST_SUPPORT_TRACKING_EXECUTOR_HPP

#include <algorithm>
#include <boost/asio/execution.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>
#include <type_traits>
#include <utility>
#include <vector>

namespace kaio {
namespace test {

/// The executors on which this thread is just now, by their numbers, the innermost last.
inline std::vector<int>& current_executors()
{
    static thread_local std::vector<int> value;
    return value;
}

/// Whether this thread runs a function of the tracking executor with this number.
inline bool running_on(int id)
{
    const std::vector<int>& current = current_executors();
    return std::find(current.begin(), current.end(), id) != current.end();
}

/// An executor that says where it runs its functions.
template <typename Executor>
class tracking_executor
{
public:
    tracking_executor(int id, const Executor& inner) noexcept : inner_(inner), id_(id)
    {
    }

    int id() const noexcept
    {
        return id_;
    }

    template <typename Property,
              std::enable_if_t<boost::asio::can_query<const Executor&, Property>::value, int> = 0>
    decltype(auto) query(const Property& property) const
    {
        return boost::asio::query(inner_, property);
    }

    template <typename Property,
              std::enable_if_t<boost::asio::can_require<const Executor&, Property>::value, int> = 0>
    auto require(const Property& property) const
    {
        return rebind(boost::asio::require(inner_, property));
    }

    template <typename Property,
              std::enable_if_t<boost::asio::can_prefer<const Executor&, Property>::value, int> = 0>
    auto prefer(const Property& property) const
    {
        return rebind(boost::asio::prefer(inner_, property));
    }

    template <typename Function>
    void execute(Function&& function) const
    {
        inner_.execute(
            [id = id_, f = std::decay_t<Function>(std::forward<Function>(function))]() mutable {
                const scope inside(id);
                std::move(f)();
            });
    }

    friend bool operator==(const tracking_executor& a, const tracking_executor& b) noexcept
    {
        return a.id_ == b.id_ && a.inner_ == b.inner_;
    }

    friend bool operator!=(const tracking_executor& a, const tracking_executor& b) noexcept
    {
        return !(a == b);
    }

private:
    class scope
    {
    public:
        explicit scope(int id)
        {
            current_executors().push_back(id);
        }

        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;

        ~scope()
        {
            current_executors().pop_back();
        }
    };

    template <typename Inner>
    tracking_executor<std::decay_t<Inner>> rebind(Inner&& inner) const
    {
        return {id_, std::forward<Inner>(inner)};
    }

    Executor inner_;
    int id_;
};

template <typename Executor>
tracking_executor(int, const Executor&) -> tracking_executor<Executor>;

} // namespace test
} // namespace kaio

#endif // KAIO_TEST_SUPPORT_TRACKING_EXECUTOR_HPP
