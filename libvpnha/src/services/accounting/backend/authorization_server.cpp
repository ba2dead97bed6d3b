// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/backend/authorization_server.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "host/os/log.hpp"
#include "host/os/network_descriptor.hpp"
#include "host/sockets/inet_socket.hpp"
#include "services/accounting/backend/radius_secret.hpp"

namespace vpnha::adapters {

namespace {

// The pause between warnings about dropped requests, for each reason.
constexpr std::chrono::minutes kComplaintPause{1};

// For a datagram whose destination address the kernel reports.
using ControlRoom = std::array<std::uint8_t, CMSG_SPACE(sizeof(in_pktinfo))>;

bool is_fresh(std::uint32_t made_unix_s) {
    using std::chrono::seconds;
    const auto age =
        std::chrono::duration_cast<seconds>(std::chrono::system_clock::now().time_since_epoch()) -
        seconds(made_unix_s);
    return age <= kRequestWindow && -age <= kRequestWindow;
}

}  // namespace

AuthorizationCounters& AuthorizationCounters::operator+=(const AuthorizationCounters& other) {
    disconnects += other.disconnects;
    changes += other.changes;
    acks += other.acks;
    for (const auto& [cause, count] : other.naks) {
        naks[cause] += count;
    }
    repeated += other.repeated;
    strangers += other.strangers;
    malformed += other.malformed;
    is_unsigned += other.is_unsigned;
    forged += other.forged;
    stale += other.stale;
    return *this;
}

Result<std::unique_ptr<AuthorizationServer>> AuthorizationServer::open(
    QbLoop& loop, const config::Radius& settings, Act act) {
    VPNHA_TRY(SecretBytes secret, read_radius_secret(settings.secret_file));
    UniqueFd socket = open_network_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK);
    if (!socket) {
        return tl::unexpected(system_error("socket", errno));
    }
    VPNHA_CHECK(set_option(socket.get(), IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO"));
    const sockaddr_in own = to_sockaddr({{}, settings.dynamic_authorization_port});
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) {
        return tl::unexpected(system_error(fmt::format("UDP port {} for requests of RADIUS servers",
                                                       settings.dynamic_authorization_port),
                                           errno));
    }
    std::unique_ptr<AuthorizationServer> server(new AuthorizationServer(
        loop, std::move(socket), settings, std::move(secret), std::move(act)));
    VPNHA_CHECK(loop.watch(server->socket_.get(), [raw = server.get()] { raw->on_readable(); }));
    return server;
}

AuthorizationServer::AuthorizationServer(QbLoop& loop, UniqueFd socket,
                                         const config::Radius& settings, SecretBytes secret,
                                         Act act)
    : loop_(loop),
      socket_(std::move(socket)),
      clients_(settings.authorization_clients()),
      nas_identifier_(settings.nas_identifier),
      secret_(std::move(secret)),
      act_(std::move(act)) {}

AuthorizationServer::~AuthorizationServer() {
    loop_.unwatch(socket_.get());
}

// One datagram a turn: a flood delays no round of a lease.
void AuthorizationServer::on_readable() {
    if (const auto datagram = receive()) {
        handle(*datagram, QbLoop::now());
    }
}

std::optional<AuthorizationServer::Datagram> AuthorizationServer::receive() const {
    Datagram datagram;
    datagram.octets.resize(kRadiusPacketBytesMax);  // The rest is padding, or of no packet.
    sockaddr_in from{};
    alignas(cmsghdr) ControlRoom control{};
    iovec octets{datagram.octets.data(), datagram.octets.size()};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &octets;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(socket_.get(), &message, 0);
    if (got < 0) {
        return std::nullopt;  // The kernel dropped it: its checksum is wrong.
    }
    datagram.octets.resize(static_cast<std::size_t>(got));
    datagram.from = {Ipv4Address{ntohl(from.sin_addr.s_addr)}, ntohs(from.sin_port)};
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    if (header != nullptr && header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
        in_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(header), sizeof info);
        datagram.to = Ipv4Address{ntohl(info.ipi_spec_dst.s_addr)};
    }
    return datagram;
}

void AuthorizationServer::send(const Datagram& request, Bytes answer) const {
    sockaddr_in to = to_sockaddr(request.from);
    alignas(cmsghdr) ControlRoom control{};
    iovec octets{answer.data(), answer.size()};
    msghdr message{};
    message.msg_name = &to;
    message.msg_namelen = sizeof to;
    message.msg_iov = &octets;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
    in_pktinfo info{};
    info.ipi_spec_dst.s_addr = htonl(request.to.value);
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
    // The server repeats a request whose answer is lost.
    static_cast<void>(::sendmsg(socket_.get(), &message, 0));
}

void AuthorizationServer::handle(const Datagram& datagram, TimePoint now) {
    const Ipv4Endpoint& from = datagram.from;
    if (!clients_.contains(from.address)) {
        return drop(counters_.strangers, from, "it is not an allowed client", now);
    }
    const auto request = parse_authorization(datagram.octets);
    if (!request) {
        return drop(counters_.malformed, from, "it does not parse", now);
    }
    if (!request->is_signed) {
        return drop(counters_.is_unsigned, from, "it has no Message-Authenticator", now);
    }
    if (!is_authentic(datagram.octets, secret_.view())) {
        return drop(counters_.forged, from, "it was made with another secret", now);
    }
    if (request->unix_s && !is_fresh(*request->unix_s)) {
        return drop(counters_.stale, from, "its Event-Timestamp is not of now; compare the clocks",
                    now);
    }
    answer(datagram, *request, now);
}

void AuthorizationServer::answer(const Datagram& datagram, const AuthorizationRequest& request,
                                 TimePoint now) {
    const AnswerMemory::Request known{datagram.from.address, request.authenticator};
    if (const Bytes* const again = answered_.find(known, now)) {
        ++counters_.repeated;
        return send(datagram, *again);
    }
    const auto refusal = judge(request, datagram.from);
    const auto cause = refusal ? std::optional(refusal->cause) : std::nullopt;
    auto answer = encode_authorization_answer(request, cause, secret_.view());
    if (!answer) {
        return;  // No request could be authentic before.
    }
    const bool is_disconnect = request.kind == AuthorizationRequest::Kind::disconnect;
    ++(is_disconnect ? counters_.disconnects : counters_.changes);
    ++(cause ? counters_.naks[*cause] : counters_.acks);
    if (refusal) {
        write_log(LogLevel::info,
                  fmt::format("a RADIUS server's {} is refused{}{} event=authorization-refused "
                              "client={} cause={}",
                              is_disconnect ? "Disconnect-Request" : "CoA-Request",
                              refusal->why.empty() ? "" : ": ", refusal->why,
                              to_string(datagram.from), to_string(refusal->cause)));
    }
    send(datagram, *answer);
    answered_.put(known, std::move(*answer), now);
}

std::optional<AuthorizationServer::Refusal> AuthorizationServer::judge(
    const AuthorizationRequest& request, const Ipv4Endpoint& client) {
    if (request.nas_identifier && *request.nas_identifier != nas_identifier_) {
        return Refusal{ErrorCause::nas_mismatch, "it is for another NAS-Identifier"};
    }
    return request.flaw ? Refusal{*request.flaw, ""} : act_(request, client);
}

void AuthorizationServer::drop(std::uint64_t& counter, const Ipv4Endpoint& from, const char* why,
                               TimePoint now) {
    ++counter;
    TimePoint& silent_until = silent_until_[&counter];
    if (counter == 1 || now >= silent_until) {
        silent_until = now + kComplaintPause;
        write_log(LogLevel::warning, fmt::format("a request of a RADIUS server is dropped, as {} "
                                                 "event=authorization-dropped client={}",
                                                 why, to_string(from)));
    }
}

}  // namespace vpnha::adapters
