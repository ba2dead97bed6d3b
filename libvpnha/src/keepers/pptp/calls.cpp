// SPDX-License-Identifier: GPL-2.0-or-later
#include "keepers/pptp/calls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/limits.hpp"

namespace vpnha::keepers {

namespace {

using wire::RecordType;

// An answer of the data path that does not come is asked for again.
constexpr Duration kReadWait = std::chrono::seconds(1);

wire::RecordKey numbers_record(const pptp::CallKey& key) {
    return {RecordType::pptp_numbers, wire::RecordId(pptp::encode_key(key))};
}

// Our own clock goes on by itself.
bool has_moved(const pptp::CallNumbers& from, pptp::CallNumbers to) {
    to.tsval = from.tsval;
    return to != from;
}

}  // namespace

wire::RecordKey record_key_of(const pptp::CallKey& key) {
    return {RecordType::pptp_call, wire::RecordId(pptp::encode_key(key))};
}

void PptpCalls::log(node::Level level, const char* what, const pptp::CallKey& key,
                    const std::string& why, Effects& effects) const {
    effects.emplace_back(
        node::Log{level, fmt::format("{} {} {}{}{}", what, gateway_.tag(), pptp::to_string(key),
                                     why.empty() ? "" : ": ", why)});
}

Result<void> PptpCalls::put(const replica::Install& wanted, TimePoint now) {
    VPNHA_TRY(const pptp::CallKey key, pptp::parse_key(wanted.key.id.view()));
    if (wanted.key.type == RecordType::pptp_call) {
        VPNHA_TRY(pptp::CallRecord record, pptp::parse_record(wanted.payload));
        if (record.key != key) {
            return fail(Errc::malformed, "call record under another call's id");
        }
        Call& call = calls_[key];
        call.record = std::move(record);
        call.stage = Stage::absent;
        call.installing = wanted.ticket;
        return {};
    }
    VPNHA_TRY(const pptp::CallNumbers numbers, pptp::parse_numbers(wanted.payload));
    if (granted_ == Epoch{} || replica().epoch() > granted_) {
        calls_[key].numbers = numbers;
        renumbered_.insert(key);
    }
    replica().on_installed(wanted.key, wanted.ticket, replica::Outcome::installed, now);
    return {};
}

void PptpCalls::install(const replica::Install& wanted, TimePoint now, Effects& effects) {
    const Result<void> taken = put(wanted, now);
    if (!taken) {
        refusals_[wanted.key] = taken.error().detail;
        set_aside(gateway_, wanted, taken.error().detail, now, effects);
        return;
    }
    refusals_.erase(wanted.key);
    if (const auto key = pptp::parse_key(wanted.key.id.view())) {
        prepare(*key, effects);
    }
}

void PptpCalls::prepare(const pptp::CallKey& key, Effects& effects) {
    Call& call = calls_[key];
    if (call.stage != Stage::absent || !call.record || !call.numbers || !call.installing) {
        return;
    }
    call.stage = Stage::preparing;
    call.preparing = ++last_ticket_;
    renumbered_.erase(key);
    effects.emplace_back(
        node::PrepareCall{gateway_.id(), *call.record, *call.numbers, call.preparing});
}

void PptpCalls::say_numbers(Effects& effects) {
    node::SetCallNumbers news{gateway_.id(), {}};
    for (const pptp::CallKey& key : std::exchange(renumbered_, {})) {
        const auto found = calls_.find(key);
        if (found != calls_.end() && found->second.numbers &&
            (found->second.stage == Stage::preparing || found->second.stage == Stage::prepared)) {
            news.calls.push_back({key, *found->second.numbers});
        }
    }
    if (!news.calls.empty()) {
        effects.emplace_back(std::move(news));
    }
}

void PptpCalls::remove(const wire::RecordKey& key, Effects& effects) {
    refusals_.erase(key);
    const auto call = pptp::parse_key(key.id.view());
    const auto found = call ? calls_.find(*call) : calls_.end();
    if (found == calls_.end()) {
        return;
    }
    // The two go by themselves, in any order; and each may come again.
    if (key.type == RecordType::pptp_numbers) {
        found->second.numbers.reset();
        renumbered_.erase(*call);
    } else {
        timeouts_.forget(key);
        ending_.erase(*call);
        scripts_.down(*call, effects);
        proxies_.down(key, effects);
        effects.emplace_back(node::RemoveCall{gateway_.id(), *call});
        Call rest;
        rest.numbers = found->second.numbers;
        found->second = rest;
    }
    if (!found->second.record && !found->second.numbers) {
        calls_.erase(found);
    }
}

void PptpCalls::release(Effects& effects) {
    node::ReleaseCalls release{gateway_.id(), releases_.take(replica())};
    if (!release.calls.empty()) {
        effects.emplace_back(std::move(release));
    }
}

void PptpCalls::follow(TimePoint now, Effects& effects) {
    say_numbers(effects);
    release(effects);
    if (replica().promoted()) {
        for (const auto& [key, cause] : std::exchange(ended_, {})) {
            end(key, cause, now);
        }
    }
}

void PptpCalls::warm(const Margin& margin, TimePoint, Effects& effects) {
    releases_.begin(margin.run_on && *margin.run_on == Duration::zero());
    granted_ = margin.granted;
    say_numbers(effects);
}

bool PptpCalls::is_live(const Call& call) const {
    return call.stage == Stage::resumed || call.stage == Stage::stock;
}

bool PptpCalls::has_live() const {
    for (const auto& [key, call] : calls_) {
        if (is_live(call)) {
            return true;
        }
    }
    return false;
}

bool PptpCalls::are_final() const {
    return releases_.is_exact() ||
           (releases_.all_are_resumed() && std::ranges::all_of(calls_, [this](const auto& each) {
                return !each.second.record || is_live(each.second);
            }));
}

void PptpCalls::ask(TimePoint now, Effects& effects) {
    read_again_at_ = now + (has_live() ? kReadWait : Duration(limits::kGatherPause));
    if (!has_live()) {
        reading_.reset();
        read_at_ = are_final() ? now : read_at_;
        return;
    }
    reading_ = Reading{++last_ticket_, now};
    effects.emplace_back(node::ReadCalls{gateway_.id(), reading_->ticket});
}

void PptpCalls::read(TimePoint now, Effects& effects) {
    ask(now, effects);
}

void PptpCalls::erase(const pptp::CallKey& key, TimePoint now) {
    replica().erase(record_key_of(key), now);
    replica().erase(numbers_record(key), now);
}

void PptpCalls::detach(Effects& effects) {
    scripts_.down_all(effects);
    proxies_.down_all(effects);
    for (const auto& [key, call] : calls_) {
        if (call.stage != Stage::stock) {
            effects.emplace_back(node::RemoveCall{gateway_.id(), key});
        }
    }
    calls_.clear();
    timeouts_.clear();
    ending_.clear();
    renumbered_.clear();
    refusals_.clear();
}

void PptpCalls::on_replica(TimePoint now, Effects& effects) {
    release(effects);
    std::erase_if(waiting_plugins_, [&](const auto& waiting) {
        const auto& [plugin, wait] = waiting;
        const bool is_protected = replica().is_protected(wait.key);
        if (!is_protected && now < wait.until) {
            return false;
        }
        counters_.confirm_timeouts += is_protected ? 0 : 1;
        effects.emplace_back(node::AnswerPlugin{
            plugin, is_protected, is_protected ? "" : "no standby has confirmed it in time"});
        return true;
    });
}

void PptpCalls::on_time(TimePoint now, Effects& effects) {
    on_replica(now, effects);
    end_unresumable(now, effects);
    end_due(now, effects);
    timeouts_.ask(gateway_.id(), now, effects);
    if (read_again_at_ && *read_again_at_ <= now) {
        ask(now, effects);
    }
}

std::optional<TimePoint> PptpCalls::next_deadline() const {
    std::optional<TimePoint> at =
        earliest(earliest(read_again_at_, timeouts_.next_deadline()), ending_.next_deadline());
    for (const auto& [plugin, waiting] : waiting_plugins_) {
        at = earliest(at, waiting.until);
    }
    return at;
}

void PptpCalls::on_event(const node::KeeperEvent& event, TimePoint now, Effects& effects) {
    if (const auto* own = event.get<node::PptpEvent>()) {
        std::visit([&](const auto& each) { hear(each, now, effects); }, *own);
    } else if (const auto* plugin = event.get<node::PluginEvent>()) {
        std::visit([&](const auto& each) { hear(each, now, effects); }, *plugin);
    } else if (const auto* traffic = event.get<node::AccountingEvent>()) {
        std::visit([&](const auto& each) { hear(each, now, effects); }, *traffic);
    }
}

void PptpCalls::hear(const node::CallPrepared& prepared, TimePoint now, Effects& effects) {
    const auto found = calls_.find(prepared.key);
    if (found == calls_.end() || found->second.stage != Stage::preparing ||
        found->second.preparing != prepared.ticket) {
        return;
    }
    Call& call = found->second;
    const wire::RecordKey record = record_key_of(prepared.key);
    call.stage = prepared.result ? Stage::prepared : Stage::absent;
    if (const auto ticket = std::exchange(call.installing, std::nullopt)) {
        replica().on_installed(
            record, *ticket,
            prepared.result ? replica::Outcome::installed : replica::Outcome::refused, now);
    }
    if (prepared.result) {
        refusals_.erase(record);
        ending_.erase(prepared.key);
        call.device = prepared.device;
    } else {
        refusals_[record] = prepared.result.error().detail;
        log(node::Level::error, "a session could not be prepared event=quarantined", prepared.key,
            prepared.result.error().detail, effects);
    }
    if (!is_promoted_) {
        return;
    }
    // Asked for before the promotion, answered after it.
    if (!gateway_.is_heard()) {
        return;  // unpause() does what is left.
    }
    if (prepared.result) {
        resume({prepared.key}, now, effects);
    } else {
        ending_.add(prepared.key);
    }
    end_unresumable(now, effects);
}

void PptpCalls::hear(const node::CallsRead& read, TimePoint now, Effects&) {
    if (!is_promoted_ || !replica().promoted()) {
        return;
    }
    for (const pptp::CallState& state : read.calls) {
        const auto found = calls_.find(state.key);
        if (found == calls_.end() || !is_live(found->second)) {
            continue;
        }
        std::optional<pptp::CallNumbers>& known = found->second.numbers;
        if (!known || has_moved(*known, state.numbers)) {
            known = state.numbers;
            replica().publish(numbers_record(state.key), pptp::encode_numbers(state.numbers));
        }
        releases_.said(state.key);
    }
    // They were gathered already. Who goes on from older ones might use indexes of MPPE again.
    replica().hurry_counters();
    if (reading_ && reading_->ticket == read.ticket) {
        read_at_ = are_final() ? reading_->asked_at : read_at_;
        read_again_at_ = now + limits::kGatherPause;
        reading_.reset();
    }
}

std::optional<pptp::CallKey> PptpCalls::same_in_gre(const pptp::CallKey& key) const {
    const pptp::CallKey first{.local = key.local, .peer = {.address = key.peer.address}};
    for (auto it = calls_.lower_bound(first); it != calls_.end() && it->first.local == key.local &&
                                              it->first.peer.address == key.peer.address;
         ++it) {
        if (it->first.id == key.id && it->first != key && is_live(it->second)) {
            return it->first;
        }
    }
    return std::nullopt;
}

void PptpCalls::hear(const node::PluginUp& up, TimePoint now, Effects& effects) {
    const auto& [plugin, session, not_resumable, radius] = up;
    const auto* const own = std::get_if<node::PluginCall>(&session);
    if (own == nullptr) {
        return;
    }
    const auto& [told, numbers] = *own;
    if (!gateway_.is_served()) {
        effects.emplace_back(
            node::AnswerPlugin{plugin, false, "this node is not promoted for the gateway"});
        return;
    }
    if (const auto living = same_in_gre(told.key)) {
        const std::string why = fmt::format("its GRE is that of {}", pptp::to_string(*living));
        log(node::Level::warning, "session is ended event=call-id-clash", told.key, why, effects);
        effects.emplace_back(node::AnswerPlugin{plugin, false, why});
        effects.emplace_back(node::EndPlugin{plugin});
        return;
    }
    pptp::CallRecord record = told;
    record.facts.obstacle = not_resumable.substr(0, limits::kObstacleBytesMax);
    const wire::RecordKey key = record_key_of(record.key);
    std::string obstacle = not_resumable;
    const bool is_published =
        (record.facts.obstacle.empty() || pptp::validate(record)) &&
        replica().publish(numbers_record(record.key), pptp::encode_numbers(numbers)) &&
        replica().publish(key, pptp::encode_record(record));
    if (!is_published) {
        if (obstacle.empty()) {
            obstacle =
                fmt::format("the replica is full ({} records)", limits::kRecordsPerGatewayMax);
        }
        erase(record.key, now);
    }
    stock_.put(plugin, {key, record, obstacle});
    if (!obstacle.empty()) {
        waiting_plugins_.erase(plugin);
        effects.emplace_back(node::AnswerPlugin{plugin, false, obstacle});
        log(node::Level::warning, "session will not survive this node event=unprotected",
            record.key, obstacle, effects);
    }
    if (!is_published) {
        calls_.erase(record.key);
        return;
    }
    // A standby prepares it when it has both records, and a pppd waits for that.
    replica().hurry_counters();
    timeouts_.forget(key);
    Call& call = calls_[record.key];
    call = Call{.record = record, .numbers = numbers, .stage = Stage::stock, .installing = {}};
    scripts_.down(record.key, effects);
    proxies_.leave_to_pppd(key);
    if (obstacle.empty()) {
        waiting_plugins_[plugin] = Waiting{key, now + confirm_wait_};
        log(node::Level::info, "session up event=session-up", record.key, {}, effects);
    }
}

void PptpCalls::hear(const node::PluginDown& down, TimePoint now, Effects& effects) {
    waiting_plugins_.erase(down.plugin);
    const auto ended = stock_.erase(down.plugin);
    if (!ended) {
        return;  // Ended by a demotion: the session lives on elsewhere.
    }
    const pptp::CallKey key = ended->record.key;
    if (replica().promoted()) {
        calls_.erase(key);
        erase(key, now);
        log(node::Level::info, "session down event=session-down", key, {}, effects);
    }
}

SessionView PptpCalls::view_of(const pptp::CallRecord& record) const {
    return {.record = record_key_of(record.key),
            .protocol = "pptp",
            .ids = {{"call", record.key.id.value}, {"peer_call", record.key.peer_id.value}},
            .peer = to_string(record.key.peer),
            .address = to_string(record.facts.peer_address),
            .user = record.facts.user,
            .interface = record.facts.interface,
            .established_unix_ms = record.facts.established_unix_ms,
            .state = SessionState::hot,
            .epoch = replica().epoch(),
            .reason = {}};
}

std::optional<SessionView> PptpCalls::view_of(const wire::RecordKey& key,
                                              const replica::StoredRecord& stored) const {
    const Result<pptp::CallRecord> record = pptp::parse_record(stored.payload);
    if (!record) {
        return std::nullopt;
    }
    SessionView view = view_of(*record);
    view.epoch = stored.version.epoch;
    const auto call = calls_.find(record->key);
    show_state(view, replica(), key, stored, refusals_,
               {.is_resumed = call != calls_.end() && call->second.stage == Stage::resumed,
                .obstacle = record->facts.obstacle,
                .not_ready = "not yet prepared on this node"});
    return view;
}

std::vector<SessionView> PptpCalls::sessions(const ListPart& part) const {
    return list_sessions(
        replica().store(), stock_, part, RecordType::pptp_call,
        [this](const wire::RecordKey& key, const replica::StoredRecord& stored) {
            return view_of(key, stored);
        },
        [this](const pptp::CallRecord& record) { return view_of(record); });
}

SessionTotals PptpCalls::session_totals() const {
    return count_sessions(replica().store(), stock_, RecordType::pptp_call, refusals_);
}

Counts PptpCalls::counts() const {
    return {{"pptp_resumed", counters_.resumed},
            {"sessions_lost", counters_.lost},
            {"confirm_timeouts", counters_.confirm_timeouts}};
}

}  // namespace vpnha::keepers
