// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/service/call_trial.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "host/os/network_descriptor.hpp"
#include "host/sockets/gre_socket.hpp"
#include "host/sockets/inet_socket.hpp"
#include "protocols/ppp/model/control_packet.hpp"
#include "protocols/pptp/model/control_message.hpp"
#include "protocols/pptp/model/gre.hpp"

namespace vpnha::adapters {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint16_t kControlPort = 1723;
// pptpctrl gives out 0 to 16 383: what we send to it is not taken for what comes.
constexpr pptp::CallId kTrialCall{65'000};
constexpr std::uint8_t kRequestId = 1;

class Trial {
  public:
    Trial(Ipv4Address server, Clock::time_point end) : server_(server), end_(end) {}

    Result<void> run() {
        VPNHA_CHECK(connect());
        VPNHA_TRY(UniqueFd gre, GreSocket::open(server_));
        gre_.emplace(std::move(gre));
        VPNHA_CHECK(gre_->hear(true));
        VPNHA_CHECK(say(pptp::build_start_request()));
        VPNHA_CHECK(hear_control(pptp::ControlType::start_reply, "greeting"));
        VPNHA_CHECK(say(pptp::build_call_request(kTrialCall)));
        VPNHA_TRY(const auto answered,
                  hear_control(pptp::ControlType::outgoing_call_reply, "answer to a call"));
        if (!answered || !answered->connected) {
            return fail(Errc::unreachable, "pptpd refuses calls");
        }
        VPNHA_CHECK(echo(answered->id));
        VPNHA_CHECK(say(pptp::build_call_clear_request(kTrialCall)));
        return say(pptp::build_stop_request());
    }

  private:
    Result<void> connect() {
        control_ = open_network_socket(AF_INET, SOCK_STREAM, 0);
        if (!control_) {
            return tl::unexpected(system_error("open a TCP socket", errno));
        }
        const auto left = std::chrono::ceil<std::chrono::microseconds>(end_ - Clock::now());
        const timeval patience{.tv_sec = left.count() / 1'000'000,
                               .tv_usec = left.count() % 1'000'000};
        // The route to an address of our own may prefer another one of ours.
        const sockaddr_in from = to_sockaddr({server_, 0});
        const sockaddr_in to = to_sockaddr({server_, kControlPort});
        if (::setsockopt(control_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) !=
                0 ||
            ::bind(control_.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
            ::connect(control_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
            return tl::unexpected(system_error(
                "connect to " + to_string(Ipv4Endpoint{server_, kControlPort}), errno));
        }
        return {};
    }

    Result<void> say(const Bytes& message) {
        if (::send(control_.get(), message.data(), message.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(message.size())) {
            return tl::unexpected(system_error("speak with pptpd", errno));
        }
        return {};
    }

    // False: the time is over.
    bool wait(int fd) const {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
        pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
        return left.count() > 0 && ::poll(&ready, 1, static_cast<int>(left.count())) == 1;
    }

    // What the message of that type says of a call.
    Result<std::optional<pptp::CallAnswer>> hear_control(pptp::ControlType type,
                                                         std::string_view what) {
        while (true) {
            std::size_t size = 0;
            VPNHA_TRY(const auto message, pptp::parse_control_message(stream_, size));
            if (message) {
                const bool found = message->type == type;
                const auto answer = pptp::call_answer(*message);
                stream_.erase(stream_.begin(), stream_.begin() + static_cast<std::ptrdiff_t>(size));
                if (found) {
                    return answer;
                }
                continue;
            }
            std::array<std::uint8_t, 512> part{};
            const ssize_t count =
                wait(control_.get()) ? ::recv(control_.get(), part.data(), part.size(), 0) : -1;
            if (count <= 0) {
                return fail(Errc::unreachable,
                            fmt::format("no {} of pptpd came{}", what,
                                        count == 0 ? ": it has closed the connection" : ""));
            }
            stream_.insert(stream_.end(), part.begin(), part.begin() + count);
        }
    }

    // An empty Configure-Request is answered by any LCP (RFC 1661 5.1).
    Result<void> echo(pptp::CallId call) {
        ByteWriter framing;
        framing.u16(pptp::kPppAddressControl);
        Bytes frame = std::move(framing).take();
        const Bytes request = ppp::encode_control_frame(
            ppp::Protocol::lcp,
            {.code = ppp::Code::configure_request, .id = kRequestId, .data = {}});
        frame.insert(frame.end(), request.begin(), request.end());
        const auto header = pptp::encode_gre_header(call, 0, std::nullopt, frame.size());
        frame.insert(frame.begin(), header.view().begin(), header.view().end());
        bool said = false;
        bool answered = false;
        while (!answered && wait(gre_->fd())) {
            // pppd speaks first: what came before it was there is lost.
            gre_->receive([&](Ipv4Address, ByteView packet) {
                const auto heard = pptp::parse_gre(packet);
                if (heard && heard->call == kTrialCall && is_lcp(heard->payload)) {
                    answered = answered || (said && is_answer(heard->payload));
                    gre_->send(server_, frame);
                    said = true;
                }
            });
            gre_->flush();
        }
        return answered ? Result<void>()
                        : fail(Errc::unreachable, said ? "pppd has not answered in GRE"
                                                       : "no GRE of pppd came for a call");
    }

    // Behind the protocol's number; empty: it is no LCP.
    static ByteView lcp_in(ByteView frame) {
        ByteReader reader(frame);
        const bool framed = reader.u16() == pptp::kPppAddressControl;
        const bool lcp = reader.u16() == static_cast<std::uint16_t>(ppp::Protocol::lcp);
        return framed && lcp && reader.ok() ? reader.take(reader.remaining()) : ByteView();
    }
    static bool is_lcp(ByteView frame) { return !lcp_in(frame).empty(); }
    static bool is_answer(ByteView frame) {
        const auto packet = ppp::parse_control_packet(lcp_in(frame));
        return packet && packet->id == kRequestId &&
               (packet->code == ppp::Code::configure_ack ||
                packet->code == ppp::Code::configure_nak ||
                packet->code == ppp::Code::configure_reject);
    }

    Ipv4Address server_;
    Clock::time_point end_;
    UniqueFd control_;
    std::optional<GreSocket> gre_;
    Bytes stream_;
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

Result<void> try_call(Ipv4Address server, std::chrono::milliseconds patience) {
    return Trial(server, Clock::now() + patience).run();
}

}  // namespace vpnha::adapters
