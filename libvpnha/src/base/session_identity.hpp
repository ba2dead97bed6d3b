// SPDX-License-Identifier: GPL-2.0-or-later
// How a RADIUS server names a session (RFC 5176 3, session identification): all that is given has
// to fit.
#pragma once

#include <optional>
#include <string>

#include "base/ids.hpp"

namespace vpnha {

struct SessionIdentity {
    std::optional<std::string> session{};  // Acct-Session-Id.
    std::optional<std::string> user{};     // User-Name.
    std::optional<Ipv4Address> address{};  // Framed-IP-Address.
    std::optional<std::string> peer{};     // Calling-Station-Id.

    [[nodiscard]] bool is_empty() const { return !session && !user && !address && !peer; }
    friend bool operator==(const SessionIdentity&, const SessionIdentity&) = default;
};

}  // namespace vpnha
