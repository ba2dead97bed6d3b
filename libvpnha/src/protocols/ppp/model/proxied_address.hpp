// SPDX-License-Identifier: GPL-2.0-or-later
// An address of a client, or of a network behind it, for which the gateway answers instead: proxy
// ARP (RFC 1027), or proxy neighbour discovery (RFC 4861 7.2.8). pppd's option `proxyarp` and
// scripts set them; they are not negotiated.
#pragma once

#include "base/ip.hpp"
#include "base/link_side.hpp"

namespace vpnha::ppp {

struct ProxiedAddress {
    LinkSide side{};  // Where the gateway answers.
    IpAddress address;
    friend auto operator<=>(const ProxiedAddress&, const ProxiedAddress&) = default;
};

}  // namespace vpnha::ppp
