// SPDX-License-Identifier: GPL-2.0-or-later
// Messages between pppd's plugin vpnha.so and vpnhad, version 2, as documented in
// docs/reference/plugin-protocol.md. One message is one packet of a SOCK_SEQPACKET Unix socket. The
// other end is C without this library (pppd-plugin/message.c); a test holds the two together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/accounting.hpp"
#include "base/bytes.hpp"
#include "base/rate.hpp"
#include "protocols/ppp/model/session_facts.hpp"

namespace vpnha::adapters {

// An address for which the node answers in its owner's place, on a device of that name.
struct PluginProxied {
    IpAddress address;
    std::string interface;
};

// What carries a session is none of vpnhad's protocols, as L2TP that xl2tpd carries in user space:
// vpnhad can only show it.
inline constexpr std::string_view kOtherProtocol = "other";

// The peer is authenticated, IPCP begins: which address shall it have?
struct PluginAsks {
    std::string gateway;
    std::uint32_t pid = 0;
    std::string user;  // As authenticated; may be empty.
};
// IPCP is up: everything that another node needs to resume the session. Sent again when pppd
// renegotiates or vpnhad was away.
struct PluginSessionUp {
    std::string gateway;  // Empty: pppd has none.
    std::uint32_t pid = 0;
    std::string protocol;  // What carries it.
    // How both ends know it, as the protocol has it. It lies in the message that was parsed, and is
    // gone with its octets, which may be keys.
    ByteView ids;
    ppp::SessionFacts facts;  // Without what vpnhad adds: begin, proxied addresses, obstacle.
    std::uint64_t established_boot_ms = 0;  // On CLOCK_BOOTTIME.
    std::vector<PluginProxied> proxied;     // At most limits::kSessionProxiedMax.
    // Why another node could not resume it; empty when one could. One reason each, for humans.
    std::vector<std::string> not_resumable;
    // The same, of what scripts have done: another node does it as well if it runs them.
    std::vector<std::string> done_by_scripts;
    RadiusReply radius;
    RadiusRate rate;  // What a RADIUS server wants of its bandwidth.
};
// IPCP is down: the session is over, or about to be.
struct PluginSessionDown {
    EndCause cause = EndCause::nas_error;
    std::optional<Traffic> traffic;  // What the link's device had counted.
};
// pppd ends in an orderly way. What follows is the end of the connection.
struct PluginExit {};

using PluginMessage = std::variant<PluginAsks, PluginSessionUp, PluginSessionDown, PluginExit>;

// The facts of a session that parses are sane.
[[nodiscard]] Result<PluginMessage> parse_plugin_message(ByteView bytes);

// vpnhad's answer to PluginSessionUp. An empty reason: protected.
[[nodiscard]] Bytes encode_plugin_verdict(std::string_view unprotected_reason);
// To PluginAsks; 0.0.0.0: pppd takes its own.
[[nodiscard]] Bytes encode_plugin_address(Ipv4Address address);
// To either: the session is to end.
[[nodiscard]] Bytes encode_plugin_refusal(std::string_view reason);

// The session has these time-outs from now on, and that rate, if there is one.
[[nodiscard]] Bytes encode_plugin_change(const ppp::Timeouts& timeouts,
                                         const std::optional<Rate>& rate);

}  // namespace vpnha::adapters
