//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

#ifndef KAIO_BENCH_TCP_ECHO_HPP
#define KAIO_BENCH_TCP_ECHO_HPP

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>

namespace bench {

/// A TCP session over loopback, both ends on one io_context: the client sends a message, the server
/// echoes it, and so on, as fast as the loop lets them.
class tcp_echo
{
public:
    explicit tcp_echo(boost::asio::io_context& context) : client_(context), server_(context)
    {
        using boost::asio::ip::tcp;
        tcp::acceptor acceptor(context, {boost::asio::ip::address_v4::loopback(), 0});
        client_.connect(acceptor.local_endpoint());
        acceptor.accept(server_);
        client_.set_option(tcp::no_delay(true));
        server_.set_option(tcp::no_delay(true));
    }

    void start()
    {
        serve();
        send();
    }

    /// Ends the session; what is outstanding is aborted.
    void stop()
    {
        client_.close();
        server_.close();
    }

    /// What ended the session, if that wasn't stop().
    boost::system::error_code failure() const noexcept
    {
        return failure_;
    }

    std::uint64_t round_trips() const noexcept
    {
        return round_trips_;
    }

private:
    void serve()
    {
        server_.async_read_some(boost::asio::buffer(echo_),
                                [this](boost::system::error_code ec, std::size_t size) {
                                    if (goes_on(ec))
                                        answer(size);
                                });
    }

    void answer(std::size_t size)
    {
        boost::asio::async_write(server_, boost::asio::buffer(echo_, size),
                                 [this](boost::system::error_code ec, std::size_t) {
                                     if (goes_on(ec))
                                         serve();
                                 });
    }

    void send()
    {
        boost::asio::async_write(client_, boost::asio::buffer(message_),
                                 [this](boost::system::error_code ec, std::size_t) {
                                     if (goes_on(ec))
                                         receive();
                                 });
    }

    void receive()
    {
        boost::asio::async_read(client_, boost::asio::buffer(message_),
                                [this](boost::system::error_code ec, std::size_t) {
                                    if (!goes_on(ec))
                                        return;
                                    ++round_trips_;
                                    send();
                                });
    }

    bool goes_on(boost::system::error_code ec)
    {
        if (ec && client_.is_open())
        {
            failure_ = ec;
            stop();
        }
        return client_.is_open();
    }

    boost::asio::ip::tcp::socket client_;
    boost::asio::ip::tcp::socket server_;
    std::array<char, 64> message_{};
    std::array<char, 64> echo_{};
    std::uint64_t round_trips_ = 0;
    boost::system::error_code failure_;
};

} // namespace bench

#endif // KAIO_BENCH_TCP_ECHO_HPP
