// SPDX-License-Identifier: GPL-2.0-or-later
#include "echo/backend/responder.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "host/corosync/cluster_nodes.hpp"

namespace vpnha::echo {

namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kDatagramBytesMax = 64;
constexpr int kDatagramsOfATurn = 64;
constexpr std::size_t kSessionsMax = 1000;
constexpr int kNewsTimer = 0;
constexpr int kSecondTimer = 1;
constexpr Duration kSecond = std::chrono::seconds(1);

Bytes context_of(SessionId id) {
    return encode_number(id);
}

void append_hash(ByteWriter& message, ByteView secret) {
    std::array<std::uint8_t, kHashBytes> hash{};
    crypto_generichash(hash.data(), hash.size(), message.view().data(), message.size(),
                       secret.data(), secret.size());
    message.bytes(hash);
}

}  // namespace

ports::OpenedBackend open_backend(const ports::BackendHost& host) {
    return Responder::open(host);
}

ports::OpenedBackend Responder::open(const ports::BackendHost& host) {
    VPNHA_TRY(const auto key, runtime::cluster_key_of(host.key_file));
    VPNHA_TRY(auto box, adapters::SecretBox::make(key.content()));
    std::unique_ptr<Responder> responder(new Responder(host, std::move(box)));
    for (const config::Gateway& gateway : host.config.gateways) {
        if (const Table* const table = gateway.protocols.get<Table>()) {
            VPNHA_CHECK(responder->listen(gateway, *table));
        }
    }
    if (responder->places_.empty()) {
        return nullptr;
    }
    responder->next_second();
    return std::unique_ptr<ports::Backend>(std::move(responder));
}

Responder::~Responder() {
    for (const auto& [gateway, place] : places_) {
        host_.loop.unwatch(place.socket.get());
    }
}

Result<void> Responder::listen(const config::Gateway& gateway, const Table& table) {
    Place& place = places_[gateway.id];
    place.answers_per_second = table.answers_per_second;
    place.socket.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(table.port);
    address.sin_addr.s_addr = htonl(gateway.outside.addresses.front().address.v4()->value);
    // The address is not there before the promotion. IP_RECVERR: a send that the gate drops fails.
    const int on = 1;
    if (::setsockopt(place.socket.get(), IPPROTO_IP, IP_FREEBIND, &on, sizeof on) != 0 ||
        ::setsockopt(place.socket.get(), IPPROTO_IP, IP_RECVERR, &on, sizeof on) != 0 ||
        ::bind(place.socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
            0) {
        return tl::unexpected(system_error("echo: the responder's socket", errno));
    }
    return host_.loop.watch(place.socket.get(),
                            [this, id = gateway.id, &place] { on_datagrams(id, place); });
}

void Responder::next_second() {
    for (auto& [gateway, place] : places_) {
        for (auto& [id, session] : place.sessions) {
            session.end_of_second = session.next + place.answers_per_second;
        }
    }
    host_.loop.set_timer(host_.first_timer + kSecondTimer, adapters::QbLoop::now() + kSecond,
                         [this] { next_second(); });
}

void Responder::on_datagrams(GatewayId gateway, Place& place) {
    std::array<std::uint8_t, kDatagramBytesMax> buffer{};
    // What ICMP says of answers. It would keep the socket readable.
    while (::recv(place.socket.get(), buffer.data(), buffer.size(), MSG_ERRQUEUE) >= 0) {
    }
    for (int i = 0; i < kDatagramsOfATurn; ++i) {
        sockaddr_in client{};
        socklen_t length = sizeof client;
        const ssize_t count = ::recvfrom(place.socket.get(), buffer.data(), buffer.size(), 0,
                                         reinterpret_cast<sockaddr*>(&client), &length);
        if (count < 0) {
            return;
        }
        if (!place.serves) {
            continue;
        }
        ByteReader datagram(ByteView(buffer).first(static_cast<std::size_t>(count)));
        const Reply reply = answer(gateway, place, datagram);
        // An answer that the gate held back has used no number.
        if (!reply.bytes.empty() &&
            ::sendto(place.socket.get(), reply.bytes.data(), reply.bytes.size(), 0,
                     reinterpret_cast<const sockaddr*>(&client), length) >= 0 &&
            reply.numbered != nullptr) {
            ++reply.numbered->next;
            ++answers_;
        }
    }
}

Responder::Reply Responder::answer(GatewayId gateway, Place& place, ByteReader& datagram) {
    switch (datagram.u8()) {
        case 'O':
            return {open_session(gateway, place, datagram)};
        case 'Q':
            return answer_request(place, datagram);
        case 'C':
            return {close_session(gateway, place, datagram)};
        default:
            return {};
    }
}

Bytes Responder::open_session(GatewayId gateway, Place& place, ByteReader& datagram) {
    const std::uint64_t nonce = datagram.u64();
    auto secret = adapters::SecretBytes::with_room(kSecretBytes);
    SessionId id = 0;
    randombytes_buf(&id, sizeof id);
    if (!datagram.finished() || !secret || place.sessions.size() >= kSessionsMax ||
        place.sessions.contains(id)) {
        return {};
    }
    randombytes_buf(secret->room().data(), kSecretBytes);
    secret->take(kSecretBytes);
    Result<Bytes> sealed = box_.seal(context_of(id), secret->view());
    if (!sealed) {
        return {};
    }
    ByteWriter reply;
    reply.u8('S').u64(nonce).u64(id).bytes(secret->view());
    place.sessions.emplace(id, Session{std::move(*secret), 0, place.answers_per_second});
    notify_later(gateway, Opened{id, std::move(*sealed)});
    return std::move(reply).take();
}

Responder::Reply Responder::answer_request(Place& place, ByteReader& datagram) {
    const SessionId id = datagram.u64();
    const std::uint64_t request = datagram.u64();
    const auto found = place.sessions.find(id);
    if (!datagram.finished() || found == place.sessions.end() ||
        found->second.next >= found->second.end_of_second) {
        return {};
    }
    Session& session = found->second;
    ByteWriter reply;
    reply.u8('A').u64(id).u64(request).u64(session.next);
    append_hash(reply, session.secret.view());
    return {std::move(reply).take(), &session};
}

Bytes Responder::close_session(GatewayId gateway, Place& place, ByteReader& datagram) {
    const SessionId id = datagram.u64();
    const ByteView hash = datagram.take(kHashBytes);
    const auto found = place.sessions.find(id);
    if (!datagram.finished() || found == place.sessions.end()) {
        return {};
    }
    ByteWriter expected;
    expected.u8('C').u64(id);
    append_hash(expected, found->second.secret.view());
    if (sodium_memcmp(expected.view().last(kHashBytes).data(), hash.data(), kHashBytes) != 0) {
        return {};
    }
    place.sessions.erase(found);
    notify_later(gateway, Closed{id});
    ByteWriter reply;
    reply.u8('D').u64(id);
    return std::move(reply).take();
}

bool Responder::execute(effects::ProtocolWork& work) {
    const auto* const own = work.get<GatewayWork>();
    if (own == nullptr) {
        return false;
    }
    const GatewayId gateway = own->gateway;
    std::visit([&](const auto& each) { carry_out(gateway, places_.at(gateway), each); }, own->work);
    return true;
}

Result<Responder::Session> Responder::unseal(const Install& work) const {
    VPNHA_TRY(auto secret, adapters::SecretBytes::with_room(kSecretBytes));
    VPNHA_CHECK(box_.open(context_of(work.id), work.sealed, secret));
    return Session{std::move(secret)};
}

void Responder::carry_out(GatewayId gateway, Place& place, const Install& work) {
    Result<Session> session = unseal(work);
    Result<void> result;
    if (session) {
        session->end_of_second = place.answers_per_second;
        // What this node has served itself keeps its number.
        place.sessions.try_emplace(work.id, std::move(*session));
    } else {
        result = tl::unexpected(session.error());
    }
    notify_later(gateway, Installed{work.id, work.ticket, std::move(result)});
}

void Responder::carry_out(GatewayId, Place& place, const Remove& work) {
    place.sessions.erase(work.id);
}

void Responder::carry_out(GatewayId, Place& place, const Serve& work) {
    place.serves = work.on;
}

void Responder::carry_out(GatewayId gateway, Place& place, const SetNumbers& work) {
    for (const auto& [id, next] : work.numbers) {
        if (const auto found = place.sessions.find(id); found != place.sessions.end()) {
            found->second.next = std::max(found->second.next, next);
            found->second.end_of_second = found->second.next + place.answers_per_second;
        }
    }
    notify_later(gateway, NumbersSet{work.ticket});
}

void Responder::carry_out(GatewayId gateway, Place& place, const ReadNumbers& work) {
    NumbersRead read{work.ticket, {}};
    for (const auto& [id, session] : place.sessions) {
        read.numbers[id] = session.next;
    }
    notify_later(gateway, std::move(read));
}

Status Responder::status() const {
    return {{"counters/echo_answers", answers_}};
}

void Responder::notify_later(GatewayId gateway, Event event) {
    news_.emplace_back(gateway, std::move(event));
    host_.loop.set_timer(host_.first_timer + kNewsTimer, adapters::QbLoop::now(), [this] {
        for (auto& [of, each] : std::exchange(news_, {})) {
            host_.notify(of, std::move(each));
        }
    });
}

}  // namespace vpnha::echo
