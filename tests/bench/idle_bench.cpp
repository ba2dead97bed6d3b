// SPDX-License-Identifier: GPL-2.0-or-later
// What vpnhad costs while nothing happens to its 10 000 sessions: digests, HELLOs, echoes. Two
// whole nodes in one process run through a minute of their own time as fast as they can; the CPU
// time that each event takes is added up, and for each event one turn of the real loop. What the
// kernel does with the packets is not in it. A line of JSON.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/assert.hpp"
#include "cluster/node/node.hpp"
#include "host/os/qb_loop.hpp"
#include "protocols/l2tp/work.hpp"
#include "session_records.hpp"
#include "support/l2tp_peer.hpp"

namespace vpnha::bench {

namespace {

constexpr std::uint32_t kSessions = 10'000;
constexpr Duration kMeasured = std::chrono::minutes(1);
// After a takeover the tunnels learn their numbers; that is not idling.
constexpr Duration kSettling = std::chrono::minutes(3);
// Clients ask for signs of life as pppd's options of the stock set-up say.
constexpr Duration kClientEcho = std::chrono::seconds(30);
constexpr int kLoopTurns = 200'000;

Duration cpu_time() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

struct Cost {
    Duration cpu{};
    Duration longest{};  // One event.
    std::uint64_t events = 0;
};

l2tp::SessionRecord client_record(std::uint32_t number) {
    l2tp::SessionRecord record = session_record(number, 0);
    // The peers of tests/support all speak one pair of tunnel ids; addresses tell them apart.
    record.key.tunnel.id = test::kTunnel.id;
    record.key.tunnel.peer_id = test::kTunnel.peer_id;
    return record;
}

struct Client {
    test::L2tpPeer peer{5, 7};
    l2tp::SessionRecord record;
    TimePoint next_echo;
};

class Cluster {
  public:
    Cluster() {
        for (const std::uint32_t number : {1U, 2U}) {
            node::Settings settings;
            settings.self = NodeId{number};
            settings.name = fmt::format("gw{}", number);
            settings.instance = number;
            node::GatewaySettings gateway;
            gateway.id = kGateway;
            gateway.name = "l2tp";
            gateway.lease = {sender_of(number), {}, {NodeId{1}, NodeId{2}}};
            gateway.started_at = now_ - 2 * gateway.lease.timing.abstention();
            settings.gateways = {gateway};
            nodes_[number] = std::make_unique<node::Node>(std::move(settings));
        }
        change_members();
        for (const std::uint32_t number : {1U, 2U}) {
            event(number,
                  [&](node::Node& node) { return node.attach(1, kGateway, "checkpoint", now_); });
        }
        deliver();
    }

    void promote(std::uint32_t number) {
        event(number, [&](node::Node& node) { return node.promote(1, kGateway, now_); });
        deliver();
        pass(std::chrono::milliseconds(500));  // A dead holder's promise runs out.
        VPNHA_ASSERT(at(number).view().state() == takeover::State::promoted);
    }

    void dial(std::uint32_t number, std::uint32_t count) {
        for (std::uint32_t client = 0; client < count; ++client) {
            event(number, [&](node::Node& node) {
                return node.on_plugin_up(client, "l2tp", node::stock_session(client_record(client)),
                                         "", now_);
            });
            deliver();
        }
        VPNHA_ASSERT(at(number).cores().replica.store().count() == count);
    }

    void kill(std::uint32_t number) {
        nodes_.erase(number);
        change_members();
        for (auto& [left, node] : nodes_) {
            event(left, [&](node::Node& each) {
                return each.confirm_dead(1, NodeId{number}, lease::Confirmed::by_operator, now_);
            });
        }
        deliver();
    }

    // From here on the clients are there: their gateway has resumed the sessions.
    void wake_clients() {
        for (std::uint32_t number = 0; number < kSessions; ++number) {
            auto client = std::make_unique<Client>();
            client->record = client_record(number);
            client->peer.add_session(client->record.key);
            client->next_echo = now_ + kClientEcho * number / kSessions;
            clients_[client->record.key.tunnel] = std::move(client);
        }
    }

    void pass(Duration time) {
        const TimePoint end = now_ + time;
        while (now_ < end) {
            now_ += std::chrono::milliseconds(1);  // As near as a deadline is looked at.
            for (auto& [number, node] : nodes_) {
                if (deadlines_[number] && *deadlines_[number] <= now_) {
                    event(number, [&](node::Node& due) { return due.on_time(now_); });
                }
            }
            live();
            deliver();
        }
    }

    void forget_costs() { costs_.clear(); }
    [[nodiscard]] const Cost& cost(std::uint32_t number) { return costs_[number]; }
    [[nodiscard]] const node::GatewayNode& at(std::uint32_t number) const {
        return *nodes_.at(number)->find(kGateway);
    }

  private:
    static lease::Sender sender_of(std::uint32_t number) {
        return {NodeId{number}, {}, lease::Instance{number}};
    }

    template <class Event>
    void event(std::uint32_t number, Event&& run) {
        node::Node& node = *nodes_.at(number);
        const Duration before = cpu_time();
        effects::Effects effects = run(node);
        deadlines_[number] = node.next_deadline();  // As the executor asks after each event.
        const Duration used = cpu_time() - before;
        Cost& cost = costs_[number];
        cost.cpu += used;
        cost.longest = std::max(cost.longest, used);
        ++cost.events;
        execute(number, std::move(effects));
    }

    void execute(std::uint32_t number, effects::Effects effects) {
        for (effects::Effect& effect : effects) {
            if (auto* sent = std::get_if<effects::SendToGroup>(&effect)) {
                group_.emplace_back(NodeId{number}, std::move(sent->message));
            } else if (auto* lease = std::get_if<effects::SendLease>(&effect)) {
                leases_.emplace_back(number, std::move(*lease));
            } else if (const auto* save = std::get_if<effects::SaveLease>(&effect)) {
                event(number, [&](node::Node& node) {
                    return node.on_lease_saved(kGateway, save->ticket, {}, now_);
                });
            } else if (const auto* install = effects::find<node::InstallSession>(effect)) {
                event(number, [&](node::Node& node) {
                    return node.on_event(
                        kGateway, node::SessionInstalled{install->record.key, install->ticket, {}},
                        now_);
                });
            } else if (const auto* step = std::get_if<effects::RunStep>(&effect)) {
                event(number, [&](node::Node& node) {
                    return node.on_step_done(kGateway, step->step, {}, now_);
                });
            } else if (const auto* datagram = effects::find<node::SendDatagram>(effect)) {
                datagrams_.emplace_back(number, datagram->tunnel, datagram->bytes);
            } else if (const auto* frame = effects::find<node::SendFrame>(effect)) {
                frames_.emplace_back(number, frame->session, frame->frame);
            }
        }
    }

    void change_members() {
        std::set<NodeId> members;
        for (const auto& [number, node] : nodes_) {
            members.insert(NodeId{number});
        }
        for (auto& [number, node] : nodes_) {
            event(number, [&](node::Node& each) { return each.on_members(members, true, now_); });
        }
    }

    void deliver() {
        while (!group_.empty() || !leases_.empty()) {
            deliver_leases();
            deliver_group();
        }
    }

    void deliver_leases() {
        while (!leases_.empty()) {
            const auto [number, sent] = std::move(leases_.front());
            leases_.pop_front();
            if (nodes_.contains(sent.to.value)) {
                event(sent.to.value, [&](node::Node& node) {
                    return node.on_lease_message(kGateway, sender_of(number), sent.message, now_);
                });
            }
        }
    }

    void deliver_group() {
        while (!group_.empty()) {
            const auto [sender, message] = std::move(group_.front());
            group_.pop_front();
            for (auto& [number, node] : nodes_) {
                event(number, [&](node::Node& each) {
                    return each.on_group_message(sender, message, now_);
                });
            }
        }
    }

    // What the clients say and answer.
    void live() {
        for (const auto& [number, tunnel, bytes] : std::exchange(datagrams_, {})) {
            const auto client = clients_.find(tunnel);
            if (client != clients_.end()) {
                client->second->peer.on_datagram(bytes, now_);
                emit(number, *client->second);
            }
        }
        for (const auto& [number, session, bytes] : std::exchange(frames_, {})) {
            const auto client = clients_.find(session.tunnel);
            if (client == clients_.end()) {
                continue;
            }
            if (const auto answer = client->second->peer.on_frame(session.peer_id, bytes)) {
                handle_frame(number, *client->second, *answer);
            }
        }
        for (auto& [tunnel, client] : clients_) {
            if (client->next_echo <= now_) {
                client->next_echo += kClientEcho;
                handle_frame(nodes_.begin()->first, *client,
                             test::lcp(ppp::Code::echo_request, 1, {0x20, 0, 0, 1}));
                client->peer.on_time(now_);
                emit(nodes_.begin()->first, *client);
            }
        }
    }

    void emit(std::uint32_t number, Client& client) {
        for (const Bytes& datagram : client.peer.take_datagrams()) {
            event(number, [&](node::Node& node) {
                return node.on_event(
                    kGateway, node::TunnelDatagram{client.record.key.tunnel, datagram}, now_);
            });
        }
    }

    void handle_frame(std::uint32_t number, const Client& client, const Bytes& frame) {
        event(number, [&](node::Node& node) {
            return node.on_event(kGateway, node::SessionFrame{client.record.key, frame}, now_);
        });
    }

    TimePoint now_{std::chrono::hours(1)};
    std::map<std::uint32_t, std::unique_ptr<node::Node>> nodes_;
    std::map<std::uint32_t, std::optional<TimePoint>> deadlines_;
    std::map<std::uint32_t, Cost> costs_;
    std::deque<std::pair<NodeId, Bytes>> group_;
    std::deque<std::pair<std::uint32_t, effects::SendLease>> leases_;
    std::map<l2tp::TunnelKey, std::unique_ptr<Client>> clients_;
    std::vector<std::tuple<std::uint32_t, l2tp::TunnelKey, Bytes>> datagrams_;
    std::vector<std::tuple<std::uint32_t, l2tp::SessionKey, Bytes>> frames_;
};

// One descriptor becomes readable, is read, and the timer is set anew.
Duration loop_turn() {
    adapters::QbLoop loop;
    std::array<int, 2> ends{};
    VPNHA_ASSERT(pipe(ends.data()) == 0);
    int left = kLoopTurns;
    const auto write_one = [&ends] { VPNHA_ASSERT(write(ends[1], "x", 1) == 1); };
    const Result<void> watched = loop.watch(ends[0], [&] {
        char octet = 0;
        VPNHA_ASSERT(read(ends[0], &octet, 1) == 1);
        loop.set_timer(1, loop.now() + std::chrono::seconds(10), [] {});
        if (--left == 0) {
            loop.stop();
        } else {
            write_one();
        }
    });
    VPNHA_ASSERT(watched.has_value());
    write_one();
    const Duration before = cpu_time();
    loop.run();
    const Duration each = (cpu_time() - before) / kLoopTurns;
    loop.unwatch(ends[0]);
    close(ends[0]);
    close(ends[1]);
    return each;
}

nlohmann::json share(const Cost& cost, Duration turn) {
    const auto seconds = [](Duration time) { return std::chrono::duration<double>(time).count(); };
    const double measured = seconds(kMeasured);
    const double cpu = seconds(cost.cpu) + seconds(turn) * static_cast<double>(cost.events);
    return {{"events_per_s", static_cast<double>(cost.events) / measured},
            {"core_share", seconds(cost.cpu) / measured},
            {"share", cpu / measured},
            {"longest_ms", seconds(cost.longest) * 1000}};
}

int run() {
    const Duration turn = loop_turn();
    nlohmann::json line = {{"sessions", kSessions}, {"loop_turn_ns", turn.count()}};
    Cluster cluster;
    cluster.promote(1);
    cluster.dial(1, kSessions);
    cluster.forget_costs();
    cluster.pass(kMeasured);
    line["promoted"] = share(cluster.cost(1), turn);
    line["standby"] = share(cluster.cost(2), turn);

    cluster.kill(1);
    cluster.wake_clients();
    cluster.promote(2);
    cluster.pass(kSettling);
    cluster.forget_costs();
    cluster.pass(kMeasured);
    VPNHA_ASSERT(cluster.at(2).cores().replica.store().count() == kSessions);
    line["resumed"] = share(cluster.cost(2), turn);
    fmt::print("{}\n", line.dump());
    return 0;
}

}  // namespace

}  // namespace vpnha::bench

int main() {
    return vpnha::bench::run();
}
