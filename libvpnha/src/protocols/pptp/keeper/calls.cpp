// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/keeper/calls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <any>
#include <utility>

#include "base/limits.hpp"
#include "protocols/pptp/model/gre.hpp"

namespace vpnha::keepers {

namespace {

using wire::RecordType;

// A request without an answer of the data path is repeated.
constexpr Duration kReadWait = std::chrono::seconds(1);

wire::RecordKey numbers_record(const pptp::CallKey& key) {
    return {RecordType::pptp_numbers, wire::RecordId(pptp::encode_key(key))};
}

// Ignores our own timestamp, which advances by itself.
bool has_moved(const pptp::CallNumbers& from, pptp::CallNumbers to) {
    to.tsval = from.tsval;
    return to != from;
}

// By their numbers, which wrap after 2^32 packets. A number that went back counts as none.
std::uint64_t packets_between(std::uint32_t before, std::uint32_t after) {
    return static_cast<std::uint64_t>(std::max(0, pptp::ahead_of(after, before)));
}

}  // namespace

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

void PptpCalls::emit_numbers(Effects& effects) {
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
    // The two records are removed in any order, and each may return.
    if (key.type == RecordType::pptp_numbers) {
        found->second.numbers.reset();
        renumbered_.erase(*call);
    } else {
        timeouts_.forget(key);
        ending_.erase(key);
        scripts_.down(key, effects);
        proxies_.down(key, effects);
        rates_.remove(key, effects);
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
    emit_numbers(effects);
    release(effects);
    if (replica().promoted()) {
        for (const auto& [key, cause] : std::exchange(ended_, {})) {
            erase_ended(key, cause, now);
        }
    }
}

void PptpCalls::warm(const Margin& margin, TimePoint, Effects& effects) {
    releases_.begin(margin.run_on && *margin.run_on == Duration::zero());
    granted_ = margin.granted;
    emit_numbers(effects);
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
    PppKeeper::detach(effects);
    for (const auto& [key, call] : calls_) {
        if (call.stage != Stage::stock) {
            effects.emplace_back(node::RemoveCall{gateway_.id(), key});
        }
    }
    calls_.clear();
    renumbered_.clear();
}

void PptpCalls::on_replica(TimePoint now, Effects& effects) {
    release(effects);
    PppKeeper::on_replica(now, effects);
}

void PptpCalls::on_time(TimePoint now, Effects& effects) {
    PppKeeper::on_time(now, effects);
    if (read_again_at_ && *read_again_at_ <= now) {
        ask(now, effects);
    }
}

std::optional<TimePoint> PptpCalls::next_deadline() const {
    return earliest(PppKeeper::next_deadline(), read_again_at_);
}

void PptpCalls::on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) {
    if (const auto* own = event.get<node::PptpEvent>()) {
        std::visit([&](const auto& each) { handle(each, now, effects); }, *own);
    } else {
        PppKeeper::on_event(event, now, effects);
    }
}

void PptpCalls::handle(const node::CallPrepared& prepared, TimePoint now, Effects& effects) {
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
        ending_.erase(record);
        call.device = prepared.device;
        rates_.set(record, call.record->facts, device_of(record), effects);
    } else {
        refusals_[record] = prepared.result.error().detail;
        log(LogLevel::error, "a session could not be prepared event=quarantined", record,
            prepared.result.error().detail, effects);
    }
    if (!is_promoted_) {
        return;
    }
    // Requested before the promotion, answered after it.
    if (!gateway_.is_received()) {
        return;  // unpause() does what is left.
    }
    if (prepared.result) {
        resume({prepared.key}, now, effects);
    } else {
        ending_.add(record);
    }
    end_unresumable(now, effects);
}

void PptpCalls::handle(const node::CallsRead& read, TimePoint now, Effects&) {
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
            if (known) {
                gre_in_ += packets_between(known->gre_in, state.numbers.gre_in);
                gre_out_ += packets_between(known->gre_out, state.numbers.gre_out);
            }
            known = state.numbers;
            replica().publish(numbers_record(state.key), pptp::encode_numbers(state.numbers));
        }
        releases_.emitted(state.key);
    }
    // They were gathered already. A successor with older numbers might use MPPE indexes again.
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

void PptpCalls::on_plugin_up(const node::PluginUp& up, TimePoint now, Effects& effects) {
    const wire::RecordKey& record = up.session.record;
    const auto key = pptp::parse_key(record.id.view());
    if (const auto living = key ? same_in_gre(*key) : std::nullopt) {
        const std::string why = fmt::format("its GRE is that of {}", pptp::to_string(*living));
        log(LogLevel::warning, "session is ended event=call-id-clash", record, why, effects);
        effects.emplace_back(effects::AnswerPlugin{up.plugin, false, why});
        effects.emplace_back(effects::EndPlugin{up.plugin});
        return;
    }
    PppKeeper::on_plugin_up(up, now, effects);
}

bool PptpCalls::begin_stock(const node::PluginSession& session, const ppp::SessionFacts& facts,
                            TimePoint now, Effects& effects) {
    auto [record, numbers] = std::any_cast<const node::StockCall&>(session.own);
    record.facts = facts;
    const bool is_published =
        (facts.obstacle.empty() || pptp::validate(record)) &&
        replica().publish(numbers_record(record.key), pptp::encode_numbers(numbers)) &&
        replica().publish(session.record, pptp::encode_record(record));
    if (!is_published) {
        erase(record.key, now);
        calls_.erase(record.key);
        return false;
    }
    // A standby prepares the call when it has both records, and a pppd waits for that.
    replica().hurry_counters();
    timeouts_.forget(session.record);
    scripts_.down(session.record, effects);
    proxies_.leave_to_pppd(session.record);
    calls_[record.key] =
        Call{.record = record, .numbers = numbers, .stage = Stage::stock, .installing = {}};
    return true;
}

void PptpCalls::end_stock(const wire::RecordKey& key, TimePoint now, Effects&) {
    if (const auto call = pptp::parse_key(key.id.view())) {
        calls_.erase(*call);
        erase(*call, now);
    }
}

std::optional<ppp::SessionFacts> PptpCalls::facts_of(ByteView payload) const {
    Result<pptp::CallRecord> record = pptp::parse_record(payload);
    return record ? std::optional(std::move(record->facts)) : std::nullopt;
}

std::string PptpCalls::name_of(const wire::RecordKey& key) const {
    const auto call = pptp::parse_key(key.id.view());
    return call ? pptp::to_string(*call) : "record=" + to_hex(key.id.view());
}

void PptpCalls::describe(const wire::RecordKey& key, SessionView& view) const {
    view.protocol = "pptp";
    if (const auto call = pptp::parse_key(key.id.view())) {
        view.ids = {{"call", call->id.value}, {"peer_call", call->peer_id.value}};
        view.peer = to_string(call->peer);
    }
}

std::string PptpCalls::ipparam_of(const wire::RecordKey& key) const {
    const auto call = pptp::parse_key(key.id.view());
    return call ? to_string(call->peer.address) : std::string();
}

SessionRates::Device PptpCalls::device_of(const wire::RecordKey& key) const {
    const auto call = pptp::parse_key(key.id.view());
    const auto found = call ? calls_.find(*call) : calls_.end();
    return {found == calls_.end() ? 0 : found->second.device};
}

bool PptpCalls::is_resumed(const wire::RecordKey& key) const {
    const auto call = pptp::parse_key(key.id.view());
    const auto found = call ? calls_.find(*call) : calls_.end();
    return found != calls_.end() && found->second.stage == Stage::resumed;
}

Counts PptpCalls::counts() const {
    Counts counts = PppKeeper::counts();
    counts["pptp_resumed"] = times_resumed_;
    counts["pptp_gre_in"] = gre_in_;
    counts["pptp_gre_out"] = gre_out_;
    return counts;
}

}  // namespace vpnha::keepers
