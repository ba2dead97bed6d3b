// SPDX-License-Identifier: GPL-2.0-or-later
// Carries out what the node wants: one function for each effect, in the order of the daemon's
// executor (daemon/executor.cpp). A new effect does not compile before it has one here.
#include <algorithm>
#include <variant>

#include "cluster/effects/run_effects.hpp"
#include "protocols/l2tp/work.hpp"
#include "services/flows/work.hpp"
#include "sim/machine.hpp"

namespace vpnha::sim {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

}  // namespace

void Machine::carry_out(effects::Effects effects) {
    effects::run_effects(
        std::move(effects),
        [this](effects::Effect& effect) {
            agenda_.count();
            world_.on_effect(*this, effect);
            effects::Effects more = run_one(effect);
            world_.on_effects(*this, more, false);
            return more;
        },
        [this] { return over_; });
}

effects::Effects Machine::execute(effects::SendToGroup& sent) {
    waiting_.push_back(sent.message);
    if (waiting_.size() == 1) {
        send_waiting();
    }
    return {};
}

effects::Effects Machine::execute(effects::ProtocolWork& work) {
    if (const auto* const l2tp = work.get<node::L2tpWork>()) {
        return std::visit([this](const auto& each) { return execute(each); }, *l2tp);
    }
    if (const auto* const flows = work.get<node::FlowWork>()) {
        flows_.execute(*flows);
    } else if (const auto* const calls = work.get<node::PptpWork>()) {
        return execute(*calls);
    } else if (const auto* const ipsec = work.get<node::IpsecWork>()) {
        charon_.execute(*ipsec);
    } else if (const auto* const peers = work.get<node::WireguardWork>()) {
        peers_.execute(*peers);
    } else if (const auto* const accounts = work.get<node::AccountingWork>()) {
        return std::visit([this](const auto& each) { return execute(each); }, *accounts);
    } else if (const auto* const echo = work.get<echo::GatewayWork>()) {
        responder_.execute(*echo);
    }
    return {};
}

effects::Effects Machine::execute(const node::SendAccounting& sent) {
    world_.on_account(*this, sent);
    return {};
}

// No device counts anything here.
effects::Effects Machine::execute(const node::ReadTraffic& read) {
    post([read](node::Node& node, TimePoint now) {
        return node.on_event(read.gateway, node::TrafficRead{read.ticket, {}}, now);
    });
    return {};
}

effects::Effects Machine::execute(const node::InstallSession& install) {
    kernel_.queue(install);
    schedule_install();
    return {};
}

effects::Effects Machine::execute(const node::RemoveSession& remove) {
    kernel_.remove({remove.gateway, node::record_key_of(remove.key)});
    return {};
}

effects::Effects Machine::execute(const node::AuditSessions& audit) {
    return node_->on_event(audit.gateway, node::SessionsAudited{kernel_.audit(audit.gateway)},
                           local_now());
}

Result<void> Machine::save(GatewayId gateway, const lease::Durable& durable) {
    if (disk_full_since_) {
        return fail(Errc::system, "No space left on device");
    }
    disk_[gateway] = durable;
    return {};
}

effects::Effects Machine::execute(effects::SaveLease& wanted) {
    if (plan_.has(Fault::save_slow)) {
        saving_.push_back({wanted.gateway, wanted.durable, wanted.ticket});
        save_next();
        return {};
    }
    const Result<void> saved = save(wanted.gateway, wanted.durable);
    return node_->on_lease_saved(wanted.gateway, wanted.ticket, saved, local_now());
}

// One after the other, as the daemon's saver does it; most of them quickly.
void Machine::save_next() {
    if (save_due_ || saving_.empty()) {
        return;
    }
    save_due_ = true;
    const Duration lasts = of_saves_.chance(70)
                               ? between(of_saves_, microseconds(100), milliseconds(20))
                               : between(of_saves_, milliseconds(20), milliseconds(400));
    agenda_.after(lasts, [this, process = process_] {
        save_due_ = false;
        if (process == process_ && !saving_.empty()) {
            const Saving saving = std::move(saving_.front());
            saving_.pop_front();
            const Result<void> saved = save(saving.gateway, saving.durable);
            post([gateway = saving.gateway, ticket = saving.ticket, saved](node::Node& node,
                                                                           TimePoint now) {
                return node.on_lease_saved(gateway, ticket, saved, now);
            });
        }
        save_next();
    });
}

effects::Effects Machine::execute(effects::SendLease& sent) {
    world_.on_lease(*this, sent);
    return {};
}

effects::Effects Machine::execute(effects::SetGate& gate) {
    use_numbers();
    open_[gate.gateway] = gate.deadline;
    return {};
}

effects::Effects Machine::execute(effects::LeaveGate& leave) {
    use_numbers();
    const auto open = open_.find(leave.gateway);
    if (open != open_.end()) {
        open->second = std::min(open->second, leave.shut_at);
    }
    return {};
}

effects::Effects Machine::execute(effects::HoldGate&) {
    return {};
}
effects::Effects Machine::execute(effects::GiveBack&) {
    return {};
}

effects::Effects Machine::execute(const node::SendDatagram& datagram) {
    world_.on_datagram(*this, datagram);
    return {};
}

effects::Effects Machine::execute(const node::SendFrame& frame) {
    world_.on_frame(*this, frame);
    return {};
}

effects::Effects Machine::execute(const node::StartCall& start) {
    new_calls_.emplace(start.call, start.gateway);
    world_.on_call_started(*this, start);
    return {};
}

effects::Effects Machine::execute(const node::DropCall& drop) {
    end_call(drop.call);
    return {};
}

effects::Effects Machine::execute(effects::AnswerRequest& answer) {
    world_.on_answer(*this, answer);
    return {};
}

effects::Effects Machine::execute(effects::WriteScore& score) {
    story_.notify(id_, "score of gateway {}: {}", score.gateway.value, score.score);
    scores_[score.gateway] = score.score;
    return {};
}

effects::Effects Machine::execute(effects::WithdrawScore& withdrawn) {
    world_.on_withdrawn(withdrawn);
    return {};
}

effects::Effects Machine::execute(effects::AskForEcho& asked) {
    world_.on_echo_asked(*this, asked);
    return {};
}

effects::Effects Machine::execute(effects::Detached& detached) {
    kernel_.forget(detached.gateway);
    scores_.erase(detached.gateway);
    // The last one ends vpnhad.
    return node_->any_attached() ? effects::Effects{} : flows_.finish(*node_, local_now());
}

effects::Effects Machine::execute(effects::Fenced&) {
    over_ = true;
    world_.on_fenced(*this);
    return {};
}

effects::Effects Machine::execute(effects::Log& line) {
    story_.notify(id_, "{}", line.text);
    return {};
}

// Nobody waits for these: Pacemaker looks at the nodes' states itself, links fail by their carrier.
effects::Effects Machine::execute(effects::Announce&) {
    return {};
}
effects::Effects Machine::execute(effects::AskNeighbours&) {
    return {};
}
effects::Effects Machine::execute(effects::AnswerPlugin&) {
    return {};
}
effects::Effects Machine::execute(effects::EndPlugin&) {
    return {};
}
effects::Effects Machine::execute(effects::ChangePlugin&) {
    return {};
}
effects::Effects Machine::execute(effects::AnswerAddress&) {
    return {};
}
effects::Effects Machine::execute(effects::WatchServices&) {
    return {};
}
effects::Effects Machine::execute(effects::ReportFailure&) {
    return {};
}

effects::Effects Machine::execute(effects::RunStep& step) {
    Result<void> result = run(step);
    if (!plan_.has(Fault::step_lasts) || random_.chance(60)) {
        return node_->on_step_done(step.gateway, step.step, result, local_now());
    }
    const Duration lasts = random_.chance(60)
                               ? between(random_, microseconds(100), milliseconds(20))
                               : between(random_, milliseconds(20), milliseconds(3000));
    agenda_.after(lasts, [this, process = process_, step, result] {
        if (process == process_) {
            post([=](node::Node& node, TimePoint now) {
                return node.on_step_done(step.gateway, step.step, result, now);
            });
        }
    });
    return {};
}

Result<void> Machine::run(const effects::RunStep& step) {
    if (step.step == takeover::Step::reset_services) {
        // The pppds of calls are killed, whatever else of it fails.
        for (const PluginToken each : plugins_of(step.gateway)) {
            if (plugins_.at(each).second.type == wire::RecordType::pptp_call) {
                unplug(each);
            }
        }
    }
    if (random_.chance(failing_percent_)) {
        return fail(Errc::system, "the device is gone");
    }
    use_numbers();
    switch (step.step) {
        case takeover::Step::open_gate:
            open_[step.gateway] = step.deadline;
            break;
        case takeover::Step::shut_gate:
            open_.erase(step.gateway);
            break;
        case takeover::Step::reset_services:
            reset_services(step.gateway);
            break;
        default:
            break;
    }
    return {};
}

std::vector<PluginToken> Machine::plugins_of(GatewayId gateway) const {
    std::vector<PluginToken> found;
    for (const auto& [plugin, key] : plugins_) {
        if (key.first == gateway) {
            found.push_back(plugin);
        }
    }
    return found;
}

void Machine::reset_services(GatewayId gateway) {
    for (const PluginToken plugin : plugins_of(gateway)) {
        unplug(plugin);
    }
    // And those that had not come up.
    std::vector<l2tp::SessionKey> calls;
    for (const auto& [call, of] : new_calls_) {
        if (of == gateway) {
            calls.push_back(call);
        }
    }
    for (const l2tp::SessionKey& call : calls) {
        end_call(call);
    }
}

void Machine::lose_session(const Kernel::Key& key, bool news) {
    kernel_.lose(key);
    if (news) {
        post([this, key](node::Node& node, TimePoint now) {
            kernel_.received(key);
            return node.on_event(key.first, node::SessionGone{l2tp_key(key.second)}, now);
        });
    }
}

void Machine::overrun() {
    post([](node::Node& node, TimePoint now) {
        return node.on_event(node::SessionNewsLost{}, now);
    });
}

}  // namespace vpnha::sim
