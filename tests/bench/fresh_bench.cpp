// SPDX-License-Identifier: GPL-2.0-or-later
// What brings a node that has just started all of a gateway's sessions: L2TP sessions, or IKE SAs
// with a CHILD SA each. Both nodes are whole ones, without sockets and kernel. In the place of the
// kernel is one that takes each session and each SA at once; in the place of charon one that takes
// a message each kMessage. So the time of the nodes' own clock is that of turns and pauses, and the
// processor time is that of both nodes' events. The kernel's work and charon's come to it.
//
// Beside it stands what one would pick instead: the same records as one JSON document, written by
// the one node and read into a hash map by the other. It has no versions, digest or confirmation,
// and the kernel is not told of them.
//
// What a kernel takes is measured of calls of PPTP, whose devices need no module: a TUN device with
// addresses and a route each, as a standby has them. Needs root, and a network namespace that may
// be littered. A line of JSON.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <ctime>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <queue>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "cluster/node/node.hpp"
#include "latencies.hpp"
#include "protocols/ipsec/table.hpp"
#include "protocols/ipsec/work.hpp"
#include "protocols/l2tp/work.hpp"
#include "protocols/pptp/backend/tun_device.hpp"
#include "record_set.hpp"

namespace vpnha::bench {

namespace {

constexpr std::uint32_t kServing = 1;
constexpr std::uint32_t kFresh = 2;
constexpr Duration kMessage = std::chrono::microseconds(200);
constexpr Duration kStep = std::chrono::milliseconds(1);
constexpr Duration kGivenUp = std::chrono::minutes(5);

Duration cpu_time() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

struct Cost {
    Duration busy{};
    Duration longest{};  // One event.
};

// A node with its charon and its kernel.
struct Site {
    std::unique_ptr<node::Node> node;
    std::map<ipsec::SaId, ipsec::SaCounters> kernel;
    // When charon has read them.
    std::queue<std::pair<TimePoint, node::FeedCharon>> feeds;
    std::uint64_t listed = 0;  // ESP SAs that the kernel has listed so far.
    Cost cost;
};

class Cluster {
  public:
    explicit Cluster(bool ipsec) : ipsec_(ipsec) {
        start(kServing);
        event(kServing, [&](node::Node& node) { return node.promote(1, kGateway, now_); });
        run();
        const TimePoint asked = now_;
        while (at(kServing).view().state() != takeover::State::promoted) {
            VPNHA_ASSERT(now_ - asked < kGivenUp);
            pass(kStep);
        }
    }

    void dial(std::uint32_t count) {
        for (std::uint32_t number = 0; number < count; ++number) {
            ipsec_ ? dial_ike(number) : dial_l2tp(number);
            run();
            // No pppd waits for a standby for long.
            pass(kStep);
        }
    }

    // Starts the other node; until the one that serves knows that it has everything.
    nlohmann::json join() {
        VPNHA_ASSERT(at(kServing).cores().replica.store().count() != 0);
        Site& serving = sites_.at(kServing);
        serving.cost = {};
        octets_ = 0;
        const TimePoint begun = now_;
        start(kFresh);
        run();
        while (!has_all()) {
            VPNHA_ASSERT(now_ - begun < kGivenUp);
            pass(kStep);
        }
        const Site& fresh = sites_.at(kFresh);
        return {{"records", at(kFresh).cores().replica.store().count()},
                {"octets", octets_},
                {"hot_ms", to_ms(now_ - begun)},
                {"fresh_ms", to_ms(fresh.cost.busy)},
                {"fresh_longest_ms", to_ms(fresh.cost.longest)},
                {"serving_ms", to_ms(serving.cost.busy)},
                {"serving_longest_ms", to_ms(serving.cost.longest)},
                {"listed", fresh.listed}};
    }

    [[nodiscard]] const replica::Store& store() { return at(kServing).cores().replica.store(); }

  private:
    [[nodiscard]] const node::GatewayNode& at(std::uint32_t number) {
        return *sites_.at(number).node->find(kGateway);
    }

    [[nodiscard]] bool has_all() {
        const replica::Replica& replica = at(kServing).cores().replica;
        const replica::Coverage fresh = replica.coverage(NodeId{kFresh});
        return !replica.complete_standbys().empty() && fresh.known && fresh.missing == 0 &&
               at(kFresh).cores().replica.store().count() == store().count();
    }

    void start(std::uint32_t number) {
        node::Settings settings;
        settings.self = NodeId{number};
        settings.name = fmt::format("gw{}", number);
        settings.instance = number;
        node::GatewaySettings gateway;
        gateway.id = kGateway;
        gateway.name = "gateway";
        gateway.lease = {sender_of(number), {}, {NodeId{kServing}}};
        gateway.started_at = now_ - 2 * gateway.lease.timing.abstention();
        if (ipsec_) {
            gateway.keepers.protocols.serve<ipsec::Table>();
        }
        settings.gateways = {gateway};
        sites_[number].node = std::make_unique<node::Node>(std::move(settings));
        change_members();
        event(number,
              [&](node::Node& node) { return node.attach(1, kGateway, "checkpoint", now_); });
        if (ipsec_) {
            notify(number, node::CharonFresh{});
        }
    }

    static lease::Sender sender_of(std::uint32_t number) {
        return {NodeId{number}, {}, lease::Instance{number}};
    }

    void dial_l2tp(std::uint32_t number) {
        event(kServing, [&](node::Node& node) {
            return node.on_plugin_up(number, "gateway",
                                     node::stock_session(session_record(number, 0)), "", now_);
        });
    }

    void dial_ike(std::uint32_t number) {
        const test::IkeSample client = ike_client(number);
        for (const Bytes& message :
             {client.add(), ipsec::build_mid(ipsec::HaType::ike_mid_responder, client.id, 2),
              client.update(), client.child(kInboundSpi + number, kOutboundSpi + number)}) {
            notify(kServing, node::CharonEmitted{message});
        }
        add_child(sites_.at(kServing), number);
    }

    void add_child(Site& site, std::uint32_t number) const {
        const auto client = parse_ip(ike_client(number).address);
        VPNHA_ASSERT(client.has_value());
        const ipsec::SaId in{*client, vip_, kInboundSpi + number};
        const ipsec::SaId out{vip_, *client, kOutboundSpi + number};
        site.kernel[in] = {.id = in, .window = kReplayWindow, .bitmap = {0}};
        site.kernel[out] = {.id = out, .bitmap = {}};
    }

    template <class Event>
    void event(std::uint32_t number, Event&& run) {
        Site& site = sites_.at(number);
        const Duration before = cpu_time();
        effects::Effects effects = run(*site.node);
        const Duration used = cpu_time() - before;
        site.cost.busy += used;
        site.cost.longest = std::max(site.cost.longest, used);
        for (effects::Effect& effect : effects) {
            wanted_.emplace_back(number, std::move(effect));
        }
    }

    template <class What>
    void notify(std::uint32_t number, const What& what) {
        event(number, [&](node::Node& node) { return node.on_event(kGateway, what, now_); });
    }

    void pass(Duration time) {
        now_ += time;
        for (auto& [number, site] : sites_) {
            while (!site.feeds.empty() && site.feeds.front().first <= now_) {
                const node::FeedCharon feed = std::move(site.feeds.front().second);
                site.feeds.pop();
                read(site, feed);
                notify(number, node::CharonFed{feed.ticket, {}});
            }
            if (const auto due = site.node->next_deadline(); due && *due <= now_) {
                event(number, [&](node::Node& node) { return node.on_time(now_); });
            }
        }
        run();
    }

    // Until nobody wants anything any more at this time.
    void run() {
        while (!wanted_.empty() || !group_.empty()) {
            for (auto& [number, effect] : std::exchange(wanted_, {})) {
                carry_out(number, effect);
            }
            for (const auto& [sender, message] : std::exchange(group_, {})) {
                octets_ += message.size();
                for (auto& [number, site] : sites_) {
                    event(number, [&](node::Node& node) {
                        return node.on_group_message(sender, message, now_);
                    });
                }
            }
        }
    }

    void carry_out(std::uint32_t number, effects::Effect& effect) {
        if (auto* sent = std::get_if<effects::SendToGroup>(&effect)) {
            group_.emplace_back(NodeId{number}, std::move(sent->message));
        } else if (const auto* save = std::get_if<effects::SaveLease>(&effect)) {
            event(number, [&](node::Node& node) {
                return node.on_lease_saved(kGateway, save->ticket, {}, now_);
            });
        } else if (const auto* step = std::get_if<effects::RunStep>(&effect)) {
            event(number, [&](node::Node& node) {
                return node.on_step_done(kGateway, step->step, {}, now_);
            });
        } else if (const auto* install = effects::find<node::InstallSession>(effect)) {
            notify(number, node::SessionInstalled{install->record.key, install->ticket, {}});
        } else if (auto* work = effects::find<node::IpsecWork>(effect)) {
            std::visit([&](auto& each) { execute(number, each); }, *work);
        }
    }

    void execute(std::uint32_t number, node::FeedCharon& feed) {
        Site& site = sites_.at(number);
        const TimePoint from = site.feeds.empty() ? now_ : site.feeds.back().first;
        const auto messages = static_cast<std::int64_t>(feed.messages.size());
        site.feeds.emplace(from + messages * kMessage, std::move(feed));
    }
    void read(Site& site, const node::FeedCharon& feed) const {
        for (const Bytes& message : feed.messages) {
            const auto parsed = ipsec::parse_ha_message(message);
            VPNHA_ASSERT(parsed.has_value());
            if (parsed->type == ipsec::HaType::child_add) {
                add_child(site, *parsed->spi(ipsec::HaTag::inbound_spi) - kInboundSpi);
            }
        }
    }
    void execute(std::uint32_t number, const node::TurnCharon& turn) {
        notify(number, node::CharonTurned{turn.active});
    }
    void execute(std::uint32_t number, const node::ListSas& wanted) {
        Site& site = sites_.at(number);
        std::vector<ipsec::SaCounters> all;
        for (const auto& [id, each] : site.kernel) {
            all.push_back(each);
        }
        site.listed += all.size();
        notify(number, node::SasListed{all, wanted.ticket});
    }
    void execute(std::uint32_t number, const node::SetCounters& set) {
        for (const ipsec::SaCounters& each : set.counters) {
            sites_.at(number).kernel.at(each.id) = each;
        }
        notify(number, node::CountersSet{set.ticket, {}});
    }
    void execute(std::uint32_t number, const node::FlushSas& flush) {
        sites_.at(number).kernel.clear();
        notify(number, node::SasFlushed{flush.ticket, {}});
    }
    void execute(std::uint32_t number, const node::HoldEsp& hold) {
        notify(number, node::EspHeld{hold.ticket, {}});
    }
    template <class Work>
    void execute(std::uint32_t, const Work&) {}

    void change_members() {
        std::set<NodeId> members;
        for (const auto& [number, site] : sites_) {
            members.insert(NodeId{number});
        }
        for (auto& [number, site] : sites_) {
            event(number, [&](node::Node& each) { return each.on_members(members, true, now_); });
        }
    }

    bool ipsec_;
    TimePoint now_{std::chrono::hours(1)};
    IpAddress vip_ = parse_ip("192.0.2.100").value_or(IpAddress{});
    std::map<std::uint32_t, Site> sites_;
    std::vector<std::pair<std::uint32_t, effects::Effect>> wanted_;
    std::deque<std::pair<NodeId, Bytes>> group_;
    std::uint64_t octets_ = 0;
};

std::string hex(ByteView octets) {
    std::string text;
    for (const std::uint8_t octet : octets) {
        fmt::format_to(std::back_inserter(text), "{:02x}", octet);
    }
    return text;
}

// By hand: one document, made anew for each node that asks.
nlohmann::json by_json(const replica::Store& store) {
    const Duration begun = cpu_time();
    nlohmann::json all = nlohmann::json::array();
    for (const auto& [key, record] : store.records()) {
        all.push_back({{"type", static_cast<int>(key.type)},
                       {"key", hex(key.id.view())},
                       {"payload", hex(record.payload)}});
    }
    const std::string document = all.dump();
    const Duration written = cpu_time();
    std::unordered_map<std::string, std::string> held;
    for (const nlohmann::json& each : nlohmann::json::parse(document)) {
        held[each.at("key").get<std::string>()] = each.at("payload").get<std::string>();
    }
    VPNHA_ASSERT(!held.empty());
    const Duration read = cpu_time() - written;
    return {{"octets", document.size()},
            {"fresh_ms", to_ms(read)},
            {"serving_ms", to_ms(written - begun)}};
}

nlohmann::json devices(std::uint32_t count) {
    constexpr std::uint32_t kOtherFiles = 64;
    rlimit files{};
    VPNHA_ASSERT(getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = count + kOtherFiles;
    VPNHA_ASSERT(setrlimit(RLIMIT_NOFILE, &files) == 0);
    auto made = adapters::TunDevices::open();
    VPNHA_ASSERT(made.has_value());
    std::vector<adapters::TunDevice> all;
    Latencies each;
    const auto begun = std::chrono::steady_clock::now();
    for (std::uint32_t number = 0; number < count; ++number) {
        const auto before = std::chrono::steady_clock::now();
        auto device = made->take({.ours = Ipv4Address{0x0a00'0001},
                                  .peer = Ipv4Address{0x0a00'0002 + number},
                                  .mtu = 1400,
                                  .route_table = 100});
        VPNHA_ASSERT(device.has_value());
        each.add(std::chrono::steady_clock::now() - before);
        all.push_back(std::move(*device));
    }
    nlohmann::json line = each.json();
    line["all_ms"] = to_ms(std::chrono::steady_clock::now() - begun);
    // One at a time the kernel would take 20 ms for each.
    made->delete_all();
    return line;
}

int run() {
    nlohmann::json sizes = nlohmann::json::array();
    for (const bool ipsec : {false, true}) {
        for (const std::uint32_t count : {1'000U, 10'000U}) {
            Cluster cluster(ipsec);
            cluster.dial(count);
            nlohmann::json line = cluster.join();
            line["kind"] = ipsec ? "ike" : "l2tp";
            line["count"] = count;
            line["json"] = by_json(cluster.store());
            sizes.push_back(std::move(line));
        }
    }
    nlohmann::json made = nlohmann::json::array();
    for (const std::uint32_t count : {1'000U, 10'000U}) {
        made.push_back(devices(count));
    }
    fmt::print("{}\n", nlohmann::json{{"message_ms", to_ms(kMessage)},
                                      {"sizes", std::move(sizes)},
                                      {"devices", std::move(made)}}
                           .dump());
    return 0;
}

}  // namespace

}  // namespace vpnha::bench

int main() {
    return vpnha::bench::run();
}
