// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ikev2_exchange.hpp"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "probe/ike_message.hpp"

namespace vpnha::probe {

namespace {

constexpr std::uint8_t kIkeSaInit = 34;
constexpr std::uint8_t kInitiatorFlag = 0x08;
constexpr std::uint8_t kResponseFlag = 0x20;
constexpr std::uint8_t kSa = 33;
constexpr std::uint8_t kKeyExchange = 34;
constexpr std::uint8_t kNonce = 40;
constexpr std::uint16_t kCookie = 16390;
constexpr std::size_t kCookieBytesMax = 64;
// A server that changes its secret asks for another one.
constexpr int kCookiesMax = 3;

constexpr std::uint8_t kIkeProtocol = 1;
constexpr std::uint8_t kMore = 2;            // Another proposal follows.
constexpr std::uint8_t kMoreTransforms = 3;  // Another transform follows.
constexpr std::uint16_t kKeyLength = 0x800e;

struct Transform {
    std::uint8_t type = 0;
    std::uint16_t id = 0;
    std::uint16_t key_bits = 0;  // 0: the length is fixed.
};

// IANA "Internet Key Exchange Version 2 Parameters". 1: encryption, 2: PRF, 3: integrity, 4: group.
constexpr std::uint8_t kEncryption = 1;
constexpr std::uint8_t kPrf = 2;
constexpr std::uint8_t kIntegrity = 3;
constexpr std::uint8_t kGroup = 4;
// 1024 bits with a subgroup of 160: "MUST NOT" in RFC 8247 2.4.
constexpr std::uint16_t kForbiddenGroup = 22;

// By their numbers there.
using Ids = std::initializer_list<std::uint16_t>;
constexpr Ids kKeyBits{256, 192, 128};

std::vector<Transform> ciphers_with_integrity() {
    std::vector<Transform> transforms;
    for (const std::uint16_t id : Ids{20, 19, 18, 16, 15, 14}) {  // AES-GCM, AES-CCM
        for (const std::uint16_t bits : kKeyBits) {
            transforms.push_back({kEncryption, id, bits});
        }
    }
    transforms.push_back({kEncryption, 28});  // ChaCha20-Poly1305
    return transforms;
}

std::vector<Transform> plain_ciphers() {
    std::vector<Transform> transforms;
    for (const std::uint16_t id : Ids{12, 13, 23}) {  // AES-CBC, AES-CTR, Camellia-CBC
        for (const std::uint16_t bits : kKeyBits) {
            transforms.push_back({kEncryption, id, bits});
        }
    }
    transforms.push_back({kEncryption, 3});                    // 3DES
    for (const std::uint16_t id : Ids{12, 13, 14, 2, 5, 8}) {  // SHA-2, SHA-1, AES-XCBC, AES-CMAC
        transforms.push_back({kIntegrity, id});
    }
    return transforms;
}

void add_common(std::vector<Transform>& transforms) {
    for (const std::uint16_t id : Ids{5, 6, 7, 2, 4, 8}) {  // SHA-2, SHA-1, AES-XCBC, AES-CMAC
        transforms.push_back({kPrf, id});
    }
    for (const std::uint16_t id :
         Ids{31, 32, 19, 20, 21, 28, 29, 30, 14, 15, 16, 17, 18, 24, 23, 5, 2, kForbiddenGroup}) {
        transforms.push_back({kGroup, id});
    }
}

void write_proposal(ByteWriter& writer, std::uint8_t number, bool is_last,
                    std::vector<Transform> transforms) {
    add_common(transforms);
    const std::size_t start = writer.size();
    writer.u8(is_last ? 0 : kMore).u8(0).u16(0).u8(number).u8(kIkeProtocol).u8(0);
    writer.u8(static_cast<std::uint8_t>(transforms.size()));
    for (std::size_t i = 0; i < transforms.size(); ++i) {
        const Transform& each = transforms[i];
        constexpr std::uint16_t kBytes = 8;
        constexpr std::uint16_t kWithLength = 12;
        writer.u8(i + 1 < transforms.size() ? kMoreTransforms : 0).u8(0);
        writer.u16(each.key_bits != 0 ? kWithLength : kBytes).u8(each.type).u8(0).u16(each.id);
        if (each.key_bits != 0) {
            writer.u16(kKeyLength).u16(each.key_bits);
        }
    }
    writer.patch_u16(start + 2, static_cast<std::uint16_t>(writer.size() - start));
}

Bytes encode_request(const Ikev2Numbers& numbers, ByteView cookie) {
    ByteWriter notify;
    notify.u8(0).u8(0).u16(kCookie).bytes(cookie);
    ByteWriter sa;
    write_proposal(sa, 1, false, ciphers_with_integrity());
    write_proposal(sa, 2, true, plain_ciphers());
    ByteWriter key;
    key.u16(kForbiddenGroup).u16(0).bytes(numbers.public_value);
    std::vector<IkePayload> payloads;
    if (!cookie.empty()) {
        payloads.push_back({kIkev2Notify, notify.view()});
    }
    payloads.push_back({kSa, sa.view()});
    payloads.push_back({kKeyExchange, key.view()});
    payloads.push_back({kNonce, numbers.nonce});
    return encode_ike_message({.initiator = numbers.spi,
                               .version = kIkev2Version,
                               .exchange = kIkeSaInit,
                               .flags = kInitiatorFlag},
                              payloads);
}

bool has_all_of_an_answer(const IkeMessage& message) {
    return std::ranges::all_of(
        std::array{kSa, kKeyExchange, kNonce}, [&message](std::uint8_t type) {
            return std::ranges::any_of(message.payloads, [type](const IkePayload& payload) {
                return payload.type == type;
            });
        });
}

}  // namespace

Ikev2Exchange::Ikev2Exchange(const Ikev2Numbers& numbers)
    : numbers_(numbers), request_(encode_request(numbers, {})) {}

std::string_view Ikev2Exchange::step() const {
    return cookies_ == 0 ? "ike_sa_init" : "cookie";
}

Result<void> Ikev2Exchange::on_datagram(ByteView datagram) {
    const auto message = parse_ike_message(datagram);
    if (!message || over_ || message->header.initiator != numbers_.spi ||
        message->header.version >> 4 != kIkev2Version >> 4 ||
        message->header.exchange != kIkeSaInit || (message->header.flags & kResponseFlag) == 0 ||
        message->header.message_id != 0) {
        return {};
    }
    for (const IkePayload& payload : message->payloads) {
        const auto notify = notify_in(payload, kIkev2Version);
        if (notify && notify->type == kCookie) {
            return take_cookie(notify->data);
        }
        if (notify && notify->type == kInvalidKePayload) {
            over_ = true;
            return {};
        }
        if (notify && notify->is_error()) {
            return tl::unexpected(refused_by(notify->type, "an IKE SA", kIkev2Version));
        }
    }
    over_ = has_all_of_an_answer(*message);
    return {};
}

Result<void> Ikev2Exchange::take_cookie(ByteView cookie) {
    if (cookie.empty() || cookie.size() > kCookieBytesMax) {
        return {};
    }
    const Bytes next = encode_request(numbers_, cookie);
    if (next == request_) {
        return {};  // A copy of the one that we have.
    }
    if (cookies_ == kCookiesMax) {
        return fail(Errc::unreachable, "asks for one cookie after the other");
    }
    ++cookies_;
    request_ = next;
    return {};
}

}  // namespace vpnha::probe
