// SPDX-License-Identifier: GPL-2.0-or-later
// The counters of a session for RADIUS accounting (RFC 2866), and the causes of its end.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"

namespace vpnha {

// A prefix of IPv6 that a server has assigned to the client.
struct RadiusPrefix {
    // The numbers of their attributes: Framed-IPv6-Prefix (RFC 3162 2.3), for the link, and
    // Delegated-IPv6-Prefix (RFC 4818 3), for the networks behind it.
    enum class Kind : std::uint8_t { framed = 97, delegated = 123 };
    Kind kind{};
    IpPrefix net;
    friend bool operator==(const RadiusPrefix&, const RadiusPrefix&) = default;
};
// It is of a known kind, is not empty, and has no bit after its length.
[[nodiscard]] inline bool is_sound(const RadiusPrefix& prefix) {
    const auto& [address, length] = prefix.net;
    return (prefix.kind == RadiusPrefix::Kind::framed ||
            prefix.kind == RadiusPrefix::Kind::delegated) &&
           length != 0 && length <= address.bits() && address.masked(length) == address;
}

// The part of an Access-Accept for the accounting of its session.
struct RadiusReply {
    std::vector<Bytes> classes;   // Class (RFC 2865 5.25); at most limits::kRadiusClassesMax.
    std::uint32_t interim_s = 0;  // Acct-Interim-Interval (RFC 2869 5.16), from 60 on; 0: none.
    std::vector<RadiusPrefix> prefixes{};  // At most limits::kRadiusPrefixesMax.
};

// Of a session's device, since it began. In: from the client.
struct Traffic {
    std::uint64_t octets_in = 0;
    std::uint64_t octets_out = 0;
    std::uint64_t packets_in = 0;
    std::uint64_t packets_out = 0;

    Traffic& operator+=(const Traffic& more) {
        octets_in += more.octets_in;
        octets_out += more.octets_out;
        packets_in += more.packets_in;
        packets_out += more.packets_out;
        return *this;
    }
    friend bool operator==(const Traffic&, const Traffic&) = default;
};

// The traffic between two readings of one device. A counter that went back is a new device's.
[[nodiscard]] inline Traffic passed_between(const Traffic& before, const Traffic& after) {
    if (after.octets_in < before.octets_in || after.octets_out < before.octets_out ||
        after.packets_in < before.packets_in || after.packets_out < before.packets_out) {
        return after;
    }
    return {after.octets_in - before.octets_in, after.octets_out - before.octets_out,
            after.packets_in - before.packets_in, after.packets_out - before.packets_out};
}

// Acct-Terminate-Cause (RFC 2866 5.10), with its numbers.
enum class EndCause : std::uint8_t {
    user_request = 1,
    lost_carrier = 2,
    lost_service = 3,
    idle_timeout = 4,
    session_timeout = 5,
    admin_reset = 6,
    port_error = 8,
    nas_error = 9,
    nas_request = 10,
    service_unavailable = 15,
    callback = 16,
};
inline constexpr std::uint8_t kEndCauseMax = 18;  // Of the RFC.

}  // namespace vpnha
