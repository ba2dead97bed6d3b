// SPDX-License-Identifier: GPL-2.0-or-later
// The protocol of charon's control socket (vici, libcharon/plugins/vici/README.md of strongSwan
// 5.9.8): packets with a message each, a tree of values, lists and sections. Nothing here does I/O.
//
// On the socket a length (u32, big-endian) precedes each packet.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

struct ViciSection {
    std::vector<std::pair<std::string, std::string>> values{};
    std::vector<std::pair<std::string, std::vector<std::string>>> lists{};
    std::vector<std::pair<std::string, ViciSection>> sections{};

    // Empty when there is no value of that name.
    [[nodiscard]] std::string value(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> list(std::string_view name) const;

    friend bool operator==(const ViciSection&, const ViciSection&) = default;
};

enum class ViciPacketType : std::uint8_t {
    command = 0,
    response = 1,
    unknown_command = 2,
    subscription = 3,
    subscribed = 5,
    unknown_event = 6,
    event = 7,
};

struct ViciPacket {
    ViciPacketType type{};
    std::string name{};  // Of a command, an event or a subscription to one.
    ViciSection message{};

    friend bool operator==(const ViciPacket&, const ViciPacket&) = default;
};

// Without its length. Names have at most 255 octets and list items 65 535; more is a programming
// error.
[[nodiscard]] Bytes encode_vici_packet(const ViciPacket& packet);
[[nodiscard]] Result<ViciPacket> parse_vici_packet(ByteView bytes);

}  // namespace vpnha::adapters
