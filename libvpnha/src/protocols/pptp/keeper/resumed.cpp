// SPDX-License-Identifier: GPL-2.0-or-later
// The calls that a promoted node has taken over.
#include <utility>

#include "base/accounting.hpp"
#include "protocols/pptp/keeper/calls.hpp"
#include "protocols/pptp/model/control_probe.hpp"
#include "protocols/pptp/work.hpp"

namespace vpnha::keepers {

void PptpCalls::promote(TimePoint now, Effects& effects) {
    is_promoted_ = true;
    emit_numbers(effects);
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
            ending_.add(key);
        } else if (found->second.stage == Stage::prepared) {
            ready.push_back(*call);
        }
        // A call that is being prepared is resumed at CallPrepared.
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
        const wire::RecordKey record = record_key_of(key);
        if (!call.record->facts.obstacle.empty()) {
            ending_.add(record);
        } else {
            proxies_.up(record, call.record->facts.proxied, effects);
        }
        watch_timeouts(record, call.record->facts, now);
    }
    if (!keys.empty()) {
        effects.emplace_back(node::ResumeCalls{gateway_.id(), std::move(keys), releases_.is_exact(),
                                               static_cast<std::uint8_t>(granted_.number)});
    }
}

void PptpCalls::end_resumed(const wire::RecordKey& key, std::string reason, EndCause cause,
                            TimePoint, Effects& effects) {
    if (const auto call = pptp::parse_key(key.id.view())) {
        effects.emplace_back(node::EndCall{gateway_.id(), *call, std::move(reason), cause});
    }
}

void PptpCalls::give_up(const wire::RecordKey& name, TimePoint now, Effects& effects) {
    const auto parsed = pptp::parse_key(name.id.view());
    const auto found = parsed ? calls_.find(*parsed) : calls_.end();
    const replica::StoredRecord* const stored = replica().store().find(name);
    if (stored == nullptr || !parsed ||
        (found != calls_.end() && found->second.stage != Stage::absent)) {
        return;  // It ended, is served here anew, or awaits the data path.
    }
    const pptp::CallKey& key = *parsed;
    const Result<pptp::CallRecord> record = pptp::parse_record(stored->payload);
    log_lost(name,
             record ? "this node has not prepared it; its client is notified"
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
    erase_ended(key, EndCause::lost_service, now);
}

void PptpCalls::erase_ended(const pptp::CallKey& key, EndCause cause, TimePoint now) {
    if (!replica().promoted()) {
        ended_.emplace(key, cause);
        return;
    }
    erase(key, now);
    gateway_.report_end(record_key_of(key), cause, now);
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
            ending_.add(record_key_of(key));
        }
    }
    resume(std::move(keys), now, effects);
    end_unresumable(now, effects);
    ask(now, effects);
}

void PptpCalls::mute(Effects& effects) {
    PppKeeper::mute(effects);
    is_promoted_ = false;
    granted_ = {};
    releases_.end();
    reading_.reset();
    read_again_at_.reset();
    effects.emplace_back(node::UnwatchCalls{gateway_.id()});
    for (auto& [key, call] : calls_) {
        if (call.stage == Stage::resumed) {
            rates_.remove(record_key_of(key), effects);
            effects.emplace_back(node::RemoveCall{gateway_.id(), key});
        }
        if (is_live(call)) {
            // Prepared anew, from the next holder's records.
            call.stage = Stage::absent;
            replica().on_gone(record_key_of(key));
        }
    }
    ended_.clear();
}

void PptpCalls::amend(const wire::RecordKey& key, const ppp::SessionFacts& facts) {
    const auto call = pptp::parse_key(key.id.view());
    const auto found = call ? calls_.find(*call) : calls_.end();
    if (found != calls_.end() && found->second.record) {
        found->second.record->facts = facts;
        replica().amend(key, pptp::encode_record(*found->second.record));
    }
}

void PptpCalls::handle(const node::CallResumed& resumed, TimePoint, Effects& effects) {
    ++times_resumed_;
    const wire::RecordKey record = record_key_of(resumed.key);
    log(LogLevel::info, "session resumed event=resumed", record, resumed.how, effects);
    releases_.resumed(resumed.key);
    const auto found = calls_.find(resumed.key);
    if (found == calls_.end() || found->second.stage != Stage::resumed ||
        !found->second.record->facts.obstacle.empty()) {
        return;  // No node or another one has it by now; or it ends at once.
    }
    run_scripts(record, found->second.record->facts, found->second.device, effects);
}

void PptpCalls::handle(const node::CallEnded& ended, TimePoint now, Effects& effects) {
    const auto found = calls_.find(ended.key);
    if (found == calls_.end() || found->second.stage != Stage::resumed) {
        return;
    }
    calls_.erase(found);
    releases_.ended(ended.key);
    const wire::RecordKey record = record_key_of(ended.key);
    ending_.erase(record);
    timeouts_.forget(record);
    scripts_.down(record, effects);
    proxies_.down(record, effects);
    rates_.remove(record, effects);
    log(LogLevel::info, "session ended event=session-down", record, ended.reason, effects);
    erase_ended(ended.key, ended.cause, now);
}

}  // namespace vpnha::keepers
