// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/keys.hpp"

#include <fmt/format.h>

#include <limits>

#include "base/limits.hpp"
#include "config/key_text.hpp"
#include "config/radius_keys.hpp"
#include "config/values.hpp"

namespace vpnha::config {

namespace {

using wire::Weight;

constexpr std::int64_t kWitnessAddressesMax = 4;
constexpr std::int64_t kWitnessNameMax = 63;
// sockaddr_un's path less its terminator.
constexpr std::int64_t kSocketPathBytesMax = 107;
// CPG_MAX_NAME_LENGTH less one.
constexpr std::int64_t kGroupNameBytesMax = 127;
// The kernel's own rules lie at 32766 and 32767.
constexpr std::int64_t kRulePreferenceMax = 32'765;
constexpr std::int64_t kSessionsMax = 65'536;
constexpr std::int64_t kRedialsPerSecondMax = 10'000;
// Tenants that one gateway serves; each is a comparison for every event of the kernel.
constexpr std::int64_t kFlowZonesMax = 16;
// Longer lists belong into a RADIUS server: the list is searched for each session.
constexpr std::int64_t kUserRatesMax = 1000;

template <auto kMember>
constexpr Place hexadecimal() {
    return {at<&Gateway::conntrack, kMember>().store, [](const Config&, const Gateway& gateway) {
                return fmt::format("{:#x}", gateway.conntrack.*kMember);
            }};
}

std::vector<Key> daemon_keys() {
    return {
        {Section::cluster, "group", Kind::name, 1, kGroupNameBytesMax, "\"vpnha\"", "\"vpnha\"",
         "Name of the Corosync process group that carries the records. The same on all nodes.",
         Weight::note, at<&Config::cluster_group>()},
        {Section::cluster, "replicate_secrets_unencrypted", Kind::flag, 0, 0, "false", "false",
         "vpnhad does not start when Corosync sends unencrypted, because records and what is "
         "compared between nodes show a listener who the users are. true: it starts all the same, "
         "and warns.",
         Weight::note, at<&Config::replicate_secrets_unencrypted>()},
        {Section::daemon, "state_directory", Kind::path, 2, kFilePathBytesMax, "\"/var/lib/vpnha\"",
         "\"/var/lib/vpnha\"",
         "Where the epochs are kept over a restart: on a disk that outlives a reboot, for root "
         "alone.",
         Weight::note, at<&Config::state_directory>()},
        {Section::daemon, "control_socket", Kind::path, 2, kSocketPathBytesMax,
         "\"/run/vpnha/control.sock\"", "\"/run/vpnha/control.sock\"",
         "Where vpnha(8) and the resource agents reach vpnhad. Group vpnha may read, root may act.",
         Weight::note, at<&Config::control_socket>()},
        {Section::daemon, "plugin_socket", Kind::path, 2, kSocketPathBytesMax,
         "\"/run/vpnha/pppd.sock\"", "\"/run/vpnha/pppd.sock\"",
         "Where pppd's plugin vpnha.so reaches vpnhad; pppd's option vpnha_socket names the same.",
         Weight::note, at<&Config::plugin_socket>()},
        {Section::daemon, "log_level", Kind::log_level, 0, 0, "\"info\"", "\"info\"",
         "The least important messages that are logged.", Weight::note, at<&Config::log_level>()},
        {Section::replication, "confirm_wait", Kind::duration, 0, 10'000, "\"50ms\"", "\"50ms\"",
         "How long the answer to a new session waits for a standby to confirm it. 0ms: not at all. "
         "pppd waits for it no longer than its own option vpnha_wait, 100 ms unless that is given. "
         "The session comes up in any case.",
         Weight::note, at<&Config::confirm_wait>()},
    };
}

std::vector<Key> lease_keys() {
    return {
        {Section::lease, "port", Kind::number, 1, 65'535, "5420", "5420",
         "UDP port of the nodes' promises to each other, on all links of the cluster. The same on "
         "all nodes; let it through their firewalls.",
         Weight::session, at<&Config::lease_port>()},
        {Section::lease,
         "duration",
         Kind::duration_or_auto,
         50,
         500,
         "\"300ms\"",
         "\"300ms\"",
         "How long a promoted node may speak for its addresses after a majority of the nodes last "
         "answered it. \"auto\": it sizes itself, from 60 to 300 ms, by how late the nodes' loops "
         "and answers were; 'vpnha peers' shows what it is. The same on all nodes.",
         Weight::session,
         {[](Config& c, Gateway&, const Value& v) {
              const auto* const duration = std::get_if<std::chrono::milliseconds>(&v);
              c.lease_duration = duration ? std::optional(*duration) : std::nullopt;
          },
          [](const Config& c, const Gateway&) {
              return c.lease_duration ? shown(*c.lease_duration) : "\"auto\"";
          }}},
        {Section::lease, "watch", Kind::duration, 60'000, 2'592'000'000, "\"168h\"", "\"168h\"",
         "For how long a late loop or answer counts where 'duration' is \"auto\". In its first "
         "hour, or in the first such time if that is less, a node needs 300 ms.",
         Weight::note, at<&Config::lease_watch>()},
        {Section::lease, "renew", Kind::duration, 10, 249, "\"100ms\"", "\"100ms\"",
         "How often it asks them: less than half of 'duration', at least an eighth of it. A "
         "quarter "
         "where that is \"auto\".",
         Weight::note, at<&Config::lease_renew>()},
        {Section::lease, "clock_rate_ppm", Kind::number, 1000, 1'000'000, "10000", "10000",
         "By how much the clock of one node may run faster than another's, in millionths. Promises "
         "to a dead node last longer by that part. vpnhad does not start where chrony may slew a "
         "clock by more than this covers (maxslewrate). The same on all nodes.",
         Weight::note, at<&Config::clock_rate_ppm>()},
        {Section::lease, "clock_grain", Kind::duration, 10, 200, "\"10ms\"", "\"10ms\"",
         "How much longer each promise lasts besides, for what the reading of a clock adds. The "
         "same on all nodes.",
         Weight::note, at<&Config::clock_grain>()},
        {Section::lease, "witness", Kind::hosts, 0, kWitnessAddressesMax, "[]",
         "[\"wit1.example.net:5421\", \"[2001:db8::7]:5421\"]",
         "A third vote for a pair of nodes: the addresses of one vpnha-witness, names or numbers, "
         "with its UDP port unless that is 5421. Each datagram goes to all of them. A name is "
         "looked up while vpnhad runs. The same on both nodes. []: there is none.",
         Weight::note, at<&Config::witness, &Witness::addresses>()},
        {Section::lease, "witness_name", Kind::label, 0, kWitnessNameMax, "\"\"", "\"wit1\"",
         "The witness's name. It is a part of the key that 'vpnha witness-key' prints for it, so a "
         "new name is a new key. The same on both nodes. \"\": there is none.",
         Weight::note, at<&Config::witness, &Witness::name>()},
    };
}

std::vector<Key> fencing_keys() {
    return {
        {Section::fencing, "reset", Kind::flag, 0, 0, "true", "true",
         "A node that learns that it is fenced is silent at once, and resets its machine. false: "
         "only vpnhad ends, and does not start again before the next boot; for tests, and for "
         "machines that must not be reset.",
         Weight::note, at<&Config::fencing_reset>()},
    };
}

template <auto kMember>
Key admission_key(std::string_view name, const char* standard, std::string_view help) {
    return {Section::admission,
            name,
            Kind::number,
            0,
            100,
            standard,
            standard,
            help,
            Weight::note,
            at<&Config::admission, kMember>()};
}

std::vector<Key> admission_keys() {
    return {
        admission_key<&Admission::conntrack>(
            "conntrack", "95",
            "Of the table of connection tracking: in a full one no client's flow begins."),
        admission_key<&Admission::descriptors>(
            "descriptors", "95", "Of the open files that vpnhad may have, or the whole machine."),
        admission_key<&Admission::memory>("memory", "97", "Of the machine's memory."),
        admission_key<&Admission::processor>(
            "processor", "0",
            "Of all its processors together, for ten seconds. A gateway may well use all of them "
            "for the sessions that it has."),
    };
}

std::vector<Key> gateway_keys() {
    return {
        {Section::gateway, "id", Kind::number, 1, limits::kGatewaysMax, "", "1",
         "Number of the gateway on the wire. Unique, the same on all nodes, never changed.",
         Weight::note, at<&Gateway::id>()},
        {Section::gateway, "netns", Kind::name, 0, limits::kGatewayNameBytesMax, "\"\"", "\"vpn\"",
         "Network namespace of the gateway: its devices, sessions, flows, ESP SAs and stock "
         "daemons are in it. It is there before vpnhad starts "
         "(docs/operate/network-namespaces.md). "
         "Corosync, the lease and the control socket stay in the host's. \"\": the host's.",
         Weight::note, at<&Gateway::netns>()},
        {Section::gateway, "route_table", Kind::number, 1,
         std::numeric_limits<std::uint32_t>::max(), "1000 + id", "1001",
         "Routing table for the routes to this gateway's clients. Belongs to vpnhad alone.",
         Weight::note, at<&Gateway::route_table>()},
        {Section::gateway, "rule_preference", Kind::number, 1, kRulePreferenceMax, "id", "1",
         "Preference of the policy rules that lead to 'route_table' from the promotion on: one for "
         "each of 'pools', and one for the networks behind clients, if there are any. Belongs to "
         "vpnhad alone. Lower than those of all other rules but the kernel's own, 0, so that no "
         "other rule leads a client's packets elsewhere.",
         Weight::note, at<&Gateway::rule_preference>()},
        {Section::gateway, "stand_in", Kind::flag, 0, 0, "true", "true",
         "A standby serves as soon as a majority of the voters has no promise to the promoted node "
         "any more: a third of a second after a power cut, before Corosync, fencing and Pacemaker "
         "have noticed it. Pacemaker follows. It takes three voters; of two, nobody stands in. "
         "false: the standbys wait for Pacemaker's promotion. The same on all nodes.",
         Weight::note, at<&Gateway::stand_in>()},
        {Section::gateway, "resume_scripts", Kind::flag, 0, 0, "false", "false",
         "true: vpnhad runs /etc/ppp/ip-up and ipv6-up for sessions of L2TP and PPTP that it has "
         "resumed, ip-down and ipv6-down when this node carries them no more. A script that is "
         "not there, or not executable, is left out. Their arguments: docs/operate/scripts.md.",
         Weight::note, at<&Gateway::resume_scripts>()},
        {Section::gateway, "ppp_local", Kind::address, 0, 0, "", "\"10.200.0.1\"",
         "Address of the gateway's end of every session; xl2tpd's 'local ip'.", Weight::session,
         at<&Gateway::ppp_local>()},
        {Section::gateway, "pools", Kind::pools, 1, limits::kPoolsPerGatewayMax, "",
         "[\"10.200.1.0/24\", \"10.200.2.0/24\", \"10.200.3.0/24\", \"10.200.16.0/20\", "
         "\"10.200.32.0/20\"]",
         "Nets of the clients' addresses, IPv4 or IPv6, those of all nodes: 'common_pool', "
         "'virtual_pools' of [gateway.NAME.ipsec], and within them each node's xl2tpd has a range "
         "of its own.",
         Weight::session, at<&Gateway::pools>()},
        {Section::gateway, "common_pool", Kind::pools, 0, limits::kPoolsPerGatewayMax, "[]",
         "[\"10.200.16.0/20\"]",
         "Nets, IPv4, within 'pools', out of which vpnhad gives the clients of L2TP and PPTP their "
         "addresses, whichever node is promoted: none is given twice, over any number of "
         "failovers. Keep them apart from the ranges of xl2tpd and pptpd, which pppd falls back "
         "to while vpnhad is away, and from 'virtual_pools'. []: only those ranges are used.",
         Weight::note, at<&Gateway::common_pool>()},
        {Section::gateway, "address_hold", Kind::duration, 0, 86'400'000, "\"60s\"", "\"60s\"",
         "How long after the end of its session only the same user gets an address of "
         "'common_pool'.",
         Weight::note, at<&Gateway::address_hold>()},
        {Section::gateway, "sessions_max", Kind::number, 0, kSessionsMax, "0", "5000",
         "Sessions with an address of 'common_pool'; a client that dials beyond that is refused. "
         "0: no limit.",
         Weight::note, at<&Gateway::sessions_max>()},
        {Section::gateway, "sessions_per_user_max", Kind::number, 0, kSessionsMax, "0", "2",
         "The same of one user. A session whose client vanished counts until its echoes are "
         "missed: "
         "with 1 its user waits for that. 0: no limit.",
         Weight::note, at<&Gateway::sessions_per_user_max>()},
        {Section::gateway, "redials_per_second", Kind::number, 1, kRedialsPerSecondMax, "100",
         "100",
         "After a takeover, clients of L2TP and PPTP whose sessions cannot continue are notified, "
         "this many within a second at most: each dials again at once, and is authenticated.",
         Weight::note, at<&Gateway::redials_per_second>()},
        {Section::gateway, "accounting", Kind::flag, 0, 0, "false", "false",
         "true: vpnhad accounts for the sessions of L2TP, PPTP, IKEv2 and WireGuard to the servers "
         "of [radius], over any number of failovers; give pppd the option vpnha_accounting, and "
         "charon's eap-radius no 'accounting'. The same on all nodes.",
         Weight::note, at<&Gateway::accounting>()},
        {Section::outside, "interface", Kind::interface, 1, limits::kInterfaceNameBytesMax, "",
         "\"eth1\"", "Device on which clients arrive.", Weight::note,
         at<&Gateway::outside, &Side::interface>()},
        {Section::outside, "addresses", Kind::vips, 1, limits::kAddressesPerSideMax, "",
         "[\"192.0.2.100/24\"]",
         "Addresses that clients dial, IPv4 or IPv6 (\"2001:db8:1::100/64\"). They move with the "
         "promotion: configure them nowhere else. xl2tpd's listen-addr is the first IPv4 one.",
         Weight::session, at<&Gateway::outside, &Side::addresses>()},
        {Section::outside, "default_via", Kind::neighbours, 0, 2, "[]", "[\"192.0.2.1\"]",
         "Routers on this link, one IPv4 and one IPv6 at most. Answers of this side's addresses "
         "leave by them, by the link on which the clients came in, wherever the node's own default "
         "route leads. The table for it is 2000 + 2 * id. []: the node's own routes decide.",
         Weight::note, at<&Gateway::outside, &Side::default_via>()},
        {Section::inside, "interface", Kind::interface, 1, limits::kInterfaceNameBytesMax, "",
         "\"eth2\"", "Device on which the clients' traffic leaves.", Weight::note,
         at<&Gateway::inside, &Side::interface>()},
        {Section::inside, "addresses", Kind::vips, 0, limits::kAddressesPerSideMax, "[]",
         "[\"198.51.100.100/24\"]",
         "Addresses that inside routers use as the next hop to the clients, IPv4 or IPv6. They "
         "move "
         "too.",
         Weight::session, at<&Gateway::inside, &Side::addresses>()},
        {Section::inside, "default_via", Kind::neighbours, 0, 2, "[]", "[\"198.51.100.1\"]",
         "The same for the inside. Its table is 2001 + 2 * id.", Weight::note,
         at<&Gateway::inside, &Side::default_via>()},
    };
}

std::vector<Key> link_keys() {
    return {
        {Section::links, "outside_neighbours", Kind::neighbours, 0, limits::kNeighboursPerSideMax,
         "[]", "[\"192.0.2.1\"]",
         "Addresses on the outside's link, IPv4 or IPv6, like the router's. While none of them "
         "answers (ARP, neighbour discovery), the link counts as lost, though it has a carrier. "
         "[]: the carrier counts alone.",
         Weight::note, at<&Gateway::links, &Links::outside_neighbours>()},
        {Section::links, "inside_neighbours", Kind::neighbours, 0, limits::kNeighboursPerSideMax,
         "[]", "[\"198.51.100.1\"]", "The same for the inside.", Weight::note,
         at<&Gateway::links, &Links::inside_neighbours>()},
        {Section::links, "probe_interval", Kind::duration, 50, 10'000, "\"100ms\"", "\"100ms\"",
         "How often each neighbour is asked.", Weight::note,
         at<&Gateway::links, &Links::probe_interval>()},
        {Section::links, "lost_after", Kind::number, 1, 100, "3", "3",
         "Questions in a row that a neighbour leaves unanswered before it counts as lost.",
         Weight::note, at<&Gateway::links, &Links::lost_after>()},
        {Section::links, "give_away_after", Kind::duration, 0, 60'000, "\"200ms\"", "\"200ms\"",
         "A promoted node that has lost a link gives the gateway to a standby in sync that has not "
         "lost it, when this was so for so long: time to learn that the others have lost it too. "
         "For neighbours that do not answer it is one probe_interval more.",
         Weight::note, at<&Gateway::links, &Links::give_away_after>()},
        {Section::links, "hold_off", Kind::duration, 0, 3'600'000, "\"60s\"", "\"60s\"",
         "How long a link that was lost has to be good again before a gateway moves to its node: "
         "one that comes and goes moves a gateway once.",
         Weight::note, at<&Gateway::links, &Links::hold_off>()},
    };
}

std::vector<Key> bandwidth_keys() {
    return {
        {Section::bandwidth, "radius", Kind::flag, 0, 0, "false", "true",
         "true: a rate that a RADIUS server gives in Filter-Id, WISPr-Bandwidth-Max-Down and -Up "
         "or Mikrotik-Rate-Limit counts before the other keys, and a CoA-Request changes it. "
         "false: vpnhad ignores these attributes.",
         Weight::note, at<&Gateway::bandwidth, &Bandwidth::by_radius>()},
        {Section::bandwidth, "default", Kind::rate, 0, 0, "\"0\"", "\"20M/5M\"",
         "Rate of a session that has no other: to the client, and from it. K, M, G: 10^3, 10^6, "
         "10^9 bits a second; one number is for both directions. 0: no limit.",
         Weight::note, at<&Gateway::bandwidth, &Bandwidth::fallback>()},
        {Section::bandwidth, "users", Kind::user_rates, 0, kUserRatesMax, "[]",
         "[\"alice 100M/20M\"]",
         "Rates of single users: the name as authenticated, a blank, the rate.", Weight::note,
         at<&Gateway::bandwidth, &Bandwidth::users>()},
    };
}

}  // namespace

std::vector<Key> conntrack_keys() {
    return {
        {Section::conntrack, "replicate", Kind::flag, 0, 0, "true", "true",
         "Flows are records: every standby's kernel has them, with their NAT and marks, before it "
         "is promoted. false: none of this gateway's.",
         Weight::note, at<&Gateway::conntrack, &Conntrack::replicate>()},
        {Section::conntrack, "nets", Kind::nets, 0, limits::kFlowNetsMax, "[]",
         "[\"10.200.0.0/16\", \"192.0.2.100/32\"]",
         "Nets, IPv4 or IPv6, in which an end of the flow lies, before or after NAT. []: the pools "
         "and all addresses of the gateway.",
         Weight::note, at<&Gateway::conntrack, &Conntrack::nets>()},
        {Section::conntrack, "mark", Kind::number, 0, std::numeric_limits<std::uint32_t>::max(),
         "0x0", "0x0", "Only flows whose mark has these values in the bits of 'mark_mask'.",
         Weight::note, hexadecimal<&Conntrack::mark>()},
        {Section::conntrack, "mark_mask", Kind::number, 0,
         std::numeric_limits<std::uint32_t>::max(), "0x0", "0x0",
         "The bits of the mark that are looked at. 0x0: none, whatever the flow's mark.",
         Weight::note, hexadecimal<&Conntrack::mark_mask>()},
        {Section::conntrack, "zones", Kind::zones, 0, kFlowZonesMax, "[]", "[1, 2]",
         "Only flows in these zones of connection tracking. []: in all.", Weight::note,
         at<&Gateway::conntrack, &Conntrack::zones>()},
        {Section::conntrack, "unassured", Kind::flag, 0, 0, "false", "false",
         "Flows from their first packet on, ICMP too, but not SCTP and DCCP. false: only those "
         "that the kernel calls assured, so that a question and its answer (DNS) is no record.",
         Weight::note, at<&Gateway::conntrack, &Conntrack::unassured>()},
        {Section::conntrack, "labels", Kind::flag, 0, 0, "false", "false",
         "The ruleset gives labels to flows (ct label set): each new flow is looked at once more, "
         "because the kernel seldom reports them.",
         Weight::note, at<&Gateway::conntrack, &Conntrack::labels>()},
        {Section::conntrack, "delay", Kind::duration, 0, 60'000, "\"0ms\"", "\"0ms\"",
         "A flow becomes a record so long after it was first worth one: less work where most are "
         "short, and one that ends before is none. 0ms: at once.",
         Weight::note, at<&Gateway::conntrack, &Conntrack::delay>()},
    };
}

std::vector<Key> keys_of_all() {
    std::vector<Key> keys = daemon_keys();
    for (const auto& more : {lease_keys(), fencing_keys(), radius_keys(), admission_keys(),
                             gateway_keys(), link_keys(), bandwidth_keys()}) {
        keys.insert(keys.end(), more.begin(), more.end());
    }
    return keys;
}

std::string describe_type(const Key& key) {
    switch (key.kind) {
        case Kind::label:
            return fmt::format("string, lower-case letters, digits and -, at most {}", key.max);
        case Kind::name:
            return fmt::format("string, letters, digits, - and _, no - or _ first, at most {}",
                               key.max);
        case Kind::path:
            return fmt::format("string, absolute path of at most {} bytes", key.max);
        case Kind::interface:
            return fmt::format("string, device name of at most {}", key.max);
        case Kind::log_level:
            return "string, one of error, warning, info, debug";
        case Kind::number:
            return fmt::format("number, {} to {}", key.min, key.max);
        case Kind::flag:
            return "boolean, true or false";
        case Kind::duration:
        case Kind::duration_or_auto:
            return fmt::format("string, duration, {} to {}{}",
                               to_text(std::chrono::milliseconds(key.min)),
                               to_text(std::chrono::milliseconds(key.max)),
                               key.kind == Kind::duration ? "" : ", or auto");
        case Kind::address:
            return "string, unicast IPv4 address";
        case Kind::vips:
            return fmt::format("array of {} to {} strings, ADDRESS/LENGTH", key.min, key.max);
        case Kind::pools:
            return fmt::format("array of {} to {} strings, NET/LENGTH", key.min, key.max);
        case Kind::neighbours:
            return fmt::format("array of {} to {} strings, unicast addresses, each once", key.min,
                               key.max);
        case Kind::nets:
            return fmt::format("array of {} to {} strings, NET/LENGTH", key.min, key.max);
        case Kind::zones:
            return fmt::format("array of {} to {} numbers, 0 to 65535, each once", key.min,
                               key.max);
        case Kind::servers:
            return fmt::format("array of {} to {} strings, ADDRESS:PORT, each once", key.min,
                               key.max);
        case Kind::hosts:
            return fmt::format("array of {} to {} strings, HOST or HOST:PORT, each once", key.min,
                               key.max);
        case Kind::paths:
            return fmt::format("array of {} to {} strings, absolute paths, each once", key.min,
                               key.max);
        case Kind::rate:
            return "string, rate";
        case Kind::user_rates:
            return fmt::format("array of {} to {} strings, USER RATE, each user once", key.min,
                               key.max);
    }
    return "";
}

}  // namespace vpnha::config
