// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ike_message.hpp"

#include <fmt/format.h>

namespace vpnha::probe {

namespace {

constexpr std::size_t kHeaderBytes = 28;
// Including a dozen vendors' ids.
constexpr std::size_t kPayloadsMax = 64;
constexpr std::size_t kLengthOffset = 24;
constexpr std::size_t kGenericBytes = 4;
constexpr std::uint8_t kNoNext = 0;
// Only a holder of the keys can read their bodies.
constexpr std::uint8_t kEncrypted = 46;
constexpr std::uint8_t kEncryptedFragment = 53;
constexpr std::uint8_t kIkev1Encryption = 0x01;  // Of the flags.

}  // namespace

Result<IkeMessage> parse_ike_message(ByteView datagram) {
    ByteReader reader(datagram);
    IkeMessage message;
    message.header.initiator = reader.u64();
    message.header.responder = reader.u64();
    std::uint8_t next = reader.u8();
    message.header.version = reader.u8();
    message.header.exchange = reader.u8();
    message.header.flags = reader.u8();
    message.header.message_id = reader.u32();
    const std::size_t length = reader.u32();
    if (!reader.ok() || length < kHeaderBytes || length > datagram.size()) {
        return fail(Errc::malformed, fmt::format("IKE message states {} octets and has {}", length,
                                                 datagram.size()));
    }
    const bool is_encrypted =
        message.header.version == kIkev1Version && (message.header.flags & kIkev1Encryption) != 0;
    ByteReader payloads(reader.take(length - kHeaderBytes));
    while (!is_encrypted && next != kNoNext && next != kEncrypted && next != kEncryptedFragment) {
        if (message.payloads.size() == kPayloadsMax) {
            return fail(Errc::malformed, "IKE message with too many payloads");
        }
        const std::uint8_t type = next;
        next = payloads.u8();
        payloads.u8();  // The critical bit, of types that we do not know.
        const std::size_t size = payloads.u16();
        // A payload shorter than its own header would make no progress.
        if (!payloads.ok() || size < kGenericBytes || size - kGenericBytes > payloads.remaining()) {
            return fail(Errc::malformed, fmt::format("IKE payload of {} octets", size));
        }
        message.payloads.push_back({.type = type, .body = payloads.take(size - kGenericBytes)});
    }
    return message;
}

Bytes encode_ike_message(const IkeHeader& header, const std::vector<IkePayload>& payloads) {
    ByteWriter writer;
    writer.u64(header.initiator).u64(header.responder);
    writer.u8(payloads.empty() ? kNoNext : payloads.front().type).u8(header.version);
    writer.u8(header.exchange).u8(header.flags).u32(header.message_id).u32(0);
    for (std::size_t i = 0; i < payloads.size(); ++i) {
        writer.u8(i + 1 < payloads.size() ? payloads[i + 1].type : kNoNext).u8(0);
        writer.u16(static_cast<std::uint16_t>(payloads[i].body.size() + kGenericBytes));
        writer.bytes(payloads[i].body);
    }
    // None of ours has 64 KiB.
    writer.patch_u16(kLengthOffset + 2, static_cast<std::uint16_t>(writer.size()));
    return std::move(writer).take();
}

Result<IkeNotify> parse_ike_notify(ByteView body, std::uint8_t version) {
    ByteReader reader(body);
    if (version == kIkev1Version) {
        reader.u32();  // The domain of interpretation.
    }
    reader.u8();  // The protocol.
    const std::size_t spi = reader.u8();
    IkeNotify notify;
    notify.type = reader.u16();
    reader.take(spi);
    if (!reader.ok()) {
        return fail(Errc::malformed, fmt::format("IKE notify of {} octets", body.size()));
    }
    notify.data = reader.rest();
    return notify;
}

std::optional<IkeNotify> notify_in(const IkePayload& payload, std::uint8_t version) {
    if (payload.type != (version == kIkev1Version ? kIkev1Notify : kIkev2Notify)) {
        return std::nullopt;
    }
    const auto notify = parse_ike_notify(payload.body, version);
    return notify ? std::optional(*notify) : std::nullopt;
}

Error refused_by(std::uint16_t type, std::string_view what, std::uint8_t version) {
    const std::string why = type == kNoProposalChosen
                                ? fmt::format(", no connection of IKEv{} fits", version >> 4)
                                : "";
    return {Errc::unreachable, fmt::format("refuses {}: {}{}", what, ike_notify_name(type), why)};
}

std::string ike_notify_name(std::uint16_t type) {
    constexpr std::uint16_t kInvalidMajorVersion = 5;
    constexpr std::uint16_t kInvalidSyntax = 7;
    switch (type) {
        case kInvalidMajorVersion:
            return "INVALID_MAJOR_VERSION";
        case kInvalidSyntax:
            return "INVALID_SYNTAX";
        case kNoProposalChosen:
            return "NO_PROPOSAL_CHOSEN";
        case kInvalidKePayload:
            return "INVALID_KE_PAYLOAD";
        default:
            return fmt::format("notify {}", type);
    }
}

}  // namespace vpnha::probe
