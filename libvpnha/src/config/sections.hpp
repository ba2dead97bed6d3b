// SPDX-License-Identifier: GPL-2.0-or-later
// The tables of vpnha.toml: their names, and their purposes. Those of the protocols are in the
// folders of these (config/protocol.hpp).
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace vpnha::config {

// A table of the file, as a value: its name is its identity.
struct Section {
    std::string_view name;  // The last part of its header: "outside".
    std::string_view help;  // Its purpose, one sentence.
    bool is_per_gateway = false;
    bool is_required = false;  // In each gateway.
    // Clients may dial it if the table exists; a gateway needs one of them.
    bool is_protocol = false;

    static const Section cluster;
    static const Section daemon;
    static const Section replication;
    static const Section lease;
    static const Section fencing;
    static const Section radius;
    static const Section admission;
    static const Section gateway;
    static const Section outside;
    static const Section inside;
    static const Section links;
    static const Section bandwidth;
    static const Section conntrack;

    friend bool operator==(const Section& a, const Section& b) { return a.name == b.name; }
    friend auto operator<=>(const Section& a, const Section& b) { return a.name <=> b.name; }
};

inline constexpr Section Section::cluster{"cluster", "The cluster that this node belongs to."};
inline constexpr Section Section::daemon{"daemon", "vpnhad on this node."};
inline constexpr Section Section::replication{"replication", "How records reach the standbys."};
inline constexpr Section Section::lease{
    "lease", "The promoted node's right to speak, by promises of a majority of the nodes."};
inline constexpr Section Section::fencing{"fencing",
                                          "What this node does when the others have fenced it."};
inline constexpr Section Section::radius{
    "radius",
    "The servers to which vpnhad accounts for the sessions of gateways with 'accounting'."};
inline constexpr Section Section::admission{
    "admission",
    "How much of this node may be used, in percent, before it accepts no new clients. It "
    "accepts them again when it is 5 percent less. 0: no limit."};
inline constexpr Section Section::gateway{
    "gateway", "A gateway: addresses and sessions that fail over together. One table each.", true};
inline constexpr Section Section::outside{"outside", "The side on which clients dial in.", true,
                                          true};
inline constexpr Section Section::inside{"inside", "The side on which the clients' traffic leaves.",
                                         true, true};
inline constexpr Section Section::links{
    "links", "When a promoted node whose outside or inside link is lost gives the gateway away.",
    true};
inline constexpr Section Section::bandwidth{
    "bandwidth", "How fast sessions of L2TP and PPTP may be (docs/operate/bandwidth.md).", true};
inline constexpr Section Section::conntrack{
    "conntrack", "Which flows of the kernel's connection tracking survive a takeover.", true};

// The whole header: "gateway.NAME.outside".
[[nodiscard]] std::string header_of(const Section& section, std::string_view gateway);

}  // namespace vpnha::config
