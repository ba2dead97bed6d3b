// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/machine.hpp"

#include <algorithm>

#include "protocols/ipsec/table.hpp"
#include "protocols/pptp/table.hpp"
#include "protocols/wireguard/table.hpp"
#include "sim/echo_family.hpp"
#include "sim/later_family.hpp"
#include "sim/traffic.hpp"

namespace vpnha::sim {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// As the daemon's executor has them.
constexpr Duration kGroupRetry = milliseconds(2);
constexpr Duration kTurn = milliseconds(1);

}  // namespace

std::vector<wire::Codec> later_codecs() {
    std::vector<wire::Codec> codecs(wire::released_codecs().begin(), wire::released_codecs().end());
    codecs.push_back(codecs.back());
    ++codecs.back().version;
    return codecs;
}

Machine::Machine(NodeId id, Agenda& agenda, test::Random& random, Story& story, const Plan& plan,
                 Surroundings& world)
    : id_(id),
      agenda_(agenda),
      random_(random),
      story_(story),
      plan_(plan),
      world_(world),
      flows_(id, agenda, random, story, [this](Call call) { post(std::move(call)); }),
      calls_(plan.seed * 0x9e3779b97f4a7c15 + 200 + id.value, agenda, call_ports()),
      peers_(plan.seed * 0x9e3779b97f4a7c15 + 400 + id.value, peer_ports()),
      charon_(plan.seed * 0x9e3779b97f4a7c15 + 300 + id.value, agenda, numbers_, charon_ports()),
      responder_(echo::SessionId{id.value} << 40, responder_ports()),
      of_numbers_(plan.seed * 0x9e3779b97f4a7c15 + 8 + id.value),
      of_saves_(plan.seed * 0x9e3779b97f4a7c15 + 100 + id.value) {
    codecs_ = later_codecs();
    if (!plan.has(Fault::versions) || id.value % 2 == 0) {
        codecs_.pop_back();
    }
    families_ = LaterFamily::all_families();
    if (!knows_later_records()) {
        families_.pop_back();
    }
    if (plan.counters) {
        families_.push_back(CounterFamily::make);
    }
    if (plan.echo) {
        families_.push_back(EchoFamily::make);
    }
    for (std::uint32_t voter = 1; voter <= plan.nodes; ++voter) {
        voters_.push_back(NodeId{voter});
    }
    for (std::uint8_t gateway = 1; gateway <= plan.gateways; ++gateway) {
        if (const std::optional<lease::Durable> memory = plan.first_memory()) {
            disk_[GatewayId{gateway}] = *memory;
        }
    }
}

void Machine::start() {
    ++process_;
    started_at_ = agenda_.now();
    if (!powered_) {
        powered_ = true;
        base_world_ = agenda_.now();
        base_local_ = TimePoint(std::chrono::seconds(10 + id_.value));
        sender_.boot.octets = {static_cast<std::uint8_t>(id_.value), ++boots_};
        thawed_at_ = {};
    }
    sender_.node = id_;
    sender_.instance = lease::Instance{process_};
    // Clocks of a run differ by up to 9 % each: more than a cluster with the defaults may have.
    lease::Timing timing;
    timing.rate_ppm = 200'000;
    timing.grain = milliseconds(50);
    const lease::Setup lease{.self = sender_, .timing = timing, .voters = voters_};
    node::Settings settings;
    settings.self = id_;
    settings.name = name();
    settings.instance = process_ << 8 | id_.value;
    settings.codecs = codecs_;
    settings.families = families_;
    for (std::uint8_t gateway = 1; gateway <= plan_.gateways; ++gateway) {
        const auto durable = disk_.find(GatewayId{gateway});
        settings.gateways.push_back(
            {.id = GatewayId{gateway},
             .name = fmt::format("l2tp{}", gateway),
             .links = {},
             .keepers = {.flows = {.replicate = plan_.flows,
                                   .policy = Traffic::policy(GatewayId{gateway})},
                         .addresses = {},
                         .accounts = {.on = plan_.accounts}},
             .lease = lease,
             .witness_name = {},
             .stand_in = plan_.stand_in,
             .lease_watch = {},
             .durable = durable == disk_.end() ? std::nullopt : std::optional(durable->second),
             .started_at = local_now()});
        if (plan_.calls_percent > 0) {
            settings.gateways.back().keepers.protocols.serve<pptp::Table>();
        }
        if (plan_.ipsec && GatewayId{gateway} == kIpsecGateway) {
            settings.gateways.back().keepers.protocols.serve<ipsec::Table>().virtual_pools = {
                kVirtualPool};
        }
        if (plan_.wireguard) {
            settings.gateways.back().keepers.protocols.serve<wireguard::Table>();
        }
        settings.setups.push_back(
            {GatewayId{gateway}, {{"l2tp.hello_interval", wire::Weight::note, 60}}});
    }
    use_numbers();
    if (!plan_.ipsec) {
        numbers_.clear();
    }
    open_.clear();
    CounterFamily::starting = this;
    node_ = std::make_unique<node::Node>(std::move(settings));
    story_.notify(id_, "vpnhad starts");
    if (plan_.ipsec) {
        charon_.meet();
    }
    notified_lost_.clear();
    for (const LinkSide side : lost_) {
        report_carrier(side, false);
    }
}

void Machine::release_leases() {
    if (node_ && !paused_) {
        story_.notify(id_, "vpnhad ends");
        run({[](node::Node& node, TimePoint now) { return node.release_leases(now); }, false});
    }
}

void Machine::kill() {
    node_.reset();
    over_ = false;
    ++process_;
    tasks_.clear();
    waiting_.clear();
    saving_.clear();
    silenced_ = false;
    plugins_.clear();
    new_calls_.clear();
    scores_.clear();
    kernel_.clear();
    responder_.clear();
    flows_.reset();
    calls_.die(powered_ && !paused_);
    charon_.part();
    timer_.cancel();
}

void Machine::cut_power() {
    use_numbers();
    numbers_.clear();
    kill();
    flows_.table().lose_power();
    charon_.lose_power();
    peers_.lose_power();
    powered_ = false;
    paused_ = false;
    calls_.pause(false);
    slow_ = {};
    open_.clear();
}

bool Machine::is_sound() const {
    constexpr Duration kSettled = std::chrono::seconds(2);
    return powered_ && !paused_ && node_ && !over_ && slow_ == Duration{} &&
           failing_percent_ == 0 && !disk_full_since_ && lost_.empty() &&
           agenda_.now() >= started_at_ + kSettled;
}

void Machine::fill_disk(bool full) {
    if (full && !disk_full_since_) {
        disk_full_since_ = agenda_.now();
    } else if (!full) {
        disk_full_since_.reset();
    }
}

const node::GatewayNode* Machine::gateway(GatewayId id) const {
    return node_ ? node_->find(id) : nullptr;
}

Epoch Machine::disk(GatewayId gateway) const {
    const auto found = disk_.find(gateway);
    return found == disk_.end() ? Epoch{} : std::max(found->second.claimed, found->second.granted);
}

bool Machine::remembers() const {
    return node_ && disk_.size() == plan_.gateways &&
           std::all_of(disk_.begin(), disk_.end(),
                       [](const auto& each) { return each.second.voters.newest().has_version(); });
}

bool Machine::gate_open(GatewayId gateway) const {
    const auto found = open_.find(gateway);
    return found != open_.end() && local_now() < found->second;
}

bool Machine::just_thawed() const {
    return thawed_at_ != TimePoint{} && local_now() < thawed_at_ + lease::Timing{}.lease;
}

void Machine::withdraw_score(GatewayId gateway) {
    story_.notify(id_, "score of gateway {} is withdrawn", gateway.value);
    scores_.erase(gateway);
}

std::optional<int> Machine::score(GatewayId gateway) const {
    const auto found = scores_.find(gateway);
    return found == scores_.end() ? std::nullopt : std::optional(found->second);
}

void Machine::post(Call call) {
    add_task(std::move(call), false);
}

void Machine::add_task(Call call, bool of_lease) {
    if (node_) {
        tasks_.push_back({std::move(call), of_lease});
        schedule_tasks();
    }
}

void Machine::deliver(const Delivery& delivery) {
    if (const auto* membership = std::get_if<Membership>(&delivery)) {
        post([group = *membership](node::Node& node, TimePoint now) {
            return node.on_members(group.members, group.quorate, now);
        });
    } else {
        post([this, message = std::get<GroupMessage>(delivery)](node::Node& node, TimePoint now) {
            world_.before_message(*this, message);
            return node.on_group_message(message.sender, message.bytes, now);
        });
    }
}

void Machine::deliver_lease(const lease::Sender& sender, const effects::SendLease& sent) {
    add_task(
        [=](node::Node& node, TimePoint now) {
            return node.on_lease_message(sent.gateway, sender, sent.message, now);
        },
        true);
}

void Machine::deliver_echo(NodeId from) {
    post([from](node::Node& node, TimePoint now) { return node.on_echo(from, now); });
}

void Machine::plug_in(PluginToken plugin, GatewayId gateway, const wire::RecordKey& key,
                      Negotiated session, const std::string& not_resumable) {
    plugins_[plugin] = {gateway, key};
    if (auto* const call = std::get_if<node::StockCall>(&session)) {
        calls_.stock_up(plugin, gateway, *call);
    }
    post([=](node::Node& node, TimePoint now) {
        return node.on_plugin_up(
            plugin, fmt::format("l2tp{}", gateway.value),
            std::visit([](const auto& each) { return node::stock_session(each); }, session),
            not_resumable, now);
    });
}

void Machine::unplug(PluginToken plugin) {
    const auto known = plugins_.extract(plugin);
    calls_.stock_down(plugin);
    post([=](node::Node& node, TimePoint now) { return node.on_plugin_down(plugin, now); });
    if (known && known.mapped().second.type == wire::RecordType::l2tp_session) {
        end_call(l2tp_key(known.mapped().second));
    }
}

void Machine::end_call(const l2tp::SessionKey& call) {
    const auto found = new_calls_.find(call);
    if (found == new_calls_.end()) {
        return;
    }
    const GatewayId gateway = found->second;
    new_calls_.erase(found);
    const auto plugin = std::find_if(plugins_.begin(), plugins_.end(), [&](const auto& each) {
        return each.second.second == node::record_key_of(call);
    });
    if (plugin != plugins_.end()) {
        unplug(plugin->first);
    }
    post([=](node::Node& node, TimePoint now) {
        return node.on_event(gateway, node::CallOver{call, true, "its pppd ended"}, now);
    });
}

void Machine::pause() {
    use_numbers();
    base_local_ = local_now();
    base_world_ = agenda_.now();
    paused_ = true;
    calls_.pause(true);
}

void Machine::resume(bool clock_went_on) {
    const TimePoint local = clock_went_on ? local_now() : base_local_;
    paused_ = false;
    rebase(local);
    thawed_at_ = clock_went_on ? thawed_at_ : local;
    numbers_.skip(local);
    schedule_tasks();
    send_waiting();
    schedule_install();
    arm_timer();
    calls_.pause(false);
}

void Machine::rebase(TimePoint local) {
    base_local_ = local;
    base_world_ = agenda_.now();
}

void Machine::set_clock_rate(double rate) {
    rebase(local_now());
    rate_ = rate;
    arm_timer();
}

void Machine::set_voters(const std::set<NodeId>& voters) {
    voters_.assign(voters.begin(), voters.end());
    post(
        [nodes = voters_](node::Node& node, TimePoint now) { return node.set_voters(nodes, now); });
}

void Machine::set_carrier(LinkSide side, bool carrier) {
    if (carrier ? lost_.erase(side) == 0 : !lost_.insert(side).second) {
        return;
    }
    story_.notify(id_, "its {} link {}", to_string(side), carrier ? "is back" : "is lost");
    report_carrier(side, carrier);
}

void Machine::report_carrier(LinkSide side, bool carrier) {
    for (std::uint8_t gateway = 1; gateway <= plan_.gateways; ++gateway) {
        post([=, this](node::Node& node, TimePoint now) {
            // A loss once the last gateway has heard of it, a return from the first one on.
            if (carrier && gateway == 1) {
                notified_lost_[side] = now;
            } else if (!carrier && gateway == plan_.gateways) {
                notified_lost_[side] = std::nullopt;
            }
            return node.on_carrier(GatewayId{gateway}, side, carrier, now);
        });
    }
}

bool Machine::must_count_as_lost(LinkSide side) const {
    const auto notified = notified_lost_.find(side);
    return notified != notified_lost_.end() &&
           (!notified->second || local_now() < *notified->second + node::LinkSettings{}.hold_off);
}

TimePoint Machine::local_now() const {
    const Duration passed = agenda_.now() - base_world_;
    return base_local_ +
           Duration(static_cast<Duration::rep>(static_cast<double>(passed.count()) * rate_));
}

Duration Machine::in_world(Duration local) const {
    return Duration(static_cast<Duration::rep>(static_cast<double>(local.count()) / rate_) + 1000);
}

void Machine::schedule_tasks() {
    if (task_due_ || paused_ || tasks_.empty()) {
        return;
    }
    task_due_ = true;
    agenda_.at(ready_at_, [this] {
        task_due_ = false;
        run_task();
    });
}

void Machine::run_task() {
    if (paused_ || tasks_.empty()) {
        return;
    }
    const Task next = std::move(tasks_.front());
    tasks_.pop_front();
    ready_at_ = agenda_.now() + slow_;
    run(next);
    schedule_tasks();
}

void Machine::run(const Task& task) {
    if (over_) {
        return;
    }
    // Time daemons keep Unix time the same everywhere.
    node_->set_wall(agenda_.now() - local_now());
    effects::Effects effects = task.call(*node_, local_now());
    const bool of_lease =
        task.of_lease && std::all_of(effects.begin(), effects.end(), [](const auto& effect) {
            return std::holds_alternative<effects::SendLease>(effect) ||
                   std::holds_alternative<effects::SetGate>(effect);
        });
    world_.on_effects(*this, effects, silenced_);
    carry_out(std::move(effects));
    if (over_) {
        return;  // What it has done, and not said, dies with it.
    }
    world_.on_settled(*this, of_lease);
    arm_timer();
}

void Machine::send_waiting() {
    if (paused_ || !node_) {
        return;
    }
    while (!waiting_.empty() && world_.send_to_group(id_, waiting_.front())) {
        waiting_.pop_front();
    }
    if (!waiting_.empty()) {
        silenced_ = true;
        effects::Effects effects = node_->set_group_writable(false, local_now());
        world_.on_effects(*this, effects, true);
        carry_out(std::move(effects));
        agenda_.after(kGroupRetry, [this, process = process_] {
            if (process == process_) {
                send_waiting();
            }
        });
    } else if (silenced_) {
        // A busy node comes to it later, and other messages may wait by then.
        post([this](node::Node& node, TimePoint now) {
            if (!silenced_ || !waiting_.empty()) {
                return effects::Effects{};
            }
            silenced_ = false;
            return node.set_group_writable(true, now);
        });
    }
}

void Machine::schedule_install() {
    if (install_due_ || paused_ || !kernel_.has_queued()) {
        return;
    }
    install_due_ = true;
    agenda_.after(slow_ + between(random_, microseconds(20), milliseconds(2)),
                  [this, process = process_] {
                      install_due_ = false;
                      if (process != process_ || paused_) {
                          schedule_install();
                          return;
                      }
                      post([this](node::Node& node, TimePoint now) { return install(node, now); });
                      schedule_install();
                  });
}

effects::Effects Machine::install(node::Node& node, TimePoint now) {
    const auto done = kernel_.install_next(random_);
    if (!done) {
        return {};
    }
    const auto& [wanted, result] = *done;
    const GatewayId gateway = std::visit([](const auto& each) { return each.gateway; }, wanted);
    if (const auto* const call = std::get_if<node::PrepareCall>(&wanted); call && result) {
        calls_.prepare(*call);
    }
    const auto answer = [wanted = wanted, result = result] {
        return std::visit([&](const auto& each) { return installed(each, result); }, wanted);
    };
    if (plan_.has(Fault::overrun) || plan_.has(Fault::vanish) || random_.chance(50)) {
        return node.on_event(gateway, answer(), now);
    }
    // Its answer comes later, behind whatever happens meanwhile; but no session is lost before its
    // installation was answered.
    agenda_.after(between(random_, microseconds(10), milliseconds(5)),
                  [this, process = process_, gateway, answer] {
                      if (process == process_) {
                          post([=](node::Node& vpnhad, TimePoint at) {
                              return vpnhad.on_event(gateway, answer(), at);
                          });
                      }
                  });
    return {};
}

void Machine::arm_timer() {
    const auto deadline = node_ && !paused_ ? node_->next_deadline() : std::nullopt;
    if (!deadline) {
        return;
    }
    const Duration left = std::max<Duration>(*deadline - std::min(*deadline, local_now()), kTurn);
    timer_.set(agenda_.now() + in_world(left));
}

void Machine::on_timer() {
    const auto deadline = node_ && !paused_ ? node_->next_deadline() : std::nullopt;
    if (deadline && *deadline <= local_now()) {
        post([](node::Node& node, TimePoint now) { return node.on_time(now); });
    } else {
        arm_timer();
    }
}

}  // namespace vpnha::sim
