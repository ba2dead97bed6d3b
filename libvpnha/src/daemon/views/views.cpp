// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/views/views.hpp"

#include <fmt/format.h>

#include <type_traits>
#include <variant>

#include "base/limits.hpp"
#include "daemon/views/gate_view.hpp"
#include "host/os/log.hpp"
#include "host/os/process.hpp"

namespace vpnha::runtime {

namespace {

using nlohmann::json;

double in_ms(Duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

json ms_of(std::optional<Duration> time) {
    return time ? json(in_ms(*time)) : json(nullptr);
}

json seconds_of(std::optional<Duration> duration) {
    return duration ? json(std::chrono::duration<double>(*duration).count()) : json(nullptr);
}

// An estimate: the overhead of the C++ library for each entry of a map, and of the allocator for
// each block.
constexpr std::size_t kEntryBytes =
    sizeof(wire::RecordKey) + sizeof(replica::StoredRecord) + std::size_t{48} + std::size_t{16};
constexpr std::size_t kTombstoneBytes =
    2 * sizeof(wire::RecordKey) + sizeof(replica::Tombstone) + std::size_t{48};

json records_view(const node::GatewayNode& gateway, TimePoint now) {
    const replica::Replica& replica = gateway.cores().replica;
    const replica::Store& store = replica.store();
    const std::size_t count = store.records().size();
    const std::size_t tombstones = store.tombstones().size();
    constexpr wire::Room kSessions = wire::room_of(wire::Service::session);
    constexpr wire::Room kCheckpoints = wire::room_of(wire::Service::checkpoint);
    constexpr wire::Room kTracked = wire::room_of(wire::Service::tracked);
    return {
        {"count", store.size_of(wire::Service::session)},
        {"count_max", limits::kRecordsPerGatewayMax},
        {"peak", gateway.cores().history.records_peak()},
        {"unsent", replica.dirty()},
        {"lag_ms", ms_of(replica.lag(now))},
        {"tombstones", tombstones},
        {"tombstones_max", limits::kTombstonesMax},
        {"installing", replica.installing()},
        {"quarantined", replica.quarantined()},
        {"unknown", store.unknown()},
        {"memory_bytes",
         count * kEntryBytes + store.payload_bytes() + tombstones * kTombstoneBytes},
        {"memory_bytes_max",
         (kSessions.records_max + kCheckpoints.records_max + kTracked.records_max) * kEntryBytes +
             kSessions.bytes_max + kCheckpoints.bytes_max + kTracked.bytes_max +
             limits::kTombstonesMax * kTombstoneBytes}};
}

json to_json(const StatusValue& value) {
    return std::visit(
        [](const auto& each) {
            using Each = std::decay_t<decltype(each)>;
            if constexpr (std::is_same_v<Each, std::monostate>) {
                return json(nullptr);
            } else {
                return json(each);
            }
        },
        value);
}

void place(const Status& status, json& view) {
    for (const auto& [place, value] : status) {
        view[json::json_pointer("/" + place)] = to_json(value);
    }
}

json rounds_view(const node::GatewayNode& gateway, TimePoint now) {
    const node::RoundLateness& lateness = gateway.voters().lateness();
    json bounds = json::array();
    for (const Duration bound : node::RoundLateness::kBounds) {
        bounds.push_back(in_ms(bound));
    }
    const lease::Timing& timing = gateway.cores().lease.engine().holder().timing();
    return {{"late_by_ms", std::move(bounds)},
            {"late", lateness.histogram().counts()},
            {"late_sum_ms", in_ms(lateness.histogram().sum())},
            {"worst_of_day_ms", in_ms(lateness.worst_of_day(now))},
            {"slack_ms", in_ms(timing.lease - timing.renew)}};
}

json sizing_view(const node::GatewayNode& gateway, TimePoint now) {
    const std::optional<node::LeaseSize>& size = gateway.voters().size();
    if (!size) {
        return nullptr;
    }
    const std::optional<NodeId> slowest =
        size->slowest(gateway.cores().lease.engine().state().voters.all(), now);
    return {{"needs_ms", in_ms(size->needs(now))},
            {"worst_ms", in_ms(size->worst(now))},
            {"slowest", slowest ? json(slowest->value) : json(nullptr)}};
}

json ms_since(const std::optional<TimePoint>& at, TimePoint now) {
    return at ? json(std::chrono::duration_cast<std::chrono::milliseconds>(now - *at).count())
              : json(nullptr);
}

json witness_view(const node::GatewayNode& gateway, TimePoint now) {
    if (!gateway.voters().has_witness()) {
        return nullptr;
    }
    const node::WitnessWatch& witness = gateway.voters().witness();
    return {{"name", gateway.cores().settings.witness_name},
            {"answers", witness.is_answering(now)},
            {"received_ms", ms_since(witness.received_at(), now)},
            {"round_trip_ms", ms_of(witness.round_trip())},
            {"differing", witness.is_differing()},
            {"two", witness.are_two()}};
}

json lease_view(const node::GatewayNode& gateway, TimePoint now) {
    const lease::Engine& lease = gateway.cores().lease.engine();
    const auto ids = [](const std::vector<NodeId>& nodes) {
        json list = json::array();
        for (const NodeId node : nodes) {
            list.push_back(node.value);
        }
        return list;
    };
    json votes = json::array();
    for (const node::VoterWatch::Vote& vote : gateway.voters().watch().votes()) {
        votes.push_back({{"node", vote.node.value},
                         {"counts", vote.counts},
                         {"received_ms", ms_since(vote.received_at, now)},
                         {"answered_ms", ms_since(vote.answered_at, now)}});
    }
    json clocks = json::array();
    for (const node::ClockRates::Clock& clock : gateway.voters().watch().clocks().astray()) {
        clocks.push_back({{"node", clock.node.value}, {"rate", clock.rate}});
    }
    const lease::Holder& holder = lease.holder();
    const Duration left = holder.serving() ? holder.state().deadline - now : Duration::zero();
    return {{"phase", to_string(holder.phase())},
            {"granted", to_string(lease.voter().granted())},
            {"left_ms", std::chrono::duration_cast<std::chrono::milliseconds>(left).count()},
            {"voters", ids(lease.state().voters.all())},
            {"leaving", ids(gateway.voters().leaving())},
            {"remembers", lease.remembers()},
            {"awaited", ids(lease.awaited())},
            {"differing", ids(lease.state().differing)},
            {"clocks_astray", std::move(clocks)},
            {"votes", std::move(votes)},
            {"witness", witness_view(gateway, now)},
            {"rounds", rounds_view(gateway, now)},
            {"duration_ms", in_ms(holder.timing().lease)},
            {"sizing", sizing_view(gateway, now)},
            {"reserve", gateway.voters().reserve()},
            {"saves", gateway.cores().lease.saves().work()},
            {"fenced", lease.state().fenced}};
}

json links_view(const node::Links& links) {
    return {{"outside", to_string(links.state(LinkSide::outside))},
            {"inside", to_string(links.state(LinkSide::inside))},
            {"giving_away", links.giving_away()}};
}

using Counters = std::map<std::string, std::uint64_t>;

Counters counters_of(const node::GatewayNode& gateway) {
    const replica::Counters& replica = gateway.cores().replica.counters();
    const node::GatewayCounters& own = gateway.view().counters();
    Counters all{{"replica_stale_epoch", replica.stale_epoch},
                 {"replica_implausible_epoch", replica.implausible_epoch},
                 {"replica_gaps", replica.gaps},
                 {"replica_digest_mismatch", replica.digest_mismatch},
                 {"replica_malformed", replica.malformed},
                 {"replica_resyncs", replica.resyncs},
                 {"replica_snapshots_sent", replica.snapshots_sent},
                 {"replica_over_limit", replica.over_limit},
                 {"replica_unreadable", replica.unreadable},
                 {"replica_refused", replica.refused},
                 {"replica_discarded", replica.discarded},
                 {"replica_sessions_lost", replica.sessions_lost},
                 {"links_lost", own.links_lost},
                 {"given_away", own.given_away},
                 {"switchovers", own.switchovers},
                 {"takeovers", own.takeovers},
                 {"unanswered", own.unanswered},
                 {"saves_failed", own.saves_failed}};
    all.merge(gateway.cores().keepers.counts());
    return all;
}

json takeover_view(const node::GatewayNode& gateway) {
    const std::optional<node::History::Takeover>& last = gateway.cores().history.last();
    if (!last) {
        return nullptr;
    }
    json phases = json::object();
    for (const auto& [step, took] : last->phases) {
        phases[std::string(to_string(step))] = in_ms(took);
    }
    return {{"unix_ms", gateway.cores().clock.unix_ms(last->at)},
            {"epoch", to_string(last->epoch)},
            {"from", last->from ? json(last->from->value) : json(nullptr)},
            {"silence_ms", ms_of(last->silence)},
            {"phases_ms", std::move(phases)}};
}

json holders_view(const node::GatewayNode& gateway) {
    json holders = json::array();
    for (const node::History::Holder& holder : gateway.cores().history.holders()) {
        holders.push_back({{"node", holder.epoch.node.value},
                           {"epoch", to_string(holder.epoch)},
                           {"since_unix_ms", gateway.cores().clock.unix_ms(holder.since)}});
    }
    return holders;
}

json gateway_view(const node::GatewayNode& gateway, const Around& around) {
    const replica::Replica& replica = gateway.cores().replica;
    const GatewayId id = gateway.cores().settings.id;
    json standbys = json::array();
    for (const NodeId node : replica.complete_standbys()) {
        standbys.push_back(node.value);
    }
    if (gateway.cores().attachment.attached() && !replica.promoted() &&
        replica.level() == wire::Level::complete) {
        standbys.push_back(gateway.cores().settings.lease.self.node.value);
    }
    const auto deadline = around.gate.deadline(id);
    const auto drops = around.gate.counters(id);
    const auto counts = around.sessions.find(id);
    json view{
        {"name", gateway.cores().settings.name},
        {"id", id.value},
        {"role", gateway.view().role()},
        {"role_since_unix_ms", gateway.cores().clock.unix_ms(gateway.cores().history.role_since())},
        {"last_takeover", takeover_view(gateway)},
        {"holders", holders_view(gateway)},
        {"epoch", to_string(replica.epoch())},
        {"promoted_node", nullptr},
        {"standing_in", gateway.view().stands_in()},
        {"standing_in_for", nullptr},
        {"standing_in_ms", nullptr},
        {"replica", name_of(replica.level())},
        {"standing", name_of(gateway.view().standing())},
        {"blockers", gateway.view().blockers()},
        {"routing", around.routing(id)},
        {"clock_difference_s",
         seconds_of(replica.promoted() ? Duration{} : gateway.cores().clock.difference())},
        {"score", gateway.view().score() ? json(*gateway.view().score()) : json(nullptr)},
        {"sessions",
         counts == around.sessions.end() ? SessionCounts{}.view() : counts->second.view()},
        {"records", records_view(gateway, around.now)},
        {"ipsec", nullptr},
        {"gate", deadline && *deadline && **deadline > around.now ? "open" : "shut"},
        {"gate_drops", drops ? drops_by_reason(*drops) : json(nullptr)},
        {"lease", lease_view(gateway, around.now)},
        {"links", links_view(gateway.view().links())},
        {"standbys", std::move(standbys)},
        {"counters", counters_of(gateway)}};
    place(gateway.cores().keepers.status(around.now), view);
    for (const ports::Backend* backend : around.backends) {
        place(backend->status_of(id), view);
    }
    if (replica.holder()) {
        view["promoted_node"] = replica.holder()->value;
    }
    if (gateway.view().stands_in()) {
        view["standing_in_for"] = gateway.view().stand_in().holder().value;
        view["standing_in_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(
                                     around.now - gateway.view().stand_in().since())
                                     .count();
    }
    return view;
}

json counters_view(const node::Node& node, const Around& around) {
    Counters sum{{"messages_malformed", node.counters().messages_malformed},
                 {"messages_unsupported", node.counters().messages_unsupported},
                 {"messages_ignored", node.counters().messages_ignored},
                 {"log_lines_dropped", adapters::log_lines_dropped()},
                 {"unknown_gateway", node.counters().unknown_gateway},
                 {"plugin_malformed", around.plugin_malformed},
                 {"control_malformed", around.control_malformed},
                 {"lease_sent", around.lease.sent},
                 {"lease_unsent", around.lease.unsent},
                 {"lease_received", around.lease.received},
                 {"lease_strangers", around.lease.strangers},
                 {"lease_forged", around.lease.forged},
                 {"lease_malformed", around.lease.malformed},
                 {"lease_replayed", around.lease.replayed},
                 {"lease_unproven", around.lease.unproven}};
    for (const auto& [id, gateway] : node.gateways()) {
        for (const auto& [name, count] : counters_of(gateway)) {
            sum[name] += count;
        }
        if (const auto drops = around.gate.counters(id)) {
            sum["gate_dropped_in"] += drops->dropped(ports::GateDirection::in);
            sum["gate_dropped_out"] += drops->dropped(ports::GateDirection::out);
        }
    }
    return sum;
}

json devices_view(const std::vector<DeviceWarning>& devices) {
    json list = json::array();
    for (const DeviceWarning& each : devices) {
        list.push_back(
            {{"interface", each.interface}, {"state", each.state}, {"reason", each.reason}});
    }
    return list;
}

// Closed in one network namespace: the exhausted resources there.
json admission_view(const std::vector<const Admission*>& admissions) {
    std::set<std::string> causes;
    std::uint64_t closures = 0;
    for (const Admission* const each : admissions) {
        causes.insert(each->causes().begin(), each->causes().end());
        closures += each->closures();
    }
    return {{"closed", !causes.empty()}, {"causes", causes}, {"closures", closures}};
}

json authorization_view(const std::vector<const adapters::AuthorizationCounters*>& all) {
    if (all.empty()) {
        return nullptr;
    }
    adapters::AuthorizationCounters sum;
    for (const adapters::AuthorizationCounters* const each : all) {
        sum += *each;
    }
    json naks;
    for (const adapters::ErrorCause cause : adapters::kErrorCauses) {
        const auto found = sum.naks.find(cause);
        naks[std::string(to_string(cause))] = found == sum.naks.end() ? 0 : found->second;
    }
    return {{"disconnects", sum.disconnects},
            {"changes", sum.changes},
            {"acks", sum.acks},
            {"naks", std::move(naks)},
            {"repeated", sum.repeated},
            {"strangers", sum.strangers},
            {"malformed", sum.malformed},
            {"unsigned", sum.is_unsigned},
            {"forged", sum.forged},
            {"stale", sum.stale}};
}

// A backend exists once for each network namespace.
Status status_of_all(const std::vector<ports::Backend*>& backends) {
    Status all;
    for (const ports::Backend* const backend : backends) {
        for (auto& [name, value] : backend->status()) {
            StatusValue& known = all[name];
            auto* const sum = std::get_if<std::uint64_t>(&known);
            const auto* const more = std::get_if<std::uint64_t>(&value);
            if (sum != nullptr && more != nullptr) {
                *sum += *more;
            } else {
                known = value;
            }
        }
    }
    return all;
}

}  // namespace

std::string_view name_of(wire::Level level) {
    switch (level) {
        case wire::Level::empty:
            return "empty";
        case wire::Level::partial:
            return "partial";
        case wire::Level::complete:
            return "complete";
    }
    return "empty";
}

json name_of_member(const node::Node& node, NodeId member) {
    if (member == node.settings().self) {
        return node.settings().name;
    }
    const auto peer = node.peers().find(member);
    return peer == node.peers().end() ? json(nullptr) : json(peer->second.node_name);
}

json peers_view(const node::Node& node) {
    const std::set<NodeId> incompatible = node.incompatible();
    json members = json::array();
    for (const NodeId member : node.members()) {
        const auto peer = node.peers().find(member);
        const bool known = peer != node.peers().end();
        members.push_back(
            {{"id", member.value},
             {"name", name_of_member(node, member)},
             {"wire_version", known ? json(peer->second.version_max) : json(nullptr)},
             {"wire_version_min", known ? json(peer->second.version_min) : json(nullptr)},
             {"compatible", !incompatible.contains(member)},
             {"instance", known ? json(std::to_string(peer->second.instance)) : json(nullptr)}});
    }
    return members;
}

json differences_view(const node::Node& node) {
    json list = json::array();
    for (const node::Difference& difference : node.differences()) {
        const node::GatewayNode* const gateway = node.find(difference.gateway);
        list.push_back(
            {{"node", difference.node.value},
             {"gateway", gateway == nullptr ? json(nullptr) : json(gateway->cores().settings.name)},
             {"item", difference.item},
             {"weight", difference.weight == wire::Weight::session ? "session" : "note"}});
    }
    return list;
}

json status_view(const node::Node& node, const Around& around) {
    json gateways = json::array();
    for (const auto& [id, gateway] : node.gateways()) {
        gateways.push_back(gateway_view(gateway, around));
    }
    const std::string& why = around.unencrypted_because;
    json view{
        {"version", around.version},
        {"node", {{"id", node.settings().self.value}, {"name", node.settings().name}}},
        {"restarts",
         {{"count", around.restart.count},
          {"death", around.restart.count == 0 ? json(nullptr) : json(around.restart.death)},
          {"votes_only", around.restart.votes_only}}},
        {"admission", admission_view(around.admissions)},
        {"devices", devices_view(around.devices)},
        {"stray_sessions",
         {{"count", around.strays.size()},
          {"reason", around.strays.empty() ? json(nullptr) : json(around.strays.front().reason)}}},
        {"quorate", node.quorate()},
        {"real_time", adapters::runs_in_real_time()},
        {"quorum",
         {{"mode", around.quorum.name},
          {"after_loss", around.quorum.after_loss},
          {"warning",
           around.quorum.warning.empty() ? json(nullptr) : json(around.quorum.warning)}}},
        {"wire_version", node.wire_version()},
        {"encryption",
         {{"on", why.empty()},
          {"allowed_off", around.unencrypted_allowed},
          {"reason", why.empty() ? json(nullptr) : json(why)}}},
        {"members", peers_view(node)},
        {"differences", differences_view(node)},
        {"gateways", std::move(gateways)},
        {"dynamic_authorization", authorization_view(around.authorizations)},
        {"scripts", nullptr},
        {"counters", counters_view(node, around)}};
    place(status_of_all(around.backends), view);
    return view;
}

}  // namespace vpnha::runtime
