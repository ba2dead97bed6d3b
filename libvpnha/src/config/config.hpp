// SPDX-License-Identifier: GPL-2.0-or-later
// /etc/vpnha/vpnha.toml as a value. Parsing is pure (text in, Config or all errors out); only
// load() reads the file. The keys with their bounds and defaults are those of a Schema;
// protocols/tables.hpp has the one of all protocols.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/ip.hpp"
#include "base/link_side.hpp"
#include "base/rate.hpp"
#include "config/served.hpp"

namespace vpnha::config {

class Schema;

// One side of a gateway: the device and the addresses that move with the promotion.
struct Side {
    std::string interface;
    std::vector<IpPrefix> addresses;
    // The routers that answers of these addresses leave by; at most one of each family. Empty: the
    // node's own routes apply.
    std::vector<IpAddress> default_via{};
};

// When a promoted node gives the gateway to one with better links.
struct Links {
    // One of them must answer on each side; without any the carrier counts alone.
    std::vector<IpAddress> outside_neighbours;
    std::vector<IpAddress> inside_neighbours;
    std::chrono::milliseconds probe_interval{100};
    std::uint32_t lost_after = 3;  // Requests without an answer.
    std::chrono::milliseconds give_away_after{200};
    std::chrono::milliseconds hold_off{60'000};
};

// Which flows of the kernel's connection tracking are records; services/flows/model/policy.hpp has
// the meanings.
struct Conntrack {
    bool replicate = true;
    std::vector<IpPrefix> nets;  // As given; Gateway::flow_nets() are those in force.
    std::uint32_t mark = 0;
    std::uint32_t mark_mask = 0;
    std::vector<std::uint16_t> zones;
    bool unassured = false;
    bool labels = false;
    std::chrono::milliseconds delay{0};
};

// A gateway's own addresses: only the node that is promoted for it may send from them. An address
// is a net of one.
struct Covered {
    enum class What { outside_vip, inside_vip, ppp_local, pool };

    What what{};
    IpPrefix net;

    [[nodiscard]] bool is_vip() const {
        return what == What::outside_vip || what == What::inside_vip;
    }
};

// Accounting by RADIUS (RFC 2866), for the gateways that want it.
struct Radius {
    // In the order in which they are tried.
    std::vector<Ipv4Endpoint> accounting_servers;
    std::string secret_file = "/etc/vpnha/radius.secret";
    std::chrono::milliseconds interim{300'000};
    bool interim_is_set = false;               // RFC 2869 2.1: it counts before a server's.
    std::chrono::milliseconds timeout{3'000};  // Of one request to one server.
    std::uint32_t retries = 2;                 // Beside the first request.
    std::uint32_t requests_per_second = 100;   // Accounting-Requests of one gateway.
    std::string nas_identifier = "vpnha";
    // Servers' requests to end sessions (RFC 5176).
    bool dynamic_authorization = false;
    std::uint16_t dynamic_authorization_port = 3799;
    std::vector<IpAddress> dynamic_authorization_clients;  // As given.

    // Allowed senders of them: those that are given or, without any, the accounting servers.
    [[nodiscard]] std::set<Ipv4Address> authorization_clients() const;
};

// A host's name or address, which has no brackets here, and a UDP port of it.
struct HostPort {
    std::string host;
    std::uint16_t port = 0;
    friend auto operator<=>(const HostPort&, const HostPort&) = default;
};
[[nodiscard]] std::string to_string(const HostPort& address);

// Its port, where none is given.
inline constexpr std::uint16_t kWitnessPort = 5421;

// A third vote for a pair of nodes; not a node of the cluster.
struct Witness {
    std::string name;                 // A part of its key; empty: there is none.
    std::vector<HostPort> addresses;  // All belong to the one witness.
};

// In percent of this node's capacity: at this use it accepts no new clients. 0: never.
struct Admission {
    std::uint32_t conntrack = 95;
    std::uint32_t descriptors = 95;
    std::uint32_t memory = 97;
    std::uint32_t processor = 0;
};

struct UserRate {
    std::string user;  // As authenticated.
    Rate rate;
    friend bool operator==(const UserRate&, const UserRate&) = default;
};
// "alice 100M/20M"
[[nodiscard]] std::string to_string(const UserRate& each);

struct Bandwidth {
    bool by_radius = false;  // A rate from a RADIUS server for a session takes precedence.
    Rate fallback;
    std::vector<UserRate> users;

    // `reported`: by a RADIUS server.
    [[nodiscard]] Rate of(const std::string& user, const std::optional<Rate>& reported) const;
};

struct Gateway {
    std::string name;
    GatewayId id{};
    std::string netns;                  // Of its devices, sessions and daemons; empty: the host's.
    Ipv4Address ppp_local;              // The address pppd gives itself on every session.
    std::vector<IpPrefix> pools;        // The clients' addresses, those of all nodes.
    std::vector<IpPrefix> common_pool;  // Of them, what vpnhad assigns, wherever it is promoted.
    std::chrono::milliseconds address_hold{60'000};  // Before another user may have an address.
    std::uint64_t sessions_max = 0;                  // With an address of it; 0: no limit.
    std::uint64_t sessions_per_user_max = 0;
    std::uint32_t redials_per_second = 100;
    Side outside;                       // Where clients come from: the VIPs they dial.
    Side inside;                        // Where their traffic goes: the VIPs that servers route to.
    std::uint32_t route_table = 0;      // Client /32 routes of hot sessions.
    std::uint32_t rule_preference = 0;  // Of all policy rules, switched on at promotion.
    bool stand_in = true;               // Standbys serve for a promoted node that is not reachable.
    bool accounting = false;            // By RADIUS.
    bool resume_scripts = false;        // pppd's scripts run for sessions that are resumed.
    Links links;
    Bandwidth bandwidth;  // Of sessions with a pppd.
    // Those that clients may dial; a checked configuration has at least one.
    ServedProtocols protocols;
    Conntrack conntrack;

    [[nodiscard]] std::vector<Covered> covered() const;
    [[nodiscard]] const Side& side(LinkSide which) const;
    // The routing table of a side that has a default_via.
    [[nodiscard]] std::uint32_t reply_table(LinkSide which) const;
    // The routing table of what a protocol sends by a socket of the kernel (Facts::is_marked).
    [[nodiscard]] std::uint32_t mark_table() const { return 3000U + id.value; }
    // It is outside or inside; one device may be both.
    [[nodiscard]] bool is_on(const std::string& interface) const;
    // What xl2tpd and pptpd listen on: L2TP and PPTP are IPv4 here. A checked configuration of them
    // has one.
    [[nodiscard]] Ipv4Address dialled_address() const;
    // conntrack.nets or, when none are given, all that is covered.
    [[nodiscard]] std::vector<IpPrefix> flow_nets() const;
};

struct Config {
    std::string control_socket = "/run/vpnha/control.sock";
    std::string plugin_socket = "/run/vpnha/pppd.sock";
    std::string state_directory = "/var/lib/vpnha";
    std::string cluster_group = "vpnha";  // CPG group name.
    // Continue although corosync does not encrypt what the nodes send each other.
    bool replicate_secrets_unencrypted = false;
    std::string log_level = "info";  // error, warning, info, debug
    // How long the answer to pppd's ip-up waits for a confirmation; pppd's vpnha_wait bounds it.
    std::chrono::milliseconds confirm_wait{50};
    std::uint16_t lease_port = 5420;  // UDP, on all links of the cluster.
    // How long a promoted node may send after the last answer of a majority of the nodes. nullopt:
    // the lease adapts itself, by the measures of `lease_watch`.
    std::optional<std::chrono::milliseconds> lease_duration{300};
    std::chrono::milliseconds lease_watch{std::chrono::hours(168)};
    std::chrono::milliseconds lease_renew{100};  // How often it asks.
    // A promise lasts longer than a lease by these two: ρ in millionths, and δ
    // (cluster/lease/timing.hpp).
    std::int64_t clock_rate_ppm = 10'000;
    std::chrono::milliseconds clock_grain{10};
    Witness witness;
    // A node that learns that it is fenced resets its machine; otherwise only vpnhad ends.
    bool fencing_reset = true;
    Radius radius;
    Admission admission;
    std::vector<Gateway> gateways;

    [[nodiscard]] const Gateway* find(std::string_view name) const;
    [[nodiscard]] const Gateway* find(GatewayId id) const;
    // The network namespaces of the gateways, each once; the host's first, if one is in it.
    [[nodiscard]] std::set<std::string> namespaces() const;
    // A gateway is in a network namespace of its own.
    [[nodiscard]] bool has_namespaces() const;
    // The same with only the gateways of that network namespace.
    [[nodiscard]] Config part(std::string_view netns) const;
};

// All errors of the file are one Error, with a line of text for each, in the file's order:
// "vpnha.toml:12: unknown key 'adresses' …; did you mean …?".
[[nodiscard]] Result<Config> parse(std::string_view toml, std::string_view file_name,
                                   const Schema& schema);
[[nodiscard]] Result<Config> load(const std::string& path, const Schema& schema);

}  // namespace vpnha::config
