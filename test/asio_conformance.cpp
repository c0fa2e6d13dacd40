//
// Copyright (c) 2026 The kaio authors
// SPDX-License-Identifier: BSL-1.0
//

// The signatures of Asio's file classes, as its reference states them: types, constness, noexcept,
// explicitness. Compiled for kaio's classes; and, with ASIO_REFERENCE, for Asio's own, which shows
// that the list is right. There is nothing to run: what compiles conforms.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <future>
#include <string>
#include <type_traits>
#include <utility>

#if defined(ASIO_REFERENCE)
#include <boost/asio/random_access_file.hpp>
#include <boost/asio/stream_file.hpp>
namespace tested = boost::asio;
#else
#include <kaio/kaio.hpp>
namespace tested = kaio;
#endif

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::is_constructible_v;
using std::is_convertible_v;
using std::is_same_v;
using flags = tested::file_base::flags;
using seek_basis = tested::file_base::seek_basis;

#if defined(BOOST_ASIO_NO_DEPRECATED)
using sync_op_void = void;
#else
using sync_op_void = error_code;
#endif

// Whether a function that takes an F can be called with {arguments ...}.
template <typename F>
void take(F);

template <typename F, typename = void, typename... Arguments>
struct implicitly_constructible_test : std::false_type
{
};

template <typename F, typename... Arguments>
struct implicitly_constructible_test<
    F, std::void_t<decltype(take<F>({std::declval<Arguments>()...}))>, Arguments...>
  : std::true_type
{
};

template <typename F, typename... Arguments>
constexpr bool implicitly_constructible =
    implicitly_constructible_test<F, void, Arguments...>::value;

// Whether an argument can be passed where the signature says so.
template <typename To, typename From>
constexpr bool explicitly = is_constructible_v<To, From> && !is_convertible_v<From, To>;

// file_base.
static_assert(std::is_enum_v<flags> && is_convertible_v<flags, int>, "unscoped");
static_assert(tested::file_base::read_only == O_RDONLY &&
              tested::file_base::write_only == O_WRONLY &&
              tested::file_base::read_write == O_RDWR && tested::file_base::append == O_APPEND &&
              tested::file_base::create == O_CREAT && tested::file_base::exclusive == O_EXCL &&
              tested::file_base::truncate == O_TRUNC &&
              tested::file_base::sync_all_on_write == O_SYNC);
static_assert(tested::file_base::seek_set == SEEK_SET && tested::file_base::seek_cur == SEEK_CUR &&
              tested::file_base::seek_end == SEEK_END);
static_assert(is_same_v<decltype(flags() & flags()), flags> &&
              is_same_v<decltype(flags() | flags()), flags> &&
              is_same_v<decltype(flags() ^ flags()), flags> &&
              is_same_v<decltype(~flags()), flags>);
static_assert(is_same_v<decltype(std::declval<flags&>() &= flags()), flags&> &&
              is_same_v<decltype(std::declval<flags&>() |= flags()), flags&> &&
              is_same_v<decltype(std::declval<flags&>() ^= flags()), flags&>);
static_assert(!std::is_destructible_v<tested::file_base>, "protected");
static_assert(!std::is_destructible_v<tested::basic_file<>>, "protected");

// All file classes have these members. Some are inherited.
template <typename File, typename Executor, typename Narrow, bool ExplicitToTheEnd>
constexpr bool file_conforms()
{
    using context = asio::io_context;
    using handle = typename File::native_handle_type;
    static_assert(is_same_v<typename File::executor_type, Executor>);
    static_assert(is_same_v<handle, int>);
    static_assert(std::is_base_of_v<tested::file_base, File>);
    static_assert(std::is_base_of_v<tested::basic_file<Executor>, File>);

    // Constructors. That with one argument is explicit.
    static_assert(explicitly<File, const Executor&>);
    static_assert(explicitly<File, context&>);
    static_assert(is_constructible_v<File, const Executor&, const char*, flags>);
    static_assert(is_constructible_v<File, context&, const char*, flags>);
    static_assert(is_constructible_v<File, const Executor&, const std::string&, flags>);
    static_assert(is_constructible_v<File, context&, const std::string&, flags>);
    static_assert(is_constructible_v<File, const Executor&, const handle&>);
    static_assert(is_constructible_v<File, context&, const handle&>);
    static_assert(implicitly_constructible<File, const Executor&, const char*, flags> !=
                  ExplicitToTheEnd);
    static_assert(implicitly_constructible<File, const Executor&, const std::string&, flags> !=
                  ExplicitToTheEnd);
    static_assert(implicitly_constructible<File, context&, const char*, flags> != ExplicitToTheEnd);
    static_assert(implicitly_constructible<File, context&, const std::string&, flags> !=
                  ExplicitToTheEnd);
    static_assert(implicitly_constructible<File, const Executor&, const handle&>);
    static_assert(implicitly_constructible<File, context&, const handle&>);
    static_assert(!is_constructible_v<File>);
    static_assert(!is_constructible_v<File, int>);
    static_assert(!is_constructible_v<File, std::string&>, "no execution context");
    static_assert(!is_constructible_v<File, const Executor&, const char*>, "no default flags");

    // Moves.
    static_assert(std::is_nothrow_move_constructible_v<File>);
    static_assert(std::is_move_assignable_v<File> && !std::is_nothrow_move_assignable_v<File>);
    static_assert(is_same_v<decltype(std::declval<File&>() = std::declval<File&&>()), File&>);
    static_assert(!std::is_copy_constructible_v<File> && !std::is_copy_assignable_v<File>);
    static_assert(is_convertible_v<Narrow&&, File>);
    static_assert(!std::is_nothrow_constructible_v<File, Narrow&&>);
    static_assert(is_same_v<decltype(std::declval<File&>() = std::declval<Narrow&&>()), File&>);
    static_assert(!is_constructible_v<Narrow, File&&>, "the executor doesn't convert");
    static_assert(!std::is_assignable_v<Narrow&, File&&>);

    // Members: the casts compile only for exactly these.
    static_assert(noexcept(std::declval<File&>().get_executor()));
    static_cast<void>(static_cast<const Executor& (File::*)() noexcept>(&File::get_executor));
    static_cast<void>(static_cast<void (File::*)(const char*, flags)>(&File::open));
    static_cast<void>(
        static_cast<sync_op_void (File::*)(const char*, flags, error_code&)>(&File::open));
    static_cast<void>(static_cast<void (File::*)(const std::string&, flags)>(&File::open));
    static_cast<void>(
        static_cast<sync_op_void (File::*)(const std::string&, flags, error_code&)>(&File::open));
    static_cast<void>(static_cast<void (File::*)(const handle&)>(&File::assign));
    static_cast<void>(
        static_cast<sync_op_void (File::*)(const handle&, error_code&)>(&File::assign));
    static_cast<void>(static_cast<bool (File::*)() const>(&File::is_open));
    static_cast<void>(static_cast<void (File::*)()>(&File::close));
    static_cast<void>(static_cast<sync_op_void (File::*)(error_code&)>(&File::close));
    static_cast<void>(static_cast<handle (File::*)()>(&File::release));
    static_cast<void>(static_cast<handle (File::*)(error_code&)>(&File::release));
    static_cast<void>(static_cast<handle (File::*)()>(&File::native_handle));
    static_cast<void>(static_cast<void (File::*)()>(&File::cancel));
    static_cast<void>(static_cast<sync_op_void (File::*)(error_code&)>(&File::cancel));
    static_cast<void>(static_cast<std::uint64_t (File::*)() const>(&File::size));
    static_cast<void>(static_cast<std::uint64_t (File::*)(error_code&) const>(&File::size));
    static_cast<void>(static_cast<void (File::*)(std::uint64_t)>(&File::resize));
    static_cast<void>(
        static_cast<sync_op_void (File::*)(std::uint64_t, error_code&)>(&File::resize));
    static_cast<void>(static_cast<void (File::*)()>(&File::sync_all));
    static_cast<void>(static_cast<sync_op_void (File::*)(error_code&)>(&File::sync_all));
    static_cast<void>(static_cast<void (File::*)()>(&File::sync_data));
    static_cast<void>(static_cast<sync_op_void (File::*)(error_code&)>(&File::sync_data));
    return true;
}

// basic_file itself, whose destructor is protected.
template <typename Executor>
struct plain_file : tested::basic_file<Executor>
{
    using tested::basic_file<Executor>::basic_file;
    plain_file(plain_file&&) = default;
    plain_file& operator=(plain_file&&) = default;

    template <typename Executor1, std::enable_if_t<std::is_convertible_v<Executor1, Executor> &&
                                                       !is_same_v<Executor1, Executor>,
                                                   int> = 0>
    plain_file(plain_file<Executor1>&& other) : tested::basic_file<Executor>(std::move(other))
    {
    }

    template <typename Executor1, std::enable_if_t<std::is_convertible_v<Executor1, Executor> &&
                                                       !is_same_v<Executor1, Executor>,
                                                   int> = 0>
    plain_file& operator=(plain_file<Executor1>&& other)
    {
        tested::basic_file<Executor>::operator=(std::move(other));
        return *this;
    }
};

using any = asio::any_io_executor;
using narrow = asio::io_context::executor_type;
using random_access = tested::basic_random_access_file<narrow>;
using stream = tested::basic_stream_file<narrow>;

static_assert(is_same_v<tested::random_access_file, tested::basic_random_access_file<any>>);
static_assert(is_same_v<tested::stream_file, tested::basic_stream_file<any>>);
static_assert(is_same_v<tested::basic_file<>, tested::basic_file<any>>);
static_assert(file_conforms<plain_file<any>, any, plain_file<narrow>, true>());
static_assert(file_conforms<tested::random_access_file, any, random_access, false>());
static_assert(file_conforms<tested::stream_file, any, stream, false>());
static_assert(
    is_same_v<tested::basic_file<>::rebind_executor<narrow>::other, tested::basic_file<narrow>>);
static_assert(is_same_v<tested::random_access_file::rebind_executor<narrow>::other, random_access>);
static_assert(is_same_v<tested::stream_file::rebind_executor<narrow>::other, stream>);
static_assert(is_constructible_v<tested::random_access_file, asio::thread_pool&>);
static_assert(!is_constructible_v<random_access, tested::stream_file&&>);
static_assert(!is_constructible_v<tested::stream_file, tested::random_access_file&&>);

// Reading and writing.
using mutable_buffer = asio::mutable_buffer;
using const_buffer = asio::const_buffer;

template <typename File>
constexpr bool transfers_at_conform()
{
    static_cast<void>(static_cast<std::size_t (File::*)(std::uint64_t, const const_buffer&)>(
        &File::write_some_at));
    static_cast<void>(
        static_cast<std::size_t (File::*)(std::uint64_t, const const_buffer&, error_code&)>(
            &File::write_some_at));
    static_cast<void>(static_cast<std::size_t (File::*)(std::uint64_t, const mutable_buffer&)>(
        &File::read_some_at));
    static_cast<void>(
        static_cast<std::size_t (File::*)(std::uint64_t, const mutable_buffer&, error_code&)>(
            &File::read_some_at));
    static_assert(is_same_v<decltype(std::declval<File&>().async_read_some_at(
                                0, std::declval<mutable_buffer>(), asio::use_future)),
                            std::future<std::size_t>>);
    static_assert(is_same_v<decltype(std::declval<File&>().async_write_some_at(
                                0, std::declval<const_buffer>(), asio::use_future)),
                            std::future<std::size_t>>);
    static_assert(is_same_v<decltype(std::declval<File&>().async_read_some_at(
                                0, std::declval<mutable_buffer>(),
                                std::declval<void (*)(error_code, std::size_t)>())),
                            void>);
    return true;
}

template <typename File>
constexpr bool transfers_conform()
{
    static_cast<void>(static_cast<std::uint64_t (File::*)(std::int64_t, seek_basis)>(&File::seek));
    static_cast<void>(
        static_cast<std::uint64_t (File::*)(std::int64_t, seek_basis, error_code&)>(&File::seek));
    static_cast<void>(static_cast<std::size_t (File::*)(const const_buffer&)>(&File::write_some));
    static_cast<void>(
        static_cast<std::size_t (File::*)(const const_buffer&, error_code&)>(&File::write_some));
    static_cast<void>(static_cast<std::size_t (File::*)(const mutable_buffer&)>(&File::read_some));
    static_cast<void>(
        static_cast<std::size_t (File::*)(const mutable_buffer&, error_code&)>(&File::read_some));
    static_assert(is_same_v<decltype(std::declval<File&>().async_read_some(
                                std::declval<mutable_buffer>(), asio::use_future)),
                            std::future<std::size_t>>);
    static_assert(is_same_v<decltype(std::declval<File&>().async_write_some(
                                std::declval<const_buffer>(), asio::use_future)),
                            std::future<std::size_t>>);
    return true;
}

static_assert(transfers_at_conform<tested::random_access_file>());
static_assert(transfers_at_conform<random_access>());
static_assert(transfers_conform<tested::stream_file>());
static_assert(transfers_conform<stream>());

// A token that takes nothing of the kind is no match: the functions can be used in SFINAE.
struct no_token
{
};

template <typename File, typename Token, typename = void>
struct can_start : std::false_type
{
};

template <typename File, typename Token>
struct can_start<File, Token,
                 std::void_t<decltype(std::declval<File&>().async_read_some_at(
                     0, std::declval<mutable_buffer>(), std::declval<Token>()))>> : std::true_type
{
};

static_assert(can_start<tested::random_access_file, asio::deferred_t>::value);
#if defined(BOOST_ASIO_HAS_CONCEPTS)
static_assert(!can_start<tested::random_access_file, no_token>::value);
#endif

// Deduction of the executor's type.
[[maybe_unused]] void deduction(const any& executor, const std::string& path)
{
    tested::basic_stream_file file(executor, path, tested::stream_file::read_only);
    static_assert(is_same_v<decltype(file), tested::stream_file>);
    tested::basic_random_access_file other(executor, path, tested::stream_file::read_only);
    static_assert(is_same_v<decltype(other), tested::random_access_file>);
}

// An initiation has an executor, for which tokens may ask.
struct executor_token
{
};

template <typename Executor>
struct executor_found
{
};

// A class, because gcc 12 can't mangle a noexcept in the signature of executor_of().
template <typename Initiation, typename = void>
struct has_executor : std::false_type
{
};

template <typename Initiation>
struct has_executor<Initiation,
                    std::void_t<decltype(std::declval<const Initiation&>().get_executor())>>
  : std::bool_constant<noexcept(std::declval<const Initiation&>().get_executor()) &&
                       is_same_v<decltype(std::declval<const Initiation&>().get_executor()),
                                 const typename Initiation::executor_type&>>
{
};

template <typename Initiation>
auto executor_of(const Initiation&) -> executor_found<
    std::enable_if_t<has_executor<Initiation>::value, typename Initiation::executor_type>>
{
    return {};
}

[[maybe_unused]] void executor_of(...)
{
}

} // namespace

template <typename... Signatures>
class boost::asio::async_result<executor_token, Signatures...>
{
public:
    template <typename Initiation, typename... Arguments>
    static auto initiate(Initiation&& initiation, executor_token, Arguments&&...)
        -> decltype(executor_of(initiation))
    {
        return executor_of(initiation);
    }
};

static_assert(is_same_v<decltype(std::declval<random_access&>().async_read_some_at(
                            0, std::declval<mutable_buffer>(), executor_token())),
                        executor_found<narrow>>);
static_assert(is_same_v<decltype(std::declval<stream&>().async_write_some(
                            std::declval<const_buffer>(), executor_token())),
                        executor_found<narrow>>);

int main()
{
}
