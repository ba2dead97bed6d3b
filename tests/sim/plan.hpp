// SPDX-License-Identifier: GPL-2.0-or-later
// What a seed makes of a run. Each seed has a few kinds of faults only (swarm testing): a run with
// all of them at once hides what a few of them lead to.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/time.hpp"
#include "cluster/lease/effects.hpp"
#include "support/random.hpp"

namespace vpnha::sim {

enum class Fault : std::uint8_t {
    power_cut,       // A node loses its memory; it boots again later.
    daemon_killed,   // vpnhad dies and is started again; its kernel sessions die with it.
    partition,       // Two or three sides.
    one_way,         // A link that carries in one direction only.
    pause,           // A whole node stands still, its clock continues or stands still with it.
    slow,            // Each event takes a node milliseconds.
    clock,           // Clocks run at other rates and leap ahead.
    flow_control,    // The group takes few messages.
    refusal,         // The kernel refuses sessions for a while.
    vanish,          // Kernels lose sessions.
    overrun,         // Kernels lose sessions and the news of it.
    storm,           // Tens of sessions come or go at once.
    garbage,         // Bytes that are no message of ours, or of a later version.
    poison,          // Records that no replica can apply.
    step_fails,      // A step of a promotion or demotion fails.
    step_lasts,      // It takes long.
    switchover,      // The administrator moves a gateway.
    standby,         // The administrator takes a node out and back.
    resync,          // The administrator asks for a check.
    versions,        // Some nodes speak a later wire version too.
    links,           // A node loses the outside or the inside, or all nodes do.
    flow_loss,       // More events of flows than a node takes.
    flow_listing,    // Tables of flows that cannot be listed to their end.
    flow_full,       // Tables of flows that are full for a while.
    flow_flush,      // Somebody empties a table of flows.
    lease_lost,      // The lease's datagrams alone are lost: those from a node, or those to it.
    disk_full,       // A node can keep nothing for a while.
    voters,          // The list of voters changes.
    disk_lost,       // A node comes back with an empty disk.
    corosync_hangs,  // Corosync of a node stands still alone: its vpnhad and its lease continue.
    fencing_fails,   // Fencing takes 12 s, or fails for as long as there are faults.
    save_slow,       // Disks take up to 400 ms.
    group_slow,      // The cluster's links carry little: a snapshot takes seconds.
    leftover,        // A constraint that a move left behind: one node is preferred at any price.
    ring_storm,      // Rings come and go, hosts stall, and the lease gets through.
};
inline constexpr std::uint8_t kFaults = 35;
// Seeds from here on have the kinds from lease_lost to disk_lost, too. The plans of the seeds
// before stay as they are.
inline constexpr std::uint64_t kSecondSeries = 1'000'000;

// Seeds from here on have standbys that stand in, half of them, and a Pacemaker that goes by what
// it remembers.
inline constexpr std::uint64_t kThirdSeries = 2'000'000;

// In half of the seeds from here on every other node knows a family of records that the others do
// not know.
inline constexpr std::uint64_t kFourthSeries = 100'000'000;

// In three of four seeds from here on the gateways have counters, and who stands in is often cut
// off before it has told the group.
inline constexpr std::uint64_t kFifthSeries = 200'000'000;

// Seeds from here on have the kinds from corosync_hangs on, too. Nothing may be silent for long
// where standbys stand in, three of four.
inline constexpr std::uint64_t kSixthSeries = 400'000'000;

// Half of the seeds from here on have ring_storm, too.
inline constexpr std::uint64_t kSeventhSeries = 500'000'000;

// In three of four seeds from here on some or all clients dial PPTP.
inline constexpr std::uint64_t kEighthSeries = 600'000'000;

// In three of four seeds from here on the first gateway serves IPsec, in place of the counters.
inline constexpr std::uint64_t kNinthSeries = 700'000'000;

// In three of four seeds from here on the gateways serve echo (examples/echo), in place of counters
// and IPsec.
inline constexpr std::uint64_t kTenthSeries = 800'000'000;

// In three of four seeds from here on the gateways serve WireGuard as well.
inline constexpr std::uint64_t kEleventhSeries = 900'000'000;

// In three of four seeds from here on LACs begin calls in tunnels that were taken over.
inline constexpr std::uint64_t kTwelfthSeries = 1'000'000'000;

// In the seeds from here on half of the deaths of vpnhad are ends: it releases its leases first.
inline constexpr std::uint64_t kThirteenthSeries = 1'100'000'000;

enum class Fencing : std::uint8_t {
    all,      // Every lost node is switched off before anything is promoted elsewhere.
    holders,  // Only lost nodes that were promoted; the others come back with what they know.
    marks,    // All of them, by the others' marks; by power only when that fails.
    none,     // A bad day: lost nodes are taken for dead; only the lease keeps two from serving.
};

struct Plan {
    std::uint64_t seed = 0;
    unsigned steps = 0;
    std::uint32_t nodes = 0;
    std::uint8_t gateways = 0;
    std::set<Fault> faults;
    bool fresh = false;  // No node remembers a list of voters when the run begins.
    bool flows = false;  // The gateways' flows are replicated.
    bool stand_in = false;
    bool later_records = false;
    bool counters = false;
    bool accounts = false;  // The gateways account by RADIUS.
    bool ipsec = false;
    unsigned inner_percent = 0;  // Of the clients of IPsec have a virtual address.
    bool echo = false;
    bool wireguard = false;
    bool new_calls = false;
    bool ends = false;  // A vpnhad may end, instead of being killed.
    // The machines have numbers that nobody may use twice, beside those of PPTP.
    [[nodiscard]] bool has_numbers() const { return counters || ipsec || echo; }
    unsigned calls_percent = 0;  // Of what clients dial; 0: the gateways have no PPTP.
    Fencing fencing{};
    Duration pace{};              // Mean time between two steps.
    Duration token{};             // A lost token is noticed after this …
    Duration consensus{};         // … and a ring is formed after that.
    std::size_t group_queue = 0;  // Messages that the group takes from a node before it says no.
    // What a ring carries; 0: any number.
    std::uint64_t group_bytes_per_second = 0;
    // Whether a gateway that could be served and is not is a failure.
    [[nodiscard]] bool bounds_silence() const;

    // What a node's disk has when the run begins.
    [[nodiscard]] std::optional<lease::Durable> first_memory() const;
    [[nodiscard]] bool has(Fault fault) const { return faults.contains(fault); }
};

[[nodiscard]] Plan make_plan(std::uint64_t seed, unsigned steps);
[[nodiscard]] std::string describe(const Plan& plan);

// A time between the two, evenly spread.
[[nodiscard]] Duration between(test::Random& random, Duration shortest, Duration longest);

}  // namespace vpnha::sim
