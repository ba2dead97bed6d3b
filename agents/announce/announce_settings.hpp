// SPDX-License-Identifier: GPL-2.0-or-later
// What ocf:vpnha:announce announces, of the resource's parameters; and what its start leaves for
// announce-prefixes and for the agents that come after it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "vpnha/ocf.hpp"

namespace vpnha::agents {

struct AnnounceSettings {
    std::string gateway;
    std::string config;
    std::string interface;
    std::vector<IpPrefix> prefixes;
    std::vector<std::string> command;  // With its arguments; empty: none.

    [[nodiscard]] std::string text() const;
    // nullopt: there is no such text, as before a start.
    [[nodiscard]] static std::optional<AnnounceSettings> of_text(const std::string& text);

    friend bool operator==(const AnnounceSettings&, const AnnounceSettings&) = default;
};

// Error invalid_argument: what is wrong here is wrong on each node.
[[nodiscard]] Result<AnnounceSettings> announce_settings(const ocf::Call& call);

// Files in the directory of the resource.
inline constexpr const char* kAnnounceStarted = "/started";
// What announce-prefixes cannot do at present; empty: nothing.
inline constexpr const char* kAnnounceTrouble = "/trouble";

}  // namespace vpnha::agents
