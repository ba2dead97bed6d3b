// SPDX-License-Identifier: GPL-2.0-or-later
// Messages between pppd's plugin vpnha.so and vpnhad, version 2, as documented in
// docs/reference/plugin-protocol.md. One message is one packet of a SOCK_SEQPACKET Unix socket. The
// other end is C without this library (pppd-plugin/message.c); a test compares the two.
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

// An address for which the node answers instead of its owner, on a device of that name.
struct PluginProxied {
    IpAddress address;
    std::string interface;
};

// A session is carried by none of vpnhad's protocols, such as L2TP that xl2tpd carries in user
// space: vpnhad can only show it.
inline constexpr std::string_view kOtherProtocol = "other";

// The peer is authenticated, and IPCP begins: the plugin requests the peer's address.
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
    std::string protocol;  // The protocol that carries it.
    // The session's ids at both ends, in the protocol's format. They lie in the parsed message, and
    // are valid as long as its octets, which may be keys.
    ByteView ids;
    ppp::SessionFacts facts;  // Without vpnhad's part: begin, proxied addresses, obstacle.
    std::uint64_t established_boot_ms = 0;  // On CLOCK_BOOTTIME.
    std::vector<PluginProxied> proxied;     // At most limits::kSessionProxiedMax.
    // Why another node could not resume it; empty when one could. One reason each, for humans.
    std::vector<std::string> not_resumable;
    // Settings made by scripts, in the same form: another node makes them if it runs the scripts.
    std::vector<std::string> done_by_scripts;
    RadiusReply radius;
    RadiusRate rate;  // The bandwidth that a RADIUS server requests.
};
// IPCP is down: the session is over, or about to be.
struct PluginSessionDown {
    EndCause cause = EndCause::nas_error;
    std::optional<Traffic> traffic;  // The counters of the link's device.
};
// pppd ends in an orderly way. Next the connection ends.
struct PluginExit {};

using PluginMessage = std::variant<PluginAsks, PluginSessionUp, PluginSessionDown, PluginExit>;

// The facts of a session that parses are sane.
[[nodiscard]] Result<PluginMessage> parse_plugin_message(ByteView bytes);

// vpnhad's answer to PluginSessionUp. An empty reason: protected.
[[nodiscard]] Bytes encode_plugin_verdict(std::string_view unprotected_reason);
// To PluginAsks; 0.0.0.0: pppd uses its own.
[[nodiscard]] Bytes encode_plugin_address(Ipv4Address address);
// To either: the session is to end.
[[nodiscard]] Bytes encode_plugin_refusal(std::string_view reason);

// The session has these time-outs from now on, and that rate, if there is one.
[[nodiscard]] Bytes encode_plugin_change(const ppp::Timeouts& timeouts,
                                         const std::optional<Rate>& rate);

}  // namespace vpnha::adapters
