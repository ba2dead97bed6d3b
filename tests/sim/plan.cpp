// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/plan.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace vpnha::sim {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::array<std::string_view, kFaults> kNames{
    "power-cut",     "daemon-killed", "partition",  "one-way",    "pause",        "slow",
    "clock",         "flow",          "refusal",    "vanish",     "overrun",      "storm",
    "garbage",       "poison",        "step-fails", "step-lasts", "switchover",   "standby",
    "resync",        "versions",      "links",      "flow-loss",  "flow-listing", "flow-full",
    "flow-flush",    "lease-lost",    "disk-full",  "voters",     "disk-lost",    "corosync-hangs",
    "fencing-fails", "save-slow",     "group-slow", "leftover",   "ring-storm"};

}  // namespace

Duration between(test::Random& random, Duration shortest, Duration longest) {
    const auto width = static_cast<std::uint64_t>((longest - shortest).count());
    return shortest + Duration(static_cast<Duration::rep>(random.below(width + 1)));
}

std::optional<lease::Durable> Plan::first_memory() const {
    if (fresh) {
        return std::nullopt;
    }
    lease::Durable memory;
    memory.voters.current.version = {{0, NodeId{1}}, 0};
    for (std::uint32_t voter = 1; voter <= nodes; ++voter) {
        memory.voters.current.nodes.push_back(NodeId{voter});
    }
    return memory;
}

// Where the voters' lists or memories are uncertain, nobody may be granted the lease for good
// reason.
bool Plan::bounds_silence() const {
    return seed >= kSixthSeries && stand_in && nodes >= 3 && !fresh && !has(Fault::voters) &&
           !has(Fault::disk_lost);
}

Plan make_plan(std::uint64_t seed, unsigned steps) {
    test::Random random(seed * 0x9e3779b97f4a7c15 + 1);
    Plan plan;
    plan.seed = seed;
    plan.steps = steps;
    plan.nodes = 2 + static_cast<std::uint32_t>(random.below(6));
    plan.gateways = static_cast<std::uint8_t>(1 + random.below(3) * random.below(2));
    const unsigned share = 15 + static_cast<unsigned>(random.below(50));
    const auto draw = [&](Fault fault, test::Random& from) {
        if (from.chance(share)) {
            plan.faults.insert(fault);
        }
    };
    for (std::uint8_t fault = 0; fault < static_cast<std::uint8_t>(Fault::links); ++fault) {
        draw(static_cast<Fault>(fault), random);
    }
    // The last kinds are drawn apart: the plans of the seeds before them stay as they are.
    test::Random of_links(seed + 0x6c696e6b73);
    draw(Fault::links, of_links);
    test::Random of_flows(seed * 0x9e3779b97f4a7c15 + 2);
    plan.flows = of_flows.chance(50);
    constexpr auto kFirstOfLease = static_cast<std::uint8_t>(Fault::lease_lost);
    for (auto fault = static_cast<std::uint8_t>(Fault::flow_loss);
         plan.flows && fault < kFirstOfLease; ++fault) {
        draw(static_cast<Fault>(fault), of_flows);
    }
    // Drawn so that no seed of found.txt becomes another run.
    test::Random of_memory(seed * 0x9e3779b97f4a7c15 + 59);
    plan.fresh = of_memory.chance(12);
    test::Random of_lease(seed * 0x9e3779b97f4a7c15 + 4);
    constexpr auto kFirstOfCorosync = static_cast<std::uint8_t>(Fault::corosync_hangs);
    for (std::uint8_t fault = kFirstOfLease; seed >= kSecondSeries && fault < kFirstOfCorosync;
         ++fault) {
        draw(static_cast<Fault>(fault), of_lease);
    }
    test::Random of_corosync(seed * 0x9e3779b97f4a7c15 + 9);
    constexpr auto kRingStorm = static_cast<std::uint8_t>(Fault::ring_storm);
    for (std::uint8_t fault = kFirstOfCorosync; seed >= kSixthSeries && fault < kRingStorm;
         ++fault) {
        draw(static_cast<Fault>(fault), of_corosync);
    }
    test::Random of_rings(seed * 0x9e3779b97f4a7c15 + 10);
    if (seed >= kSeventhSeries && of_rings.chance(50)) {
        plan.faults.insert(Fault::ring_storm);
    }
    test::Random of_standing_in(seed * 0x9e3779b97f4a7c15 + 5);
    plan.stand_in = seed >= kThirdSeries && of_standing_in.chance(seed >= kSixthSeries ? 75 : 50);
    test::Random of_records(seed * 0x9e3779b97f4a7c15 + 6);
    plan.later_records = seed >= kFourthSeries && of_records.chance(50);
    test::Random of_counters(seed * 0x9e3779b97f4a7c15 + 7);
    plan.counters = seed >= kFifthSeries && of_counters.chance(75);
    test::Random of_calls(seed * 0x9e3779b97f4a7c15 + 11);
    if (seed >= kEighthSeries && of_calls.chance(75)) {
        plan.calls_percent = 40 + static_cast<unsigned>(of_calls.below(3)) * 30;
    }
    test::Random of_accounts(seed * 0x9e3779b97f4a7c15 + 14);
    plan.accounts = seed >= kEighthSeries && of_accounts.chance(50);
    test::Random of_ipsec(seed * 0x9e3779b97f4a7c15 + 16);
    plan.ipsec = seed >= kNinthSeries && of_ipsec.chance(75);
    // Drawn so that the seed of found.txt that needs them has them.
    test::Random of_addresses(seed * 0x9e3779b97f4a7c15 + 21);
    plan.inner_percent = of_addresses.chance(50) ? 100 : 50;
    test::Random of_echo(seed * 0x9e3779b97f4a7c15 + 17);
    plan.echo = seed >= kTenthSeries && of_echo.chance(75);
    // Their machines have one set of numbers.
    plan.ipsec = plan.ipsec && !plan.echo;
    plan.counters = plan.counters && !plan.ipsec && !plan.echo;
    test::Random of_peers(seed * 0x9e3779b97f4a7c15 + 19);
    plan.wireguard = seed >= kEleventhSeries && of_peers.chance(75);
    test::Random of_new_calls(seed * 0x9e3779b97f4a7c15 + 20);
    plan.new_calls = seed >= kTwelfthSeries && of_new_calls.chance(75);
    plan.ends = seed >= kThirteenthSeries;
    if (plan.fresh) {
        // Of lists that no grant has put in order yet an operator has to say which is right.
        plan.faults.erase(Fault::voters);
    }
    const std::uint64_t fencing = random.below(10);
    plan.fencing = fencing < 3   ? Fencing::all
                   : fencing < 5 ? Fencing::marks
                   : fencing < 8 ? Fencing::holders
                                 : Fencing::none;
    static constexpr std::array<Duration, 4> kPaces{milliseconds(5), milliseconds(40),
                                                    milliseconds(200), milliseconds(1000)};
    plan.pace = kPaces[random.below(kPaces.size())];
    plan.token = between(random, milliseconds(200), milliseconds(1000));
    plan.consensus = plan.token * 6 / 5;
    if (plan.has(Fault::group_slow)) {
        // A session's record has 200 bytes: of a few hundred sessions a snapshot takes seconds.
        plan.group_bytes_per_second = 10'000 + of_corosync.below(90'000);
    }
    plan.group_queue = plan.has(Fault::flow_control) ? 1 + random.below(8) : 200;
    return plan;
}

std::string describe(const Plan& plan) {
    static constexpr std::array<std::string_view, 4> kFencing{"all", "holders", "marks", "none"};
    std::string faults;
    for (const Fault fault : plan.faults) {
        faults += faults.empty() ? "" : " ";
        faults += kNames[static_cast<std::size_t>(fault)];
    }
    return fmt::format(
        "{} nodes, {} gateways, fencing {}, pace {} ms, token {} ms{}{}{}{}{}{}{}{}{}{}{}, faults: "
        "{}",
        plan.nodes, plan.gateways, kFencing[static_cast<std::size_t>(plan.fencing)],
        plan.pace / milliseconds(1), plan.token / milliseconds(1), plan.flows ? ", flows" : "",
        plan.fresh ? ", new" : "", plan.stand_in ? ", standing in" : "",
        plan.later_records ? ", later records" : "", plan.counters ? ", counters" : "",
        plan.calls_percent > 0 ? fmt::format(", {} % PPTP", plan.calls_percent) : "",
        plan.accounts ? ", accounts" : "",
        plan.ipsec ? fmt::format(", IPsec, {} % with addresses", plan.inner_percent) : "",
        plan.echo ? ", echo" : "", plan.wireguard ? ", WireGuard" : "",
        plan.new_calls ? ", new calls" : "", faults.empty() ? "none" : faults);
}

}  // namespace vpnha::sim
