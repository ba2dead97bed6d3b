// SPDX-License-Identifier: GPL-2.0-or-later
// An [lns] of an xl2tpd.conf: the options that xl2tpd 1.3.18 passes to the pppd of a call
// (control.c, ICCN), and its addresses for clients (aaa.c, get_addr()). Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"

namespace vpnha::adapters {

struct Xl2tpdLns {
    struct Range {
        Ipv4Address first;
        Ipv4Address last;
        bool is_allowed = true;
    };

    std::string options_file;
    std::string name;  // The name by which pppd authenticates itself.
    std::optional<Ipv4Address> local;
    std::vector<Range> ranges;  // A later one precedes an earlier one.
    bool assigns_address = true;
    bool authenticates_itself = true;
    bool authenticates_peer = false;
    bool requires_pap = false;
    bool requires_chap = false;
    bool refuses_pap = false;
    bool refuses_chap = false;
    bool asks_system = false;  // Its users are the system's.
    bool is_verbose = false;
    bool passes_peer = false;

    // An option of this section, in small letters; `flag`: its value as a flag. Options that do not
    // matter to a pppd have no effect, and neither has a range of names.
    void take(std::string_view option, const std::string& value, bool flag);
};

// They follow those that name the session. No `client`: pppd gets the address elsewhere.
[[nodiscard]] std::vector<std::string> pppd_options(const Xl2tpdLns& lns,
                                                    std::optional<Ipv4Address> client,
                                                    Ipv4Address peer);

// The last one: xl2tpd, which does not know of it, begins with the first. nullopt: there is none.
[[nodiscard]] std::optional<Ipv4Address> last_free_address(const Xl2tpdLns& lns,
                                                           const std::set<Ipv4Address>& taken);

}  // namespace vpnha::adapters
