// SPDX-License-Identifier: GPL-2.0-or-later
// An address of a client, or of a network behind it, for which the gateway answers in its place:
// proxy ARP (RFC 1027), or proxy neighbour discovery (RFC 4861 7.2.8). pppd's option `proxyarp` and
// scripts set them, and no negotiation names them.
#pragma once

#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/link_side.hpp"

namespace vpnha::ppp {

struct ProxiedAddress {
    LinkSide side{};  // Where the gateway answers.
    IpAddress address;
    friend auto operator<=>(const ProxiedAddress&, const ProxiedAddress&) = default;
};

// As records have them (docs/wire-format.md): at most limits::kSessionProxiedMax.
void write_proxied(ByteWriter& writer, const std::vector<ProxiedAddress>& proxied);
// Error malformed: there are more, or one has no side or no address.
[[nodiscard]] Result<std::vector<ProxiedAddress>> read_proxied(ByteReader& reader);

}  // namespace vpnha::ppp
