// SPDX-License-Identifier: GPL-2.0-or-later
// The tables of vpnha.toml: what they are called, and what each is for.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace vpnha::config {

// The tables of the file. Those from `gateway` on exist once per gateway.
enum class Section {
    cluster,
    daemon,
    replication,
    lease,
    fencing,
    radius,
    admission,
    gateway,
    outside,
    inside,
    links,
    l2tp,
    pptp,
    ipsec,
    conntrack
};

// In the order of the file.
[[nodiscard]] std::span<const Section> all_sections();

[[nodiscard]] bool is_per_gateway(Section section);
// Each gateway needs it.
[[nodiscard]] bool is_required(Section section);
// Clients may dial it where the table stands; a gateway needs one of them.
[[nodiscard]] bool is_protocol(Section section);
// A gateway has no table of a protocol that it does not serve; `show` of such a key needs one.
[[nodiscard]] bool has_section(const Gateway& gateway, Section section);
// The gateway serves the protocol; of another table nothing follows.
void add_section(Gateway& gateway, Section section);
// The last part of the section's header: "outside".
[[nodiscard]] std::string_view name_of(Section section);
// The whole header: "gateway.NAME.outside".
[[nodiscard]] std::string header_of(Section section, std::string_view gateway);
// What the section is for, one sentence.
[[nodiscard]] std::string_view help_of(Section section);

}  // namespace vpnha::config
