// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/backend/accounting_servers.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "host/os/network_descriptor.hpp"
#include "host/sockets/inet_socket.hpp"
#include "services/accounting/backend/accounting_packet.hpp"
#include "services/accounting/backend/radius_packet.hpp"
#include "services/accounting/backend/radius_secret.hpp"

namespace vpnha::adapters {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

}  // namespace

Result<AccountingServers> AccountingServers::open(const config::Radius& settings) {
    VPNHA_TRY(SecretBytes secret, read_radius_secret(settings.secret_file));
    return AccountingServers(settings, std::move(secret));
}

AccountingServers::Answer AccountingServers::ask(const node::AccountingRequest& request,
                                                 std::uint8_t identifier, int end) const {
    const Clock::time_point begun = Clock::now();
    Answer answer{node::AccountingResult::silent, ""};
    for (const Ipv4Endpoint& server : settings_.accounting_servers) {
        node::AccountingRequest late = request;
        late.delay_s += static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - begun).count());
        const char* what = "is silent";
        const Reply reply = ask(server, late, identifier, end);
        switch (reply.received) {
            case Received::answer:
                return {node::AccountingResult::answered, to_string(server), reply.took};
            case Received::nothing:
                break;
            case Received::stranger:
                answer.result = node::AccountingResult::failed;
                what = "has another secret";
                break;
            case Received::unreachable:
                what = "cannot be asked";
                break;
            case Received::end:
                return answer;
        }
        answer.server +=
            fmt::format("{}{} {}", answer.server.empty() ? "" : ", ", to_string(server), what);
    }
    return answer;
}

AccountingServers::Reply AccountingServers::ask(const Ipv4Endpoint& server,
                                                const node::AccountingRequest& request,
                                                std::uint8_t identifier, int end) const {
    // Connected: the kernel accepts packets of this server alone.
    const UniqueFd socket = open_network_socket(AF_INET, SOCK_DGRAM);
    const sockaddr_in to = to_sockaddr(server);
    sockaddr_in own{};
    socklen_t length = sizeof own;
    if (!socket ||
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 ||
        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &length) != 0) {
        return {Received::unreachable};
    }
    const AccountingNas nas{settings_.nas_identifier, Ipv4Address{ntohl(own.sin_addr.s_addr)}};
    const auto packet = encode_accounting(
        request, nas, identifier, secret_.view(),
        static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(
                                       std::chrono::system_clock::now().time_since_epoch())
                                       .count()));
    if (!packet) {
        return {Received::unreachable};
    }
    Reply reply{Received::nothing};
    for (std::uint32_t i = 0; i <= settings_.retries && reply.received == Received::nothing; ++i) {
        const Clock::time_point sent = Clock::now();
        if (::send(socket.get(), packet->data(), packet->size(), 0) < 0) {
            return {Received::unreachable};
        }
        reply = {handle(socket.get(), *packet, end), Clock::now() - sent};
    }
    return reply;
}

AccountingServers::Received AccountingServers::handle(int socket, ByteView request, int end) const {
    const Clock::time_point patience = Clock::now() + settings_.timeout;
    Received received = Received::nothing;
    while (true) {
        const auto left = std::chrono::ceil<milliseconds>(patience - Clock::now()).count();
        std::array<pollfd, 2> ready{pollfd{socket, POLLIN, 0}, pollfd{end, POLLIN, 0}};
        if (left <= 0 || ::poll(ready.data(), ready.size(), static_cast<int>(left)) <= 0) {
            return received;
        }
        if (ready[1].revents != 0) {
            return Received::end;
        }
        std::array<std::uint8_t, kRadiusPacketBytesMax> octets{};
        const ssize_t got = ::recv(socket, octets.data(), octets.size(), MSG_DONTWAIT);
        if (got < 0 && errno != EAGAIN) {
            return Received::unreachable;
        }
        if (got < 0) {
            continue;  // The kernel dropped it.
        }
        const ByteView answer = ByteView(octets).first(static_cast<std::size_t>(got));
        if (is_answer_to(request, answer, secret_.view())) {
            return Received::answer;
        }
        received = Received::stranger;  // RFC 2866 3: the answer is discarded.
    }
}

}  // namespace vpnha::adapters
