// SPDX-License-Identifier: GPL-2.0-or-later
// Messages between pppd's plugin vpnha.so and vpnhad, version 1, as documented in
// docs/plugin-protocol.md. One message is one packet of a SOCK_SEQPACKET Unix socket. The other end
// is C without this library (pppd-plugin/message.c); a test holds the two together.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "l2tp/session_record.hpp"

namespace vpnha::adapters {

// IPCP is up: everything that another node needs to go on with the session. Said again when pppd
// renegotiates or vpnhad was away.
struct PluginSessionUp {
    std::string gateway;
    std::uint32_t pid = 0;
    // All but key.tunnel.local, which pppd does not know: it is the gateway's VIP and port.
    l2tp::SessionRecord record;
    // Why another node could not go on with it; empty when one could. One reason each, for humans.
    std::vector<std::string> not_resumable;
};
// IPCP is down: the session is over, or about to be.
struct PluginSessionDown {};
// pppd ends in an orderly way. What follows is the end of the connection.
struct PluginExit {};

using PluginMessage = std::variant<PluginSessionUp, PluginSessionDown, PluginExit>;

// A session that parses is sane: l2tp::validate() holds for all that the message carries.
[[nodiscard]] Result<PluginMessage> parse_plugin_message(ByteView bytes);

// vpnhad's answer to PluginSessionUp. An empty reason: protected.
[[nodiscard]] Bytes encode_plugin_verdict(std::string_view unprotected_reason);

}  // namespace vpnha::adapters
