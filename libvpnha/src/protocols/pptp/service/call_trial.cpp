// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/service/call_trial.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "host/os/network_descriptor.hpp"
#include "host/sockets/gre_socket.hpp"
#include "host/sockets/inet_socket.hpp"

namespace vpnha::adapters {

namespace {

using Clock = std::chrono::steady_clock;
using Step = pptp::TrialCall::Step;

constexpr std::uint16_t kControlPort = 1723;
// pptpctrl assigns 0 to 16 383: our packets to it are not taken for its own. A short call of one
// monitor and a long one of another may be under way between the same two addresses.
constexpr pptp::CallId kTrialCall{65'000};
constexpr pptp::CallId kLinkCall{65'001};
// The pause before a lost GRE packet is sent again.
constexpr std::chrono::milliseconds kAgain{400};

class Trial {
  public:
    Trial(const CallWish& wish, std::unique_ptr<pptp::TrialLink> link)
        : wish_(wish),
          begun_(Clock::now()),
          again_(begun_),
          end_(begun_ + wish.patience),
          call_(link != nullptr ? kLinkCall : kTrialCall, std::move(link)) {}

    TriedCall run() {
        Result<void> result = open();
        if (result) {
            done("connect");
            result = talk();
            send_packets();
            static_cast<void>(send(call_.closing_message()));
        }
        return {.steps = std::move(steps_), .result = std::move(result)};
    }

  private:
    Result<void> open() {
        VPNHA_CHECK(connect());
        sockaddr_in own{};
        socklen_t size = sizeof own;
        if (::getsockname(control_.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0) {
            return tl::unexpected(system_error("getsockname", errno));
        }
        VPNHA_TRY(UniqueFd gre, GreSocket::open(Ipv4Address{ntohl(own.sin_addr.s_addr)}));
        gre_.emplace(std::move(gre));
        return gre_->set_receiving(true);
    }

    Result<void> connect() {
        control_ = open_network_socket(AF_INET, SOCK_STREAM, 0);
        if (!control_) {
            return tl::unexpected(system_error("open a TCP socket", errno));
        }
        const auto left = std::chrono::ceil<std::chrono::microseconds>(end_ - Clock::now());
        const timeval patience{.tv_sec = left.count() / 1'000'000,
                               .tv_usec = left.count() % 1'000'000};
        // The route to an own address may prefer another own address as the source.
        const sockaddr_in from = to_sockaddr({wish_.source, 0});
        const sockaddr_in to = to_sockaddr({wish_.server, kControlPort});
        if (::setsockopt(control_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) !=
                0 ||
            ::bind(control_.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) {
            return tl::unexpected(system_error("bind to " + to_string(wish_.source), errno));
        }
        if (::connect(control_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
            // For a connection that nobody answers.
            const int error = errno == EINPROGRESS ? ETIMEDOUT : errno;
            return fail(
                Errc::unreachable,
                system_error("connect to " + to_string(Ipv4Endpoint{wish_.server, kControlPort}),
                             error)
                    .detail);
        }
        return {};
    }

    Result<void> talk() {
        VPNHA_CHECK(send(call_.request()));
        while (call_.step() != Step::over) {
            const Step before = call_.step();
            const std::string name(call_.step_name());
            const Clock::time_point now = Clock::now();
            if (now >= end_) {
                return fail(Errc::timeout, call_.missing());
            }
            if (now >= again_) {
                call_.repeat();
                again_ = now + kAgain;
            }
            send_packets();
            VPNHA_CHECK(receive(std::min(again_, end_) - now));
            if (call_.step() == Step::over || call_.step_name() != name) {
                done(name);
            }
            if (call_.step() != before) {
                VPNHA_CHECK(send(call_.request()));
            }
        }
        return {};
    }

    Result<void> send(const Bytes& message) {
        if (!message.empty() && ::send(control_.get(), message.data(), message.size(),
                                       MSG_NOSIGNAL) != static_cast<ssize_t>(message.size())) {
            return fail(Errc::unreachable, system_error("send to pptpd", errno).detail);
        }
        return {};
    }

    void send_packets() {
        for (const Bytes& packet : call_.take_packets()) {
            gre_->send(wish_.server, packet);
        }
        gre_->flush();
    }

    Result<void> receive(Clock::duration patience) {
        std::array<pollfd, 2> ready{{{control_.get(), POLLIN, 0}, {gre_->fd(), POLLIN, 0}}};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(patience);
        ::poll(ready.data(), ready.size(), static_cast<int>(left.count()));
        Result<void> taken;
        if (ready[1].revents != 0) {
            gre_->receive([this, &taken](Ipv4Address from, ByteView packet) {
                if (from == wish_.server && taken) {
                    taken = call_.on_packet(packet);
                }
            });
        }
        VPNHA_CHECK(taken);
        if (ready[0].revents == 0) {
            return {};
        }
        std::array<std::uint8_t, 512> part{};
        const ssize_t count = ::recv(control_.get(), part.data(), part.size(), 0);
        if (count <= 0) {
            return fail(Errc::unreachable, call_.missing() + ": it has closed the connection");
        }
        return call_.on_control(ByteView(part).first(static_cast<std::size_t>(count)));
    }

    void done(std::string step) {
        const Clock::time_point now = Clock::now();
        steps_.push_back({std::move(step), now - begun_});
        begun_ = now;
    }

    CallWish wish_;
    Clock::time_point begun_;  // The step.
    Clock::time_point again_;
    Clock::time_point end_;
    UniqueFd control_;
    std::optional<GreSocket> gre_;
    pptp::TrialCall call_;
    std::vector<CallStep> steps_;
};

}  // namespace

bool is_address_here(Ipv4Address address) {
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) {
        return false;
    }
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all(first, ::freeifaddrs);
    for (const ifaddrs* each = first; each != nullptr; each = each->ifa_next) {
        if (each->ifa_addr != nullptr && each->ifa_addr->sa_family == AF_INET &&
            ntohl(reinterpret_cast<const sockaddr_in*>(each->ifa_addr)->sin_addr.s_addr) ==
                address.value) {
            return true;
        }
    }
    return false;
}

TriedCall try_call(const CallWish& wish, std::unique_ptr<pptp::TrialLink> link) {
    return Trial(wish, std::move(link)).run();
}

}  // namespace vpnha::adapters
