// SPDX-License-Identifier: GPL-2.0-or-later
// The calls that a promoted node has taken over.
#include <utility>

#include "base/accounting.hpp"
#include "effects/accounting_work.hpp"
#include "effects/pptp_work.hpp"
#include "effects/script_work.hpp"
#include "keepers/pptp/calls.hpp"
#include "pptp/control_probe.hpp"

namespace vpnha::keepers {

namespace {

node::ScriptFacts facts_of(const pptp::CallRecord& record, const replica::GatewayClock& clock,
                           std::uint32_t device) {
    return {record.facts.user,
            record.facts.our_address,
            record.facts.peer_address,
            {},
            clock.when(record.facts.established_unix_ms),
            device};
}

}  // namespace

void PptpCalls::promote(TimePoint now, Effects& effects) {
    is_promoted_ = true;
    say_numbers(effects);
    effects.emplace_back(node::WatchCalls{gateway_.id()});
    std::vector<pptp::CallKey> ready;
    std::vector<wire::RecordKey> unreadable;
    for (const auto& [key, stored] : replica().store().all(wire::RecordType::pptp_call)) {
        const auto call = pptp::parse_key(key.id.view());
        if (!call) {
            unreadable.push_back(key);
            continue;
        }
        const auto found = calls_.find(*call);
        if (found == calls_.end() || found->second.stage == Stage::absent) {
            ending_.add(*call);
        } else if (found->second.stage == Stage::prepared) {
            ready.push_back(*call);
        }
        // What is being prepared is resumed when it is: CallPrepared.
    }
    resume(std::move(ready), now, effects);
    end_unresumable(now, effects);
    for (const wire::RecordKey& key : unreadable) {
        replica().erase(key, now);
    }
    ask(now, effects);
}

void PptpCalls::resume(std::vector<pptp::CallKey> keys, TimePoint now, Effects& effects) {
    for (const pptp::CallKey& key : keys) {
        Call& call = calls_[key];
        call.stage = Stage::resumed;
        releases_.asked(key);
        if (!call.record->facts.obstacle.empty()) {
            ending_.add(key);
        } else {
            proxies_.up(record_key_of(key), call.record->facts.proxied, effects);
        }
        watch_timeouts(*call.record, now);
    }
    if (!keys.empty()) {
        effects.emplace_back(node::ResumeCalls{gateway_.id(), std::move(keys), releases_.is_exact(),
                                               static_cast<std::uint8_t>(granted_.number)});
    }
}

void PptpCalls::end_unresumable(TimePoint now, Effects& effects) {
    if (!gateway_.is_heard()) {
        return;
    }
    while (const auto taken = ending_.take(now)) {
        const pptp::CallKey& key = *taken;
        const auto found = calls_.find(key);
        if (found == calls_.end() || found->second.stage != Stage::resumed) {
            give_up(key, now, effects);
            continue;
        }
        ++counters_.lost;
        log(node::Level::error, "session lost event=lost", key,
            ends_with_node(found->second.record->facts.obstacle), effects);
        effects.emplace_back(node::EndCall{gateway_.id(), key,
                                           "it ended with the node that negotiated it",
                                           EndCause::lost_service});
    }
}

void PptpCalls::give_up(const pptp::CallKey& key, TimePoint now, Effects& effects) {
    const auto found = calls_.find(key);
    const replica::StoredRecord* const stored = replica().store().find(record_key_of(key));
    if (stored == nullptr || (found != calls_.end() && found->second.stage != Stage::absent)) {
        return;  // It ended, is served here anew, or the data path has still to say.
    }
    const Result<pptp::CallRecord> record = pptp::parse_record(stored->payload);
    ++counters_.lost;
    log(node::Level::error, "session lost event=lost", key,
        record ? "this node has not prepared it; its client is told"
               : "this node cannot read its record",
        effects);
    if (record) {
        const bool has_numbers = found != calls_.end() && found->second.numbers;
        // A client answers each segment whose numbers are not the next ones.
        pptp::ControlProbe probe(
            record->tcp, has_numbers ? *found->second.numbers : pptp::CallNumbers{}, Duration{});
        effects.emplace_back(node::DismissCall{gateway_.id(), key, record->tcp.timestamps,
                                               probe.on_time(now).value_or(pptp::ProbeSegment{})});
    }
    if (found != calls_.end()) {
        calls_.erase(found);
    }
    end(key, EndCause::lost_service, now);
}

void PptpCalls::end(const pptp::CallKey& key, EndCause cause, TimePoint now) {
    if (!replica().promoted()) {
        ended_.emplace(key, cause);
        return;
    }
    erase(key, now);
    gateway_.tell_end(record_key_of(key), cause, now);
}

void PptpCalls::pause(Effects& effects) {
    reading_.reset();
    read_again_at_.reset();
    timeouts_.clear();
    ending_.clear();
    effects.emplace_back(node::PauseCalls{gateway_.id()});
}

void PptpCalls::unpause(TimePoint now, Effects& effects) {
    std::vector<pptp::CallKey> keys;
    for (const auto& [key, call] : calls_) {
        if (call.stage == Stage::resumed || call.stage == Stage::prepared) {
            keys.push_back(key);
        } else if (call.stage == Stage::absent && call.record) {
            ending_.add(key);
        }
    }
    resume(std::move(keys), now, effects);
    end_unresumable(now, effects);
    ask(now, effects);
}

void PptpCalls::mute(Effects& effects) {
    // Without a word: the next promoted node goes on with them.
    is_promoted_ = false;
    granted_ = {};
    releases_.end();
    reading_.reset();
    read_again_at_.reset();
    timeouts_.clear();
    ending_.clear();
    scripts_.down_all(effects);
    proxies_.down_all(effects);
    effects.emplace_back(node::UnwatchCalls{gateway_.id()});
    for (auto& [key, call] : calls_) {
        if (call.stage == Stage::resumed) {
            effects.emplace_back(node::RemoveCall{gateway_.id(), key});
        }
        if (is_live(call)) {
            // Prepared anew, from what the next holder says of it.
            call.stage = Stage::absent;
            replica().on_gone(record_key_of(key));
        }
    }
    for (const auto& [plugin, call] : stock_.by_plugin()) {
        const pptp::CallRecord& record = call.record;
        scripts_.stock_down(record.key, facts_of(record, gateway_.clock(), 0),
                            record.facts.interface, effects);
        proxies_.stock_down(record.facts.proxied, effects);
    }
    stock_.clear();
    waiting_plugins_.clear();
    ended_.clear();
}

Result<void> PptpCalls::end(const wire::RecordKey& key, TimePoint, Effects& effects) {
    if (const auto plugin = stock_.plugin_of(key)) {
        effects.emplace_back(node::EndPlugin{*plugin});
        return {};
    }
    VPNHA_TRY(const pptp::CallKey call, pptp::parse_key(key.id.view()));
    const auto found = calls_.find(call);
    if (found == calls_.end() || found->second.stage != Stage::resumed) {
        return fail(Errc::not_found, "this node has not resumed the call");
    }
    effects.emplace_back(
        node::EndCall{gateway_.id(), call, "ended by the operator", EndCause::admin_reset});
    return {};
}

void PptpCalls::watch_timeouts(const pptp::CallRecord& record, TimePoint now) {
    timeouts_.watch(
        {record_key_of(record.key), record.facts.timeouts,
         gateway_.clock().when(record.facts.established_unix_ms), record.facts.peer_address},
        now);
}

Result<ppp::Timeouts> PptpCalls::change(const wire::RecordKey& key,
                                        const ppp::TimeoutChange& change, TimePoint now,
                                        Effects& effects) {
    VPNHA_TRY(const pptp::CallKey name, pptp::parse_key(key.id.view()));
    const auto found = calls_.find(name);
    const bool is_resumed = found != calls_.end() && found->second.stage == Stage::resumed;
    const auto amend = [&](pptp::CallRecord& record) {
        record.facts.timeouts = change.of(record.facts.timeouts);
        replica().amend(key, pptp::encode_record(record));
        if (found != calls_.end()) {
            found->second.record = record;
        }
    };
    if (const auto plugin = stock_.plugin_of(key)) {
        pptp::CallRecord& record = stock_.record(*plugin);
        amend(record);
        effects.emplace_back(node::ChangePlugin{*plugin, record.facts.timeouts});
        return record.facts.timeouts;
    }
    if (!is_resumed) {
        return fail(Errc::not_found, "this node has not resumed the call");
    }
    amend(*found->second.record);
    watch_timeouts(*found->second.record, now);
    return found->second.record->facts.timeouts;
}

void PptpCalls::hear(const node::CallResumed& resumed, TimePoint, Effects& effects) {
    ++counters_.resumed;
    log(node::Level::info, "session resumed event=resumed", resumed.key, resumed.how, effects);
    releases_.resumed(resumed.key);
    const auto found = calls_.find(resumed.key);
    if (found == calls_.end() || found->second.stage != Stage::resumed ||
        !found->second.record->facts.obstacle.empty()) {
        return;  // Meanwhile it is nobody's, or another node's; or it ends at once.
    }
    scripts_.up(resumed.key,
                facts_of(*found->second.record, gateway_.clock(), found->second.device), effects);
}

void PptpCalls::hear(const node::CallEnded& ended, TimePoint now, Effects& effects) {
    const auto found = calls_.find(ended.key);
    if (found == calls_.end() || found->second.stage != Stage::resumed) {
        return;
    }
    calls_.erase(found);
    releases_.ended(ended.key);
    ending_.erase(ended.key);
    timeouts_.forget(record_key_of(ended.key));
    scripts_.down(ended.key, effects);
    proxies_.down(record_key_of(ended.key), effects);
    log(node::Level::info, "session ended event=session-down", ended.key, ended.reason, effects);
    end(ended.key, ended.cause, now);
}

void PptpCalls::end_due(TimePoint now, Effects& effects) {
    if (!gateway_.is_heard()) {
        return;
    }
    for (const auto& [record, cause, reason] : timeouts_.take_due(now)) {
        if (const auto key = pptp::parse_key(record.id.view())) {
            effects.emplace_back(node::EndCall{gateway_.id(), *key, std::string(reason), cause});
        }
    }
}

void PptpCalls::hear(const node::TrafficRead& read, TimePoint now, Effects& effects) {
    timeouts_.hear(read, now);
    end_due(now, effects);
}

}  // namespace vpnha::keepers
