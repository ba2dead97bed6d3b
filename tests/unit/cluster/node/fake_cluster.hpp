// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes (the real cores) joined by a fake group in agreed order, on fake ports that remember
// what was done to them. Time stands still unless the test lets it pass. Nodes of one side of a
// partition hear each other only.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cluster/effects/effect_runner.hpp"
#include "cluster/effects/run_effects.hpp"
#include "cluster/lease/witness.hpp"
#include "cluster/node/node.hpp"
#include "protocols/ipsec/table.hpp"
#include "protocols/ipsec/work.hpp"
#include "protocols/l2tp/table.hpp"
#include "protocols/l2tp/work.hpp"
#include "protocols/pptp/table.hpp"
#include "protocols/pptp/work.hpp"
#include "protocols/wireguard/table.hpp"
#include "protocols/wireguard/work.hpp"
#include "services/accounting/work.hpp"
#include "services/bandwidth/work.hpp"
#include "services/flows/work.hpp"
#include "services/proxies/work.hpp"
#include "services/scripts/work.hpp"
#include "unit/services/flows/keeper/fake_flow_table.hpp"

namespace vpnha::node {

inline constexpr GatewayId kGateway{1};
// Of each PPTP call that a node may resume.
inline constexpr std::uint32_t kTunDevice = 8;
inline constexpr Traffic kTunBefore{50'000, 60'000, 500, 600};

// The nodes' Unix time less their CLOCK_BOOTTIME, unless set_wall() sets another one.
inline constexpr std::chrono::milliseconds kWall{1'767'225'600'000};

struct FakeNode {
    std::unique_ptr<Node> node;
    std::set<l2tp::SessionKey> kernel;
    FakeFlowTable flows;
    std::vector<takeover::Step> steps;
    TimePoint gate{};  // Its deadline.
    std::optional<LeaveGate> left;
    std::optional<HoldGate> held;
    int given_back = 0;
    bool drained = false;
    std::set<takeover::Step> failing;
    std::optional<takeover::Step> lasting;  // Until finish_step().
    std::map<RequestToken, Result<void>> answers;
    std::map<PluginToken, std::string> plugins;  // Reason; empty: protected.
    std::vector<PluginToken> ended_plugins;
    int echoes_asked = 0;
    std::map<PluginToken, ppp::Timeouts> changed_plugins;
    std::map<PluginToken, std::optional<Rate>> changed_rates;  // Of the last change of each.
    std::map<PluginToken, AnswerAddress> addresses;
    std::vector<AccountingWork> accounting;
    std::vector<ScriptWork> scripts;
    std::vector<ProxyWork> proxies;
    std::vector<bandwidth::BandwidthWork> rates;
    std::vector<WireguardWork> wireguard;
    std::vector<int> scores;
    std::vector<Bytes> datagrams;
    std::vector<Bytes> frames;
    std::vector<std::string> log;
    std::vector<std::string> reports;
    int announcements = 0;
    bool detached = false;
    bool fenced = false;
    bool refuses_sessions = false;
    bool answers_installs = true;  // false: they stay in `installing` until told otherwise.
    std::vector<InstallSession> installing;
    std::vector<l2tp::SessionKey> accepted_calls;
    std::vector<StartCall> started_calls;
    std::vector<l2tp::SessionKey> dropped_calls;
    std::vector<SaveLease> saving;  // While its disk stands still.
    int audits = 0;
};

// What the nodes' charons and kernels do with IPsec SAs.
class FakeIpsec {
  public:
    // A node's gate is about to change: until now its kernel went by what it was.
    virtual void proceed(std::uint32_t node) = 0;
    virtual Effects execute(std::uint32_t node, IpsecWork& work) = 0;

  protected:
    ~FakeIpsec() = default;
};

class FakeCluster {
  public:
    // Nodes that start later vote, too. Two voters are quorate alone (two_node of Corosync).
    explicit FakeCluster(std::uint32_t nodes) : FakeCluster(nodes, std::max(nodes, 3U)) {}
    FakeCluster(std::uint32_t nodes, std::uint32_t voters, bool stand_in = false)
        : size_(nodes), voters_(voters), stand_in_(stand_in) {
        for (std::uint32_t node = 1; node <= nodes; ++node) {
            start(node);
        }
    }

    // It lives.
    FakeNode& at(std::uint32_t node) { return *nodes_.at(NodeId{node}); }
    [[nodiscard]] bool lives(std::uint32_t node) const { return nodes_.contains(NodeId{node}); }
    const replica::Replica& replica(std::uint32_t node) {
        return at(node).node->find(kGateway)->cores().replica;
    }
    TimePoint now() const { return now_; }
    // What the nodes that start from now on are, beside their numbers and names.
    Settings& settings() { return settings_; }
    keepers::FlowSettings& flow_settings() { return flow_settings_; }
    keepers::AddressSettings& address_settings() { return address_settings_; }
    keepers::AccountSettings& account_settings() { return account_settings_; }
    // Somebody sets the clock of that node, which lives.
    void set_wall(std::uint32_t node, Duration wall) {
        walls_[node] = wall;
        at(node).node->set_wall(wall);
    }
    // The Unix time of nodes whose clock nobody has set.
    [[nodiscard]] std::uint64_t unix_ms() const {
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch() + kWall)
                .count());
    }
    // That node can hold what comes for the gateway, and all nodes know where it is.
    void state_macs(std::uint32_t node) {
        run(node, at(node).node->set_macs(kGateway, macs_of(node), now_));
        pass(std::chrono::milliseconds(10));
    }
    [[nodiscard]] static SideMacs macs_of(std::uint32_t node) {
        const auto last = static_cast<std::uint8_t>(node);
        return {{2, 0, 0, 0, 0, last}, {2, 0, 0, 0, 1, last}};
    }
    // Nodes that start from now on have PPTP.
    void have_pptp() { has_pptp_ = true; }
    // Nodes that start from now on have WireGuard.
    void have_wireguard() { has_wireguard_ = true; }
    // Nodes that start from now on run pppd's scripts for what they resume.
    void have_resume_scripts(bool on) { has_scripts_ = on; }
    // Nodes that start from now on take rates of RADIUS servers.
    void take_rates_of_radius() { takes_rates_ = true; }
    // Nodes that start from now on have IPsec.
    void set_ipsec(FakeIpsec* ipsec) { ipsec_ = ipsec; }

    // vpnhad starts, with what the node's disk remembers, and its agent attaches the gateway.
    void start(std::uint32_t node) {
        Settings settings = settings_;
        settings.self = NodeId{node};
        settings.name = "gw" + std::to_string(node);
        settings.instance = ++instances_;
        GatewaySettings gateway;
        gateway.id = kGateway;
        gateway.name = "l2tp";
        gateway.keepers.flows = flow_settings_;
        gateway.keepers.addresses = address_settings_;
        gateway.keepers.accounts = account_settings_;
        gateway.keepers.protocols.serve<l2tp::Table>();
        if (has_pptp_) {
            gateway.keepers.protocols.serve<pptp::Table>();
        }
        if (ipsec_ != nullptr) {
            gateway.keepers.protocols.serve<ipsec::Table>();
        }
        if (has_wireguard_) {
            gateway.keepers.protocols.serve<wireguard::Table>();
        }
        gateway.keepers.resume_scripts = has_scripts_;
        gateway.keepers.radius_rates = takes_rates_;
        gateway.stand_in = stand_in_;
        gateway.lease_watch = lease_watch_;
        gateway.lease.self = {NodeId{node}, {}, lease::Instance{instances_}};
        gateway.lease.self.boot.octets[0] = static_cast<std::uint8_t>(instances_);
        for (std::uint32_t voter = 1; voter <= voters_; ++voter) {
            gateway.lease.voters.push_back(NodeId{voter});
        }
        lease::Durable first;
        first.voters.current = {{{0, NodeId{1}}, 0}, gateway.lease.voters};
        gateway.durable = disks_.try_emplace(NodeId{node}, first).first->second;
        gateway.started_at = now_;
        if (has_witness_) {
            gateway.lease.voters.push_back(lease::kWitness);
        }
        if (!abstains_) {
            gateway.started_at -= 2 * gateway.lease.timing.abstention();
        }
        senders_[NodeId{node}] = gateway.lease.self;
        settings.gateways = {gateway};
        auto fake = std::make_unique<FakeNode>();
        fake->node = std::make_unique<Node>(std::move(settings));
        fake->node->set_wall(walls_.try_emplace(node, kWall).first->second);
        nodes_[NodeId{node}] = std::move(fake);
        members_changed();
        (void)attach(node);
    }
    // Its agent starts the gateway.
    Result<void> attach(std::uint32_t node) {
        const RequestToken request = next_request_++;
        run(node, at(node).node->attach(request, kGateway, "checkpoint", now_));
        return at(node).answers.at(request);
    }
    // There is one now, which remembers nothing, and all nodes' configurations name it.
    void have_witness() {
        has_witness_ = true;
        start_witness();
        configure_voters({NodeId{1}, NodeId{2}, lease::kWitness});
    }
    void leave_witness_out() {
        has_witness_ = false;
        configure_voters({NodeId{1}, NodeId{2}});
    }
    void start_witness() {
        witness_self_ = {lease::kWitness, {}, lease::Instance{++instances_}};
        witness_.emplace(witness_self_, lease::Timing{}, std::nullopt, now_);
    }
    void kill_witness() { witness_.reset(); }
    // A copy of it answers these nodes, with the same memory.
    void copy_witness(std::set<std::uint32_t> nodes) {
        copied_ = std::move(nodes);
        copy_ = lease::Instance{++instances_};
    }
    // Between these nodes and the witness nothing gets through.
    void cut_from_witness(std::set<std::uint32_t> nodes) { unwitnessed_ = std::move(nodes); }
    // Nodes that start from now on size their leases, by measures of so long.
    void size_leases(Duration watch) { lease_watch_ = watch; }
    // Nodes that start from now on abstain at first, as in the product.
    void let_abstain() { abstains_ = true; }
    // What the lease says, by its sender, and is lost.
    using Lost = std::function<bool(std::uint32_t from, const SendLease& sent)>;
    void lose_leases(Lost lost) { lost_ = std::move(lost); }
    // The clock by which that node sends and receives leases; all others' run as the cluster's.
    void run_at_rate(std::uint32_t node, double rate) {
        rated_ = NodeId{node};
        rate_ = rate;
        rated_from_ = now_;
    }
    // Nobody hears their leases, and they hear nobody's.
    void mute_leases(const std::set<std::uint32_t>& nodes) { muted_ = nodes; }
    [[nodiscard]] const lease::Engine& lease(std::uint32_t node) {
        return at(node).node->find(kGateway)->cores().lease.engine();
    }
    [[nodiscard]] takeover::State state(std::uint32_t node) {
        return at(node).node->find(kGateway)->view().state();
    }
    [[nodiscard]] std::optional<lease::Durable> disk(std::uint32_t node) {
        return disks_[NodeId{node}];
    }
    // They take nothing; none, if it is empty.
    void fill_disks(std::set<std::uint32_t> nodes) { full_disks_ = std::move(nodes); }
    // Their kernels answer an echo, whatever their vpnhads do. At first no kernel does.
    void answer_echoes(std::set<std::uint32_t> nodes) { living_kernels_ = std::move(nodes); }
    // What is saved stays in `saving`, until finish_saves() of the node.
    void stall_disks(std::set<std::uint32_t> nodes) { slow_disks_ = std::move(nodes); }
    void finish_saves(std::uint32_t node) {
        for (const SaveLease& save : std::exchange(at(node).saving, {})) {
            run(node, save_lease(node, save));
        }
    }
    // Its memory and its disk are gone.
    void lose_disk(std::uint32_t node) { disks_[NodeId{node}].reset(); }
    void split(const std::set<std::uint32_t>& away) {
        away_ = away;
        members_changed();
    }
    void heal() { split({}); }
    // From now on a partition is one of the group alone.
    void receive_leases_across() { receives_across_ = true; }
    // Its Corosync stands still, and nothing else of it: the others have a ring without it, and it
    // is told of nothing.
    void hang_corosync(std::uint32_t node) {
        hung_.insert(NodeId{node});
        members_changed();
    }
    // It hears that all have left, and of the ring that it comes to.
    void wake_corosync(std::uint32_t node) {
        hung_.erase(NodeId{node});
        run(node, at(node).node->on_members({NodeId{node}}, false, now_));
        members_changed();
    }
    void kill(std::uint32_t node) {
        nodes_.erase(NodeId{node});
        members_changed();
    }
    // Only its vpnhad.
    void kill_process(std::uint32_t node) {
        nodes_.erase(NodeId{node});
        for (const auto& [id, fake] : nodes_) {
            execute(id.value, fake->node->on_process_died(NodeId{node}, now_));
        }
        members_changed();
    }
    // As long as no ring forms without it nobody but the leases notices.
    void lose_power(std::uint32_t node) { nodes_.erase(NodeId{node}); }
    // A ring has formed of those that live.
    void form_ring() { members_changed(); }
    // The answer of the transition; time passes until there is one.
    Result<void> promote(std::uint32_t node) {
        const RequestToken request = begin_promote(node);
        while (!at(node).answers.contains(request)) {
            pass(std::chrono::milliseconds(10));
        }
        return at(node).answers.at(request);
    }
    RequestToken begin_promote(std::uint32_t node) {
        const RequestToken request = next_request_++;
        run(node, at(node).node->promote(request, kGateway, now_));
        return request;
    }
    // It serves on, draining.
    Result<void> begin_demote(std::uint32_t node) {
        const RequestToken request = next_request_++;
        run(node, at(node).node->demote(request, kGateway, now_));
        return at(node).answers.at(request);
    }
    // Nobody took over from it.
    Result<void> demote(std::uint32_t node) {
        const Result<void> answer = begin_demote(node);
        while (at(node).node->find(kGateway)->view().state() == takeover::State::draining) {
            pass(std::chrono::milliseconds(10));
        }
        return answer;
    }
    [[nodiscard]] bool gate_open(std::uint32_t node) { return now_ < at(node).gate; }
    Result<void> detach(std::uint32_t node) {
        const RequestToken request = next_request_++;
        run(node, at(node).node->detach(request, kGateway, now_));
        return at(node).answers.at(request);
    }
    void run(std::uint32_t node, Effects effects) {
        execute(node, std::move(effects));
        deliver();
    }
    // No loop of any node turns meanwhile.
    void stand_still(Duration time) { now_ += time; }
    // Lets time pass in the nodes' own deadlines.
    void pass(Duration time) {
        const TimePoint end = now_ + time;
        while (true) {
            std::optional<TimePoint> next;
            for (const auto& [id, fake] : nodes_) {
                next = earliest(next, fake->node->next_deadline());
            }
            if (witness_) {
                next = earliest(next, witness_->next_deadline());
            }
            if (!next || *next > end) {
                break;
            }
            now_ = std::max(now_ + std::chrono::milliseconds(1), *next);
            for (const auto& [id, fake] : nodes_) {
                execute(id.value, fake->node->on_time(now_));
            }
            if (witness_) {
                take(witness_->on_time(now_));
            }
            deliver();
        }
        now_ = end;
    }
    // While held, messages are kept back: the ring is forming anew.
    void hold(bool held) {
        held_ = held;
        deliver();
    }

    // What lasts has come to its end.
    void finish_step(std::uint32_t node) {
        const auto step = std::exchange(at(node).lasting, std::nullopt);
        run(node, at(node).node->on_step_done(kGateway, *step, {}, now_));
    }
    // The installation that waits longest is answered.
    void answer_install(std::uint32_t node, const Result<void>& result) {
        const InstallSession install = at(node).installing.front();
        at(node).installing.erase(at(node).installing.begin());
        if (result) {
            at(node).kernel.insert(install.record.key);
        }
        run(node,
            at(node).node->on_event(
                kGateway, SessionInstalled{install.record.key, install.ticket, result}, now_));
    }
    // Bytes from a member, as the group would deliver them to all that hear it.
    void emit(std::uint32_t sender, const Bytes& message) {
        queue_.emplace_back(NodeId{sender}, message);
        deliver();
    }

  private:
    [[nodiscard]] bool reach_each_other(NodeId a, NodeId b) const {
        return away_.contains(a.value) == away_.contains(b.value);
    }
    void configure_voters(const std::vector<NodeId>& voters) {
        for (const auto& [id, fake] : nodes_) {
            execute(id.value, fake->node->set_voters(voters, now_));
        }
        deliver();
    }
    void emit_as_witness(NodeId to, const lease::Message& message) {
        leases_.emplace_back(witness_self_, SendLease{kGateway, to, message});
    }
    // Its disk takes all at once.
    void take(lease::Witness::Orders orders) {
        for (const lease::Witness::Save& save : orders.saves) {
            take(witness_->on_saved(save.ticket, true, now_));
        }
        for (const lease::Send& send : orders.sends) {
            emit_as_witness(send.to, send.message);
        }
    }
    void deliver_to_witness(const lease::Sender& sender, const lease::Message& message) {
        if (std::holds_alternative<lease::Hello>(message)) {
            emit_as_witness(sender.node, lease::Hello{std::nullopt, std::nullopt, now_});
        }
        take(witness_->on_message(sender, message, now_));
    }
    [[nodiscard]] bool has_way_to_witness(NodeId node) const {
        return witness_ && !unwitnessed_.contains(node.value) && !muted_.contains(node.value);
    }
    void members_changed() {
        for (const auto& [id, fake] : nodes_) {
            if (hung_.contains(id)) {
                continue;
            }
            std::set<NodeId> members;
            for (const auto& [other, unused] : nodes_) {
                if (reach_each_other(id, other) && !hung_.contains(other)) {
                    members.insert(other);
                }
            }
            const bool quorate = 2 * members.size() > size_ || voters_ == 2;
            execute(id.value, fake->node->on_members(members, quorate, now_));
        }
        deliver();
    }
    void deliver() {
        do {
            deliver_group();
            deliver_leases();
        } while (!held_ && !queue_.empty());
    }
    // Seen by the receiver's clock: a rate differs from 1 at one of the two alone.
    void rate(const lease::Sender& sender, SendLease& sent) const {
        if ((sender.node == rated_) == (sent.to == rated_)) {
            return;
        }
        const double seen = sender.node == rated_ ? rate_ : 1 / rate_;
        const auto scale = [&](TimePoint& time) {
            time = rated_from_ + std::chrono::duration_cast<Duration>((time - rated_from_) * seen);
        };
        if (auto* const hello = std::get_if<lease::Hello>(&sent.message); hello && hello->sent_at) {
            scale(*hello->sent_at);
        } else if (auto* const round = std::get_if<lease::Round>(&sent.message)) {
            scale(round->sent_at);
        }
    }
    void deliver_leases() {
        while (!leases_.empty()) {
            auto [sender, sent] = std::move(leases_.front());
            leases_.pop_front();
            rate(sender, sent);
            if (sent.to == lease::kWitness) {
                if (has_way_to_witness(sender.node) && !(lost_ && lost_(sender.node.value, sent))) {
                    deliver_to_witness(sender, sent.message);
                }
                continue;
            }
            if (lease::is_witness(sender.node)) {
                if (copied_.contains(sent.to.value)) {
                    sender.instance = copy_;
                }
                if (nodes_.contains(sent.to) && has_way_to_witness(sent.to)) {
                    execute(sent.to.value, nodes_.at(sent.to)->node->on_lease_message(
                                               sent.gateway, sender, sent.message, now_));
                }
                continue;
            }
            const bool is_received = receives_across_ || reach_each_other(sender.node, sent.to);
            if (nodes_.contains(sent.to) && is_received && !muted_.contains(sender.node.value) &&
                !muted_.contains(sent.to.value) && !(lost_ && lost_(sender.node.value, sent))) {
                execute(sent.to.value, nodes_.at(sent.to)->node->on_lease_message(
                                           sent.gateway, sender, sent.message, now_));
            }
        }
    }
    void deliver_group() {
        while (!held_ && !queue_.empty()) {
            const auto [sender, message] = std::move(queue_.front());
            queue_.pop_front();
            for (const auto& [id, fake] : nodes_) {
                if (reach_each_other(sender, id) && hung_.contains(id) == hung_.contains(sender)) {
                    execute(id.value, fake->node->on_group_message(sender, message, now_));
                }
            }
        }
    }
    Effects save_lease(std::uint32_t id, const SaveLease& save) {
        Result<void> result;
        if (full_disks_.contains(id)) {
            result = fail(Errc::system, "No space left on device");
        } else {
            disks_[NodeId{id}] = save.durable;
        }
        return at(id).node->on_lease_saved(save.gateway, save.ticket, result, now_);
    }
    // Does at once what a node wants.
    class Runner final : public effects::EffectRunner {
      public:
        Runner(FakeCluster& cluster, std::uint32_t id)
            : cluster_(cluster), id_(id), fake_(cluster.at(id)), now_(cluster.now_) {}

        [[nodiscard]] bool is_over() const { return over_; }

      private:
        Effects execute(SendToGroup& sent) override {
            cluster_.queue_.emplace_back(NodeId{id_}, sent.message);
            return {};
        }
        Effects execute(ProtocolWork& work) override {
            if (const auto* const l2tp = work.get<L2tpWork>()) {
                return std::visit([this](const auto& each) { return do_one(each); }, *l2tp);
            }
            if (const auto* const flows = work.get<FlowWork>()) {
                return fake_.flows.execute(*fake_.node, *flows, now_);
            }
            if (auto* const ipsec = work.get<IpsecWork>()) {
                return cluster_.ipsec_->execute(id_, *ipsec);
            }
            if (const auto* const prepare = work.find<PrepareCall>()) {
                // Its data path can prepare every call.
                Effects effects =
                    fake_.node->on_event(kGateway, DeviceReused{kTunDevice, kTunBefore}, now_);
                std::ranges::move(
                    fake_.node->on_event(
                        kGateway,
                        CallPrepared{prepare->record.key, prepare->ticket, {}, kTunDevice}, now_),
                    std::back_inserter(effects));
                return effects;
            }
            if (const auto* const accounting = work.get<AccountingWork>()) {
                fake_.accounting.push_back(*accounting);
            } else if (const auto* const scripts = work.get<ScriptWork>()) {
                fake_.scripts.push_back(*scripts);
            } else if (const auto* const proxies = work.get<ProxyWork>()) {
                fake_.proxies.push_back(*proxies);
            } else if (const auto* const rates = work.get<bandwidth::BandwidthWork>()) {
                fake_.rates.push_back(*rates);
            } else if (const auto* const wireguard = work.get<WireguardWork>()) {
                fake_.wireguard.push_back(*wireguard);
                if (const auto* const set = std::get_if<SetPeer>(wireguard)) {
                    return fake_.node->on_event(kGateway, PeerSet{set->peer.key, set->ticket, {}},
                                                now_);
                }
            }
            return {};
        }
        Effects execute(SaveLease& save) override {
            if (cluster_.slow_disks_.contains(id_)) {
                fake_.saving.push_back(save);
                return {};
            }
            return cluster_.save_lease(id_, save);
        }
        Effects execute(SendLease& sent) override {
            cluster_.leases_.emplace_back(cluster_.senders_.at(NodeId{id_}), sent);
            return {};
        }
        Effects execute(SetGate& gate) override {
            proceed();
            fake_.gate = gate.deadline;
            return {};
        }
        Effects execute(LeaveGate& leave) override {
            proceed();
            fake_.gate = std::min(fake_.gate, leave.shut_at);
            fake_.left = leave;
            return {};
        }
        Effects execute(HoldGate& hold) override {
            fake_.held = hold;
            return {};
        }
        Effects execute(GiveBack&) override {
            ++fake_.given_back;
            return {};
        }
        Effects execute(DrainGate& gate) override {
            fake_.drained = gate.drained;
            return {};
        }
        Effects execute(RunStep& step) override {
            proceed();
            fake_.steps.push_back(step.step);
            if (fake_.lasting == step.step) {
                return {};
            }
            Result<void> result;
            if (fake_.failing.contains(step.step)) {
                result = fail(Errc::system, "device is gone");
            } else if (step.step == takeover::Step::open_gate) {
                fake_.gate = step.deadline;
            } else if (step.step == takeover::Step::shut_gate) {
                fake_.gate = {};
            }
            return fake_.node->on_step_done(kGateway, step.step, result, now_);
        }
        Effects execute(Announce&) override {
            ++fake_.announcements;
            return {};
        }
        Effects execute(AskNeighbours&) override { return {}; }
        Effects execute(AnswerPlugin& answer) override {
            fake_.plugins[answer.plugin] = answer.reason;
            return {};
        }
        Effects execute(AnswerAddress& answer) override {
            fake_.addresses[answer.plugin] = answer;
            return {};
        }
        Effects execute(EndPlugin& end) override {
            fake_.ended_plugins.push_back(end.plugin);
            return {};
        }
        Effects execute(ChangePlugin& change) override {
            fake_.changed_plugins[change.plugin] = change.timeouts;
            fake_.changed_rates[change.plugin] = change.rate;
            return {};
        }
        Effects execute(AnswerRequest& answer) override {
            fake_.answers[answer.request] = answer.result;
            return {};
        }
        Effects execute(WriteScore& score) override {
            fake_.scores.push_back(score.score);
            return {};
        }
        Effects execute(WithdrawScore& withdrawn) override {
            fake_.reports.push_back("score of " + withdrawn.resource + " at " + withdrawn.node);
            return {};
        }
        Effects execute(AskForEcho& asked) override {
            ++fake_.echoes_asked;
            return cluster_.living_kernels_.contains(asked.node.value)
                       ? fake_.node->on_echo(asked.node, now_)
                       : Effects{};
        }
        Effects execute(WatchServices&) override { return {}; }
        Effects execute(ReportFailure& failure) override {
            fake_.reports.push_back(failure.resource + " at " + failure.node);
            return {};
        }
        Effects execute(Detached&) override {
            fake_.detached = true;
            return {};
        }
        Effects execute(Fenced&) override {
            fake_.fenced = true;
            fake_.gate = {};
            over_ = true;
            return {};
        }
        Effects execute(Log& line) override {
            fake_.log.push_back(line.text);
            return {};
        }

        void proceed() {
            if (cluster_.ipsec_ != nullptr) {
                cluster_.ipsec_->proceed(id_);
            }
        }
        Effects do_one(const InstallSession& install) {
            if (!fake_.answers_installs) {
                fake_.installing.push_back(install);
                return {};
            }
            Result<void> result;
            if (fake_.refuses_sessions) {
                result = fail(Errc::system, "no such kernel");
            } else {
                fake_.kernel.insert(install.record.key);
            }
            return fake_.node->on_event(
                kGateway, SessionInstalled{install.record.key, install.ticket, result}, now_);
        }
        Effects do_one(const RemoveSession& remove) {
            fake_.kernel.erase(remove.key);
            return {};
        }
        Effects do_one(const AuditSessions&) {
            ++fake_.audits;
            return fake_.node->on_event(kGateway, SessionsAudited{fake_.kernel}, now_);
        }
        Effects do_one(const SendDatagram& datagram) {
            fake_.datagrams.push_back(datagram.bytes);
            return {};
        }
        Effects do_one(const SendFrame& frame) {
            fake_.frames.push_back(frame.frame);
            return {};
        }
        Effects do_one(const AcceptCall& accept) {
            fake_.accepted_calls.push_back(accept.call);
            return {};
        }
        Effects do_one(const StartCall& start) {
            fake_.started_calls.push_back(start);
            return {};
        }
        Effects do_one(const DropCall& drop) {
            fake_.dropped_calls.push_back(drop.call);
            return {};
        }

        FakeCluster& cluster_;
        std::uint32_t id_;
        FakeNode& fake_;
        TimePoint now_;
        bool over_ = false;  // It is fenced.
    };

    void execute(std::uint32_t id, Effects effects) {
        Runner runner(*this, id);
        effects::run_effects(
            std::move(effects), [&](Effect& effect) { return runner.run_one(effect); },
            [&] { return runner.is_over(); });
    }

    std::uint32_t size_;
    std::uint32_t voters_;
    bool stand_in_;
    std::optional<Duration> lease_watch_;
    Settings settings_;
    FakeIpsec* ipsec_ = nullptr;
    keepers::FlowSettings flow_settings_{.replicate = true, .policy = {}};
    keepers::AddressSettings address_settings_;
    keepers::AccountSettings account_settings_;
    bool has_pptp_ = false;
    bool has_wireguard_ = false;
    bool has_scripts_ = false;
    bool takes_rates_ = false;
    std::uint64_t instances_ = 0;
    std::map<NodeId, std::unique_ptr<FakeNode>> nodes_;
    std::map<NodeId, std::optional<lease::Durable>> disks_;
    std::map<NodeId, lease::Sender> senders_;
    std::deque<std::pair<lease::Sender, SendLease>> leases_;
    NodeId rated_{};
    double rate_ = 1;
    TimePoint rated_from_{};
    std::set<std::uint32_t> full_disks_;
    std::set<std::uint32_t> slow_disks_;
    std::set<std::uint32_t> living_kernels_;
    std::set<std::uint32_t> away_;
    bool receives_across_ = false;
    std::set<NodeId> hung_;
    std::set<std::uint32_t> muted_;
    Lost lost_;
    bool abstains_ = false;
    bool has_witness_ = false;
    std::optional<lease::Witness> witness_;
    lease::Sender witness_self_;
    std::set<std::uint32_t> copied_;
    lease::Instance copy_;
    std::set<std::uint32_t> unwitnessed_;
    std::deque<std::pair<NodeId, Bytes>> queue_;
    TimePoint now_{std::chrono::hours(1)};
    std::map<std::uint32_t, Duration> walls_;
    RequestToken next_request_ = 1;
    bool held_ = false;
};

// Three nodes that were never started before.
inline FakeCluster new_cluster() {
    FakeCluster cluster(3);
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        cluster.kill(node);
        cluster.lose_disk(node);
    }
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        cluster.start(node);
    }
    return cluster;
}

}  // namespace vpnha::node
