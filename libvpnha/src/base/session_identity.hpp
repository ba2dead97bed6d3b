// SPDX-License-Identifier: GPL-2.0-or-later
// How a RADIUS server names a session (RFC 5176 3, session identification): all given attributes
// have to match.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"

namespace vpnha {

struct SessionIdentity {
    std::optional<std::string> session{};  // Acct-Session-Id.
    std::optional<std::string> user{};     // User-Name.
    std::optional<Ipv4Address> address{};  // Framed-IP-Address.
    std::optional<std::string> peer{};     // Calling-Station-Id.
    // Class, as in an Accounting-Request; each has to be one of the session's. Many sessions may
    // have it, so it names none by itself.
    std::vector<Bytes> classes{};

    [[nodiscard]] bool is_empty() const { return !session && !user && !address && !peer; }
    friend bool operator==(const SessionIdentity&, const SessionIdentity&) = default;
};

}  // namespace vpnha
