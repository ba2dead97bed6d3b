// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
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
// chap-secrets, pap-secrets and what @include lines in them name.
constexpr std::int64_t kSecretFilesMax = 16;
// swanctl.conf and the files of conf.d.
constexpr std::int64_t kConnectionFilesMax = 16;
// Tenants that one gateway serves; each is a comparison for every event of the kernel.
constexpr std::int64_t kFlowZonesMax = 16;

std::vector<Key> daemon_keys() {
    return {
        {Section::cluster, "group", Kind::name, 1, kGroupNameBytesMax, "\"vpnha\"", "\"vpnha\"",
         "Name of the Corosync process group that carries the records. The same on all nodes.",
         Weight::note, [](Config& c, Gateway&, const Value& v) { c.cluster_group = v.text; },
         [](const Config& c, const Gateway&) { return quoted_text(c.cluster_group); }},
        {Section::cluster, "replicate_secrets_unencrypted", Kind::flag, 0, 0, "false", "false",
         "vpnhad does not start when Corosync sends unencrypted, because records and what is "
         "compared between nodes tell a listener who the users are. true: it starts all the same, "
         "and warns.",
         Weight::note,
         [](Config& c, Gateway&, const Value& v) { c.replicate_secrets_unencrypted = v.flag; },
         [](const Config& c, const Gateway&) {
             return std::string(c.replicate_secrets_unencrypted ? "true" : "false");
         }},
        {Section::daemon, "state_directory", Kind::path, 2, kFilePathBytesMax, "\"/var/lib/vpnha\"",
         "\"/var/lib/vpnha\"",
         "Where the epochs are kept over a restart: on a disk that outlives a reboot, for root "
         "alone.",
         Weight::note, [](Config& c, Gateway&, const Value& v) { c.state_directory = v.text; },
         [](const Config& c, const Gateway&) { return quoted_text(c.state_directory); }},
        {Section::daemon, "control_socket", Kind::path, 2, kSocketPathBytesMax,
         "\"/run/vpnha/control.sock\"", "\"/run/vpnha/control.sock\"",
         "Where vpnha(8) and the resource agents reach vpnhad. Group vpnha may ask, root may act.",
         Weight::note, [](Config& c, Gateway&, const Value& v) { c.control_socket = v.text; },
         [](const Config& c, const Gateway&) { return quoted_text(c.control_socket); }},
        {Section::daemon, "plugin_socket", Kind::path, 2, kSocketPathBytesMax,
         "\"/run/vpnha/pppd.sock\"", "\"/run/vpnha/pppd.sock\"",
         "Where pppd's plugin vpnha.so reaches vpnhad; pppd's option vpnha_socket names the same.",
         Weight::note, [](Config& c, Gateway&, const Value& v) { c.plugin_socket = v.text; },
         [](const Config& c, const Gateway&) { return quoted_text(c.plugin_socket); }},
        {Section::daemon, "log_level", Kind::log_level, 0, 0, "\"info\"", "\"info\"",
         "The least important messages that are logged.", Weight::note,
         [](Config& c, Gateway&, const Value& v) { c.log_level = v.text; },
         [](const Config& c, const Gateway&) { return quoted_text(c.log_level); }},
        {Section::replication, "confirm_wait", Kind::duration, 0, 10'000, "\"50ms\"", "\"50ms\"",
         "How long the answer to a new session waits for a standby to confirm it. 0ms: not at all. "
         "pppd waits for it no longer than its own option vpnha_wait, 100 ms unless that is given. "
         "The session comes up in any case.",
         Weight::note, [](Config& c, Gateway&, const Value& v) { c.confirm_wait = v.duration; },
         [](const Config& c, const Gateway&) { return quoted_text(to_text(c.confirm_wait)); }},
    };
}

std::vector<Key> lease_keys() {
    return {
        {Section::lease, "port", Kind::number, 1, 65'535, "5420", "5420",
         "UDP port of the nodes' promises to each other, on all links of the cluster. The same on "
         "all nodes; let it through their firewalls.",
         Weight::session,
         [](Config& c, Gateway&, const Value& v) {
             c.lease_port = static_cast<std::uint16_t>(v.number);
         },
         [](const Config& c, const Gateway&) { return std::to_string(c.lease_port); }},
        {Section::lease, "duration", Kind::duration_or_auto, 50, 500, "\"300ms\"", "\"300ms\"",
         "How long a promoted node may speak for its addresses after a majority of the nodes last "
         "answered it. \"auto\": it sizes itself, from 60 to 300 ms, by how late the nodes' loops "
         "and answers were; 'vpnha peers' shows what it is. The same on all nodes.",
         Weight::session,
         [](Config& c, Gateway&, const Value& v) {
             c.lease_duration = v.text == "auto" ? std::nullopt : std::optional(v.duration);
         },
         [](const Config& c, const Gateway&) {
             return quoted_text(c.lease_duration ? to_text(*c.lease_duration) : "auto");
         }},
        {Section::lease, "watch", Kind::duration, 60'000, 2'592'000'000, "\"168h\"", "\"168h\"",
         "For how long a late loop or answer counts where 'duration' is \"auto\". In its first "
         "hour, or in the first such time if that is less, a node needs 300 ms.",
         Weight::note, [](Config& c, Gateway&, const Value& v) { c.lease_watch = v.duration; },
         [](const Config& c, const Gateway&) { return quoted_text(to_text(c.lease_watch)); }},
        {Section::lease, "renew", Kind::duration, 10, 249, "\"100ms\"", "\"100ms\"",
         "How often it asks them: less than half of 'duration', at least an eighth of it. A "
         "quarter "
         "where that is \"auto\".",
         Weight::note, [](Config& c, Gateway&, const Value& v) { c.lease_renew = v.duration; },
         [](const Config& c, const Gateway&) { return quoted_text(to_text(c.lease_renew)); }},
        {Section::lease, "clock_rate_ppm", Kind::number, 1000, 1'000'000, "10000", "10000",
         "By how much the clock of one node may run faster than another's, in millionths. Promises "
         "to a dead node last longer by that part. vpnhad does not start where chrony may slew a "
         "clock by more than this covers (maxslewrate). The same on all nodes.",
         Weight::note, [](Config& c, Gateway&, const Value& v) { c.clock_rate_ppm = v.number; },
         [](const Config& c, const Gateway&) { return std::to_string(c.clock_rate_ppm); }},
        {Section::lease, "clock_grain", Kind::duration, 10, 200, "\"10ms\"", "\"10ms\"",
         "How much longer each promise lasts besides, for what the reading of a clock adds. The "
         "same on all nodes.",
         Weight::note, [](Config& c, Gateway&, const Value& v) { c.clock_grain = v.duration; },
         [](const Config& c, const Gateway&) { return quoted_text(to_text(c.clock_grain)); }},
        {Section::lease, "witness", Kind::hosts, 0, kWitnessAddressesMax, "[]",
         "[\"wit1.example.net:5421\", \"[2001:db8::7]:5421\"]",
         "A third vote for a pair of nodes: the addresses of one vpnha-witness, names or numbers, "
         "with its UDP port unless that is 5421. Each datagram goes to all of them. A name is "
         "looked up while vpnhad runs. The same on both nodes. []: there is none.",
         Weight::note, [](Config& c, Gateway&, const Value& v) { c.witness.addresses = v.hosts; },
         [](const Config& c, const Gateway&) { return list(c.witness.addresses); }},
        {Section::lease, "witness_name", Kind::label, 0, kWitnessNameMax, "\"\"", "\"wit1\"",
         "The witness's name. It is a part of the key that 'vpnha witness-key' prints for it, so a "
         "new name is a new key. The same on both nodes. \"\": there is none.",
         Weight::note, [](Config& c, Gateway&, const Value& v) { c.witness.name = v.text; },
         [](const Config& c, const Gateway&) { return quoted_text(c.witness.name); }},
    };
}

std::vector<Key> fencing_keys() {
    return {
        {Section::fencing, "reset", Kind::flag, 0, 0, "true", "true",
         "A node that learns that it is fenced is silent at once, and resets its machine. false: "
         "only vpnhad ends, and does not start again before the next boot; for tests, and for "
         "machines that must not be reset.",
         Weight::note, [](Config& c, Gateway&, const Value& v) { c.fencing_reset = v.flag; },
         [](const Config& c, const Gateway&) {
             return std::string(c.fencing_reset ? "true" : "false");
         }},
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
            [](Config& c, Gateway&, const Value& v) {
                c.admission.*kMember = static_cast<std::uint32_t>(v.number);
            },
            [](const Config& c, const Gateway&) { return std::to_string(c.admission.*kMember); }};
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
         Weight::note,
         [](Config&, Gateway& g, const Value& v) {
             g.id = GatewayId{static_cast<std::uint8_t>(v.number)};
         },
         [](const Config&, const Gateway& g) { return std::to_string(g.id.value); }},
        {Section::gateway, "route_table", Kind::number, 1,
         std::numeric_limits<std::uint32_t>::max(), "1000 + id", "1001",
         "Routing table for the routes to this gateway's clients. Belongs to vpnhad alone.",
         Weight::note,
         [](Config&, Gateway& g, const Value& v) {
             g.route_table = static_cast<std::uint32_t>(v.number);
         },
         [](const Config&, const Gateway& g) { return std::to_string(g.route_table); }},
        {Section::gateway, "rule_preference", Kind::number, 1, kRulePreferenceMax, "id", "1",
         "Preference of the policy rules that lead to 'route_table' from the promotion on: one for "
         "each of 'pools', and one for the networks behind clients, if there are any. Belongs to "
         "vpnhad alone. Lower than those of all other rules but the kernel's own, 0, so that no "
         "other rule leads a client's packets elsewhere.",
         Weight::note,
         [](Config&, Gateway& g, const Value& v) {
             g.rule_preference = static_cast<std::uint32_t>(v.number);
         },
         [](const Config&, const Gateway& g) { return std::to_string(g.rule_preference); }},
        {Section::gateway, "stand_in", Kind::flag, 0, 0, "true", "true",
         "A standby serves as soon as a majority of the voters has no promise to the promoted node "
         "any more: a third of a second after a power cut, before Corosync, fencing and Pacemaker "
         "have noticed it. Pacemaker follows. It takes three voters; of two, nobody stands in. "
         "false: the standbys wait for Pacemaker's promotion. The same on all nodes.",
         Weight::note, [](Config&, Gateway& g, const Value& v) { g.stand_in = v.flag; },
         [](const Config&, const Gateway& g) { return text_of(g.stand_in); }},
        {Section::gateway, "resume_scripts", Kind::flag, 0, 0, "false", "false",
         "true: vpnhad runs /etc/ppp/ip-up and ipv6-up for sessions of L2TP and PPTP that it has "
         "resumed, ip-down and ipv6-down when this node carries them no more. A script that is "
         "not there, or not executable, is left out. Their arguments: docs/operate/scripts.md.",
         Weight::note, [](Config&, Gateway& g, const Value& v) { g.resume_scripts = v.flag; },
         [](const Config&, const Gateway& g) { return text_of(g.resume_scripts); }},
        {Section::gateway, "ppp_local", Kind::address, 0, 0, "", "\"10.200.0.1\"",
         "Address of the gateway's end of every session; xl2tpd's 'local ip'.", Weight::session,
         [](Config&, Gateway& g, const Value& v) { g.ppp_local = v.address; },
         [](const Config&, const Gateway& g) { return quoted_text(to_string(g.ppp_local)); }},
        {Section::gateway, "pools", Kind::pools, 1, limits::kPoolsPerGatewayMax, "",
         "[\"10.200.1.0/24\", \"10.200.2.0/24\", \"10.200.3.0/24\", \"10.200.16.0/20\", "
         "\"10.200.32.0/20\"]",
         "Nets of the clients' addresses, IPv4 or IPv6, those of all nodes: 'common_pool', "
         "'virtual_pools' of [gateway.NAME.ipsec], and within them each node's xl2tpd has a range "
         "of its own.",
         Weight::session, [](Config&, Gateway& g, const Value& v) { g.pools = v.prefixes; },
         [](const Config&, const Gateway& g) { return list(g.pools); }},
        {Section::gateway, "common_pool", Kind::pools, 0, limits::kPoolsPerGatewayMax, "[]",
         "[\"10.200.16.0/20\"]",
         "Nets, IPv4, within 'pools', out of which vpnhad gives the clients of L2TP and PPTP their "
         "addresses, whichever node is promoted: none is given twice, over any number of "
         "failovers. Keep them apart from the ranges of xl2tpd and pptpd, which pppd falls back "
         "to while vpnhad is away, and from 'virtual_pools'. []: only those ranges are used.",
         Weight::note, [](Config&, Gateway& g, const Value& v) { g.common_pool = v.prefixes; },
         [](const Config&, const Gateway& g) { return list(g.common_pool); }},
        {Section::gateway, "address_hold", Kind::duration, 0, 86'400'000, "\"60s\"", "\"60s\"",
         "For so long after the end of its session nobody but the same user gets an address of "
         "'common_pool'.",
         Weight::note, [](Config&, Gateway& g, const Value& v) { g.address_hold = v.duration; },
         [](const Config&, const Gateway& g) { return quoted_text(to_text(g.address_hold)); }},
        {Section::gateway, "sessions_max", Kind::number, 0, kSessionsMax, "0", "5000",
         "Sessions with an address of 'common_pool'; who dials beyond that is refused. 0: no "
         "limit.",
         Weight::note,
         [](Config&, Gateway& g, const Value& v) {
             g.sessions_max = static_cast<std::uint64_t>(v.number);
         },
         [](const Config&, const Gateway& g) { return std::to_string(g.sessions_max); }},
        {Section::gateway, "sessions_per_user_max", Kind::number, 0, kSessionsMax, "0", "2",
         "The same of one user. A session whose client vanished counts until its echoes are "
         "missed: "
         "with 1 its user waits for that. 0: no limit.",
         Weight::note,
         [](Config&, Gateway& g, const Value& v) {
             g.sessions_per_user_max = static_cast<std::uint64_t>(v.number);
         },
         [](const Config&, const Gateway& g) { return std::to_string(g.sessions_per_user_max); }},
        {Section::gateway, "redials_per_second", Kind::number, 1, kRedialsPerSecondMax, "100",
         "100",
         "After a takeover, clients of L2TP and PPTP whose sessions cannot go on are told so, this "
         "many within a second at most: each dials again at once, and is authenticated.",
         Weight::note,
         [](Config&, Gateway& g, const Value& v) {
             g.redials_per_second = static_cast<std::uint32_t>(v.number);
         },
         [](const Config&, const Gateway& g) { return std::to_string(g.redials_per_second); }},
        {Section::gateway, "accounting", Kind::flag, 0, 0, "false", "false",
         "true: vpnhad accounts for the sessions of L2TP and PPTP to the servers of [radius], over "
         "any number of failovers; give pppd the option vpnha_accounting. The same on all nodes.",
         Weight::note, [](Config&, Gateway& g, const Value& v) { g.accounting = v.flag; },
         [](const Config&, const Gateway& g) { return text_of(g.accounting); }},
        {Section::outside, "interface", Kind::interface, 1, limits::kInterfaceNameBytesMax, "",
         "\"eth1\"", "Device on which clients arrive.", Weight::note,
         [](Config&, Gateway& g, const Value& v) { g.outside.interface = v.text; },
         [](const Config&, const Gateway& g) { return quoted_text(g.outside.interface); }},
        {Section::outside, "addresses", Kind::vips, 1, limits::kAddressesPerSideMax, "",
         "[\"192.0.2.100/24\"]",
         "Addresses that clients dial, IPv4 or IPv6 (\"2001:db8:1::100/64\"). They move with the "
         "promotion: configure them nowhere else. xl2tpd's listen-addr is the first IPv4 one.",
         Weight::session,
         [](Config&, Gateway& g, const Value& v) { g.outside.addresses = v.prefixes; },
         [](const Config&, const Gateway& g) { return list(g.outside.addresses); }},
        {Section::outside, "default_via", Kind::neighbours, 0, 2, "[]", "[\"192.0.2.1\"]",
         "Routers on this link, one IPv4 and one IPv6 at most. Answers of this side's addresses "
         "leave by them, by the link on which the clients came in, wherever the node's own default "
         "route leads. The table for it is 2000 + 2 * id. []: the node's own routes say.",
         Weight::note,
         [](Config&, Gateway& g, const Value& v) { g.outside.default_via = v.addresses; },
         [](const Config&, const Gateway& g) { return list(g.outside.default_via); }},
        {Section::inside, "interface", Kind::interface, 1, limits::kInterfaceNameBytesMax, "",
         "\"eth2\"", "Device on which the clients' traffic goes on.", Weight::note,
         [](Config&, Gateway& g, const Value& v) { g.inside.interface = v.text; },
         [](const Config&, const Gateway& g) { return quoted_text(g.inside.interface); }},
        {Section::inside, "addresses", Kind::vips, 0, limits::kAddressesPerSideMax, "[]",
         "[\"198.51.100.100/24\"]",
         "Addresses that inside routers use as the next hop to the clients, IPv4 or IPv6. They "
         "move "
         "too.",
         Weight::session,
         [](Config&, Gateway& g, const Value& v) { g.inside.addresses = v.prefixes; },
         [](const Config&, const Gateway& g) { return list(g.inside.addresses); }},
        {Section::inside, "default_via", Kind::neighbours, 0, 2, "[]", "[\"198.51.100.1\"]",
         "The same for the inside. Its table is 2001 + 2 * id.", Weight::note,
         [](Config&, Gateway& g, const Value& v) { g.inside.default_via = v.addresses; },
         [](const Config&, const Gateway& g) { return list(g.inside.default_via); }},
    };
}

std::vector<Key> link_keys() {
    return {
        {Section::links, "outside_neighbours", Kind::neighbours, 0, limits::kNeighboursPerSideMax,
         "[]", "[\"192.0.2.1\"]",
         "Addresses on the outside's link, IPv4 or IPv6, like the router's. While none of them "
         "answers (ARP, neighbour discovery), the link counts as lost, though it has a carrier. "
         "[]: the carrier counts alone.",
         Weight::note,
         [](Config&, Gateway& g, const Value& v) { g.links.outside_neighbours = v.addresses; },
         [](const Config&, const Gateway& g) { return list(g.links.outside_neighbours); }},
        {Section::links, "inside_neighbours", Kind::neighbours, 0, limits::kNeighboursPerSideMax,
         "[]", "[\"198.51.100.1\"]", "The same for the inside.", Weight::note,
         [](Config&, Gateway& g, const Value& v) { g.links.inside_neighbours = v.addresses; },
         [](const Config&, const Gateway& g) { return list(g.links.inside_neighbours); }},
        {Section::links, "probe_interval", Kind::duration, 50, 10'000, "\"100ms\"", "\"100ms\"",
         "How often each neighbour is asked.", Weight::note,
         [](Config&, Gateway& g, const Value& v) { g.links.probe_interval = v.duration; },
         [](const Config&, const Gateway& g) {
             return quoted_text(to_text(g.links.probe_interval));
         }},
        {Section::links, "lost_after", Kind::number, 1, 100, "3", "3",
         "Questions in a row that a neighbour leaves unanswered before it counts as gone.",
         Weight::note,
         [](Config&, Gateway& g, const Value& v) {
             g.links.lost_after = static_cast<std::uint32_t>(v.number);
         },
         [](const Config&, const Gateway& g) { return std::to_string(g.links.lost_after); }},
        {Section::links, "give_away_after", Kind::duration, 0, 60'000, "\"200ms\"", "\"200ms\"",
         "A promoted node that has lost a link gives the gateway to a standby in sync that has not "
         "lost it, when this was so for so long: time to hear that the others have lost it too. "
         "For neighbours that do not answer it is one probe_interval more.",
         Weight::note,
         [](Config&, Gateway& g, const Value& v) { g.links.give_away_after = v.duration; },
         [](const Config&, const Gateway& g) {
             return quoted_text(to_text(g.links.give_away_after));
         }},
        {Section::links, "hold_off", Kind::duration, 0, 3'600'000, "\"60s\"", "\"60s\"",
         "For so long a link that was lost has to be good again before a gateway moves to its "
         "node: one that comes and goes moves a gateway once.",
         Weight::note, [](Config&, Gateway& g, const Value& v) { g.links.hold_off = v.duration; },
         [](const Config&, const Gateway& g) { return quoted_text(to_text(g.links.hold_off)); }},
    };
}

std::vector<Key> l2tp_keys() {
    return {
        {Section::l2tp, "port", Kind::number, 1, 65'535, "1701", "1701",
         "UDP port that clients dial; xl2tpd's port.", Weight::session,
         [](Config&, Gateway& g, const Value& v) {
             g.l2tp->port = static_cast<std::uint16_t>(v.number);
         },
         [](const Config&, const Gateway& g) { return std::to_string(g.l2tp->port); }},
        {Section::l2tp, "hello_interval", Kind::duration, 1'000, 3'600'000, "\"60s\"", "\"60s\"",
         "Silence of a resumed tunnel after which a HELLO is sent.", Weight::note,
         [](Config&, Gateway& g, const Value& v) { g.l2tp->hello_interval = v.duration; },
         [](const Config&, const Gateway& g) {
             return quoted_text(to_text(g.l2tp->hello_interval));
         }},
        {Section::l2tp, "secrets", Kind::paths, 0, kSecretFilesMax,
         "[\"/etc/ppp/chap-secrets\", \"/etc/ppp/pap-secrets\"]",
         "[\"/etc/ppp/chap-secrets\", \"/etc/ppp/pap-secrets\"]",
         "pppd's files of users and passwords. Compared between the nodes by keyed hashes: where "
         "they differ, users cannot dial in after a failover. The order of lines and comments do "
         "not count.",
         Weight::note, [](Config&, Gateway& g, const Value& v) { g.l2tp->secrets = v.paths; },
         [](const Config&, const Gateway& g) { return list(g.l2tp->secrets); }},
        {Section::l2tp, "ppp_options", Kind::path, 2, kFilePathBytesMax,
         "\"/etc/ppp/options.xl2tpd\"", "\"/etc/ppp/options.xl2tpd\"",
         "pppd's options, xl2tpd's 'pppoptfile'. Compared between the nodes in the same way; the "
         "order of lines counts.",
         Weight::note, [](Config&, Gateway& g, const Value& v) { g.l2tp->ppp_options = v.text; },
         [](const Config&, const Gateway& g) { return quoted_text(g.l2tp->ppp_options); }},
    };
}

std::vector<Key> pptp_keys() {
    return {
        {Section::pptp, "secrets", Kind::paths, 0, kSecretFilesMax, "[\"/etc/ppp/chap-secrets\"]",
         "[\"/etc/ppp/chap-secrets\"]",
         "pppd's files of users and passwords, compared between the nodes as those of L2TP.",
         Weight::note, [](Config&, Gateway& g, const Value& v) { g.pptp->secrets = v.paths; },
         [](const Config&, const Gateway& g) { return list(g.pptp->secrets); }},
        {Section::pptp, "ppp_options", Kind::path, 2, kFilePathBytesMax,
         "\"/etc/ppp/pptpd-options\"", "\"/etc/ppp/pptpd-options\"",
         "pppd's options, pptpd's 'option'. Compared between the nodes in the same way; the order "
         "of lines counts.",
         Weight::note, [](Config&, Gateway& g, const Value& v) { g.pptp->ppp_options = v.text; },
         [](const Config&, const Gateway& g) { return quoted_text(g.pptp->ppp_options); }},
    };
}

std::vector<Key> ipsec_keys() {
    return {
        {Section::ipsec, "required", Kind::flag, 0, 0, "false", "true",
         "L2TP passes only within IPsec: the gate drops the port of [gateway.NAME.l2tp] on the "
         "gateway's addresses in clear text, whatever the ruleset and charon's policies are.",
         Weight::session, [](Config&, Gateway& g, const Value& v) { g.ipsec->required = v.flag; },
         [](const Config&, const Gateway& g) { return text_of(g.ipsec->required); }},
        {Section::ipsec, "virtual_pools", Kind::pools, 0, limits::kPoolsPerGatewayMax, "[]",
         "[\"10.200.32.0/20\"]",
         "Nets within 'pools' out of which charon gives the clients of IKEv2 their virtual "
         "addresses: the pools of its plugin ha. While this node serves, 'route_table' leads them "
         "to the outside device, where the SA of each client takes what is for it. []: nobody "
         "gets a virtual address.",
         Weight::note,
         [](Config&, Gateway& g, const Value& v) { g.ipsec->virtual_pools = v.prefixes; },
         [](const Config&, const Gateway& g) { return list(g.ipsec->virtual_pools); }},
        {Section::ipsec, "connections", Kind::paths, 0, kConnectionFilesMax,
         "[\"/etc/swanctl/swanctl.conf\"]", "[\"/etc/swanctl/swanctl.conf\"]",
         "Files that swanctl loads. Compared between the nodes by keyed hashes: a standby keeps "
         "only SAs whose connection it has by the same name. The order of lines counts.",
         Weight::session,
         [](Config&, Gateway& g, const Value& v) { g.ipsec->connections = v.paths; },
         [](const Config&, const Gateway& g) { return list(g.ipsec->connections); }},
    };
}

std::vector<Key> conntrack_keys() {
    return {
        {Section::conntrack, "replicate", Kind::flag, 0, 0, "true", "true",
         "Flows are records: every standby's kernel has them, with their NAT and marks, before it "
         "is promoted. false: none of this gateway's.",
         Weight::note, [](Config&, Gateway& g, const Value& v) { g.conntrack.replicate = v.flag; },
         [](const Config&, const Gateway& g) { return text_of(g.conntrack.replicate); }},
        {Section::conntrack, "nets", Kind::nets, 0, limits::kFlowNetsMax, "[]",
         "[\"10.200.0.0/16\", \"192.0.2.100/32\"]",
         "Nets, IPv4 or IPv6, in which an end of the flow lies, before or after NAT. []: the pools "
         "and all addresses of the gateway.",
         Weight::note, [](Config&, Gateway& g, const Value& v) { g.conntrack.nets = v.prefixes; },
         [](const Config&, const Gateway& g) { return list(g.conntrack.nets); }},
        {Section::conntrack, "mark", Kind::number, 0, std::numeric_limits<std::uint32_t>::max(),
         "0x0", "0x0", "Only flows whose mark has these values in the bits of 'mark_mask'.",
         Weight::note,
         [](Config&, Gateway& g, const Value& v) {
             g.conntrack.mark = static_cast<std::uint32_t>(v.number);
         },
         [](const Config&, const Gateway& g) { return fmt::format("{:#x}", g.conntrack.mark); }},
        {Section::conntrack, "mark_mask", Kind::number, 0,
         std::numeric_limits<std::uint32_t>::max(), "0x0", "0x0",
         "The bits of the mark that are looked at. 0x0: none, whatever the flow's mark.",
         Weight::note,
         [](Config&, Gateway& g, const Value& v) {
             g.conntrack.mark_mask = static_cast<std::uint32_t>(v.number);
         },
         [](const Config&, const Gateway& g) {
             return fmt::format("{:#x}", g.conntrack.mark_mask);
         }},
        {Section::conntrack, "zones", Kind::zones, 0, kFlowZonesMax, "[]", "[1, 2]",
         "Only flows in these zones of connection tracking. []: in all.", Weight::note,
         [](Config&, Gateway& g, const Value& v) { g.conntrack.zones = v.zones; },
         [](const Config&, const Gateway& g) { return list(g.conntrack.zones); }},
        {Section::conntrack, "unassured", Kind::flag, 0, 0, "false", "false",
         "Flows from their first packet on, ICMP too, but not SCTP and DCCP. false: only those "
         "that the kernel calls assured, so that a question and its answer (DNS) is no record.",
         Weight::note, [](Config&, Gateway& g, const Value& v) { g.conntrack.unassured = v.flag; },
         [](const Config&, const Gateway& g) { return text_of(g.conntrack.unassured); }},
        {Section::conntrack, "labels", Kind::flag, 0, 0, "false", "false",
         "The ruleset gives labels to flows (ct label set): each new flow is looked at once more, "
         "because the kernel seldom tells them.",
         Weight::note, [](Config&, Gateway& g, const Value& v) { g.conntrack.labels = v.flag; },
         [](const Config&, const Gateway& g) { return text_of(g.conntrack.labels); }},
        {Section::conntrack, "delay", Kind::duration, 0, 60'000, "\"0ms\"", "\"0ms\"",
         "A flow becomes a record so long after it was first worth one: less work where most are "
         "short, and one that ends before is none. 0ms: at once.",
         Weight::note, [](Config&, Gateway& g, const Value& v) { g.conntrack.delay = v.duration; },
         [](const Config&, const Gateway& g) { return quoted_text(to_text(g.conntrack.delay)); }},
    };
}

}  // namespace

const std::vector<Key>& all_keys() {
    static const std::vector<Key> kKeys = [] {
        std::vector<Key> keys = daemon_keys();
        for (const auto& more :
             {lease_keys(), fencing_keys(), radius_keys(), admission_keys(), gateway_keys(),
              link_keys(), l2tp_keys(), pptp_keys(), ipsec_keys(), conntrack_keys()}) {
            keys.insert(keys.end(), more.begin(), more.end());
        }
        return keys;
    }();
    return kKeys;
}

const Key* find_key(Section section, std::string_view name) {
    const std::vector<Key>& keys = all_keys();
    const auto found = std::find_if(keys.begin(), keys.end(), [&](const Key& key) {
        return key.section == section && key.name == name;
    });
    return found == keys.end() ? nullptr : &*found;
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
    }
    return "";
}

}  // namespace vpnha::config
