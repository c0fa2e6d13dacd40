//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_DETAIL_OPERATION_SLOT_CANCELLATION_HPP
#define KAIO_DETAIL_OPERATION_SLOT_CANCELLATION_HPP

#include <boost/asio/cancellation_type.hpp>

#include <kaio/detail/asio.hpp>
#include <kaio/detail/context/dispatcher.hpp>
#include <kaio/detail/context/engine.hpp>

namespace kaio {
namespace detail {

/// What a cancellation slot holds: cancels its operation as long as that one waits in kaio.
class slot_cancellation
{
public:
    slot_cancellation(engine& e, dispatcher& d, operation_record& record) noexcept
      : engine_(e), dispatcher_(d)
    {
        engine_.connect(record, link_);
    }

    ~slot_cancellation()
    {
        if (link_.target.load(std::memory_order_acquire))
            engine_.disconnect(link_);
    }

    slot_cancellation(const slot_cancellation&) = delete;
    slot_cancellation& operator=(const slot_cancellation&) = delete;

    void operator()(asio::cancellation_type_t type)
    {
        // A finished operation may have taken the engine with it.
        if (!link_.target.load(std::memory_order_acquire))
            return;
        if ((type & asio::cancellation_type::all) != asio::cancellation_type::none &&
            engine_.cancel(link_))
            dispatcher_.schedule_turn();
    }

private:
    engine& engine_;
    dispatcher& dispatcher_;
    cancellation_link link_;
};

} // namespace detail
} // namespace kaio

#endif // KAIO_DETAIL_OPERATION_SLOT_CANCELLATION_HPP
