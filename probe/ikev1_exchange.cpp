// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ikev1_exchange.hpp"

#include <array>

#include "probe/ike_message.hpp"

namespace vpnha::probe {

namespace {

constexpr std::uint8_t kMainMode = 2;
constexpr std::uint8_t kInformational = 5;
constexpr std::uint8_t kSa = 1;
constexpr std::uint8_t kNonce = 10;
constexpr std::size_t kNonceBytes = 16;

constexpr std::uint32_t kDoi = 1;
constexpr std::uint32_t kIdentityOnly = 1;
constexpr std::uint8_t kIsakmp = 1;
constexpr std::uint8_t kKeyIke = 1;
constexpr std::uint8_t kMoreTransforms = 3;
// RFC 2409 appendix A: an attribute of two octets has the highest bit.
constexpr std::uint16_t kShort = 0x8000;
constexpr std::uint16_t kEncryption = kShort | 1;
constexpr std::uint16_t kHash = kShort | 2;
constexpr std::uint16_t kAuthentication = kShort | 3;
constexpr std::uint16_t kGroup = kShort | 4;
constexpr std::uint16_t kLifeType = kShort | 11;
constexpr std::uint16_t kLifeTime = kShort | 12;
constexpr std::uint16_t kKeyLength = kShort | 14;
constexpr std::uint16_t kSeconds = 1;
constexpr std::uint16_t kTenMinutes = 600;

struct Cipher {
    std::uint16_t id = 0;
    std::uint16_t bits = 0;  // 0: its length is fixed.
};

void write_transform(ByteWriter& writer, std::uint8_t number, bool is_last, Cipher cipher,
                     std::uint16_t hash, std::uint16_t authentication, std::uint16_t group) {
    const std::size_t start = writer.size();
    writer.u8(is_last ? 0 : kMoreTransforms).u8(0).u16(0).u8(number).u8(kKeyIke).u16(0);
    writer.u16(kEncryption).u16(cipher.id);
    if (cipher.bits != 0) {
        writer.u16(kKeyLength).u16(cipher.bits);
    }
    writer.u16(kHash).u16(hash).u16(kAuthentication).u16(authentication).u16(kGroup).u16(group);
    writer.u16(kLifeType).u16(kSeconds).u16(kLifeTime).u16(kTenMinutes);
    writer.patch_u16(start + 2, static_cast<std::uint16_t>(writer.size() - start));
}

// The proposals of clients of L2TP/IPsec, with a shared key and with certificates. More would not
// fit into one datagram of an Ethernet path.
Bytes encode_proposal() {
    constexpr Cipher kAes256{7, 256};
    constexpr Cipher kAes128{7, 128};
    constexpr Cipher kTripleDes{5, 0};
    constexpr std::uint16_t kSha1 = 2;
    constexpr std::uint16_t kSha256 = 4;
    constexpr std::uint16_t kSharedKey = 1;
    constexpr std::uint16_t kRsa = 3;
    constexpr std::array<std::uint16_t, 4> kGroups{14, 19, 2, 5};
    constexpr std::uint8_t kTransforms = 30;
    ByteWriter writer;
    writer.u32(kDoi).u32(kIdentityOnly);
    const std::size_t start = writer.size();
    writer.u8(0).u8(0).u16(0).u8(1).u8(kIsakmp).u8(0).u8(kTransforms);
    std::uint8_t number = 0;
    const auto add = [&](Cipher cipher, std::uint16_t hash, std::uint16_t authentication,
                         std::uint16_t group) {
        ++number;
        write_transform(writer, number, number == kTransforms, cipher, hash, authentication, group);
    };
    for (const Cipher cipher : {kAes256, kAes128, kTripleDes}) {
        for (const std::uint16_t hash : {kSha256, kSha1}) {
            for (const std::uint16_t group : kGroups) {
                add(cipher, hash, kSharedKey, group);
            }
            add(cipher, hash, kRsa, 14);
        }
    }
    writer.patch_u16(start + 2, static_cast<std::uint16_t>(writer.size() - start));
    return std::move(writer).take();
}

}  // namespace

Ikev1Exchange::Ikev1Exchange(std::uint64_t cookie) : ours_(cookie) {
    const Bytes proposal = encode_proposal();
    request_ = encode_ike_message(
        {.initiator = ours_, .version = kIkev1Version, .exchange = kMainMode}, {{kSa, proposal}});
}

Result<void> Ikev1Exchange::on_datagram(ByteView datagram) {
    const auto message = parse_ike_message(datagram);
    if (!message || is_over() || message->header.initiator != ours_ ||
        message->header.version != kIkev1Version) {
        return {};
    }
    for (const IkePayload& payload : message->payloads) {
        if (message->header.exchange == kMainMode && payload.type == kSa) {
            theirs_ = message->header.responder;
            return {};
        }
        const auto notify = message->header.exchange == kInformational
                                ? notify_in(payload, kIkev1Version)
                                : std::nullopt;
        if (notify && notify->is_error()) {
            return tl::unexpected(refused_by(notify->type, "main mode", kIkev1Version));
        }
    }
    return {};
}

Bytes Ikev1Exchange::closing_message() const {
    const Bytes nonce(kNonceBytes);
    return is_over() ? encode_ike_message({.initiator = ours_,
                                           .responder = theirs_,
                                           .version = kIkev1Version,
                                           .exchange = kMainMode},
                                          {{kNonce, nonce}})
                     : Bytes{};
}

}  // namespace vpnha::probe
