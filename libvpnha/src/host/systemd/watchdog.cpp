// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/systemd/watchdog.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/number.hpp"
#include "host/os/timers.hpp"
#include "host/os/unix_socket.hpp"

namespace vpnha::adapters {

namespace {

constexpr const char* kSocketName = "NOTIFY_SOCKET";
constexpr const char* kLimitName = "WATCHDOG_USEC";
constexpr const char* kMainName = "WATCHDOG_PID";
constexpr std::string_view kSign = "WATCHDOG=1";
// sd_watchdog_enabled(3) recommends half of the limit.
constexpr int kSignsInTime = 4;

std::string take(const char* name) {
    // NOLINTBEGIN(concurrency-mt-unsafe): before there are threads.
    const char* const value = std::getenv(name);
    std::string taken = value == nullptr ? "" : value;
    ::unsetenv(name);
    // NOLINTEND(concurrency-mt-unsafe)
    return taken;
}

}  // namespace

std::optional<Watchdog::Wish> Watchdog::take_wish() {
    const std::string socket = take(kSocketName);
    const auto limit = parse_whole<std::uint64_t>(take(kLimitName));
    const auto main = parse_whole<pid_t>(take(kMainName));
    if (socket.empty() || !limit || *limit == 0) {
        return std::nullopt;
    }
    return Wish{socket, std::chrono::microseconds(*limit), main.value_or(::getpid())};
}

Result<std::unique_ptr<Watchdog>> Watchdog::start(QbLoop& loop, const Wish& wish) {
    VPNHA_TRY(const sockaddr_un address, unix_address(wish.socket));
    UniqueFd to(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!to ||
        ::connect(to.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return tl::unexpected(system_error("connecting to " + wish.socket, errno));
    }
    std::unique_ptr<Watchdog> watchdog(new Watchdog(loop, std::move(to), wish));
    VPNHA_CHECK(watchdog->sign());
    watchdog->sign_later();
    return watchdog;
}

Watchdog::Watchdog(QbLoop& loop, UniqueFd to, const Wish& wish)
    : loop_(loop), to_(std::move(to)), main_(wish.main), pause_(wish.limit / kSignsInTime) {}

Watchdog::~Watchdog() {
    loop_.cancel_timer(runtime::kWatchdogTimer);
}

Result<void> Watchdog::sign() {
    std::string text(kSign);
    iovec part{.iov_base = text.data(), .iov_len = text.size()};
    const ucred credentials{.pid = main_, .uid = ::getuid(), .gid = ::getgid()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof credentials)> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_CREDENTIALS;
    header->cmsg_len = CMSG_LEN(sizeof credentials);
    std::memcpy(CMSG_DATA(header), &credentials, sizeof credentials);
    // Does not wait for a systemd that hangs: it does not watch, either.
    if (::sendmsg(to_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN) {
        return tl::unexpected(system_error(
            fmt::format("a sign of life to systemd in the name of process {}", main_), errno));
    }
    return {};
}

void Watchdog::sign_later() {
    loop_.set_timer(runtime::kWatchdogTimer, QbLoop::now() + pause_, [this] {
        static_cast<void>(sign());  // A systemd that is absent does not watch.
        sign_later();
    });
}

}  // namespace vpnha::adapters
