// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/systemd/watchdog.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/number.hpp"
#include "host/os/timers.hpp"
#include "host/os/unix_socket.hpp"

namespace vpnha::adapters {

namespace {

constexpr const char* kSocketName = "NOTIFY_SOCKET";
constexpr const char* kLimitName = "WATCHDOG_USEC";
constexpr std::string_view kSign = "WATCHDOG=1";
// Half of the limit is what sd_watchdog_enabled(3) asks for.
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
    take("WATCHDOG_PID");
    if (socket.empty() || !limit || *limit == 0) {
        return std::nullopt;
    }
    return Wish{socket, std::chrono::microseconds(*limit)};
}

Result<std::unique_ptr<Watchdog>> Watchdog::start(QbLoop& loop, const Wish& wish) {
    VPNHA_TRY(const sockaddr_un address, unix_address(wish.socket));
    UniqueFd to(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!to ||
        ::connect(to.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return tl::unexpected(system_error("connecting to " + wish.socket, errno));
    }
    return std::unique_ptr<Watchdog>(new Watchdog(loop, std::move(to), wish.limit / kSignsInTime));
}

Watchdog::Watchdog(QbLoop& loop, UniqueFd to, Duration pause)
    : loop_(loop), to_(std::move(to)), pause_(pause) {
    sign();
}

Watchdog::~Watchdog() {
    loop_.cancel_timer(runtime::kWatchdogTimer);
}

void Watchdog::sign() {
    // A systemd that stands still is not waited for: it does not watch, either.
    static_cast<void>(::send(to_.get(), kSign.data(), kSign.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    loop_.set_timer(runtime::kWatchdogTimer, QbLoop::now() + pause_, [this] { sign(); });
}

}  // namespace vpnha::adapters
