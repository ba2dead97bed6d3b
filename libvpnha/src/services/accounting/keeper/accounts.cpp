// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/keeper/accounts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/limits.hpp"

namespace vpnha::keepers {

namespace {

using node::AccountingRequest;
using node::AccountingResult;
using wire::RecordType;
using Kind = AccountingRequest::Kind;

// The pause before a Start that no standby has yet is checked again.
constexpr Duration kConfirmLook = std::chrono::milliseconds(20);
constexpr std::uint64_t kMsPerSecond = 1000;

AccountRecord account_of(const node::PluginSession& session) {
    AccountRecord record;
    record.session = session.record;
    record.user = session.facts.user;
    record.address = session.facts.peer_address;
    record.peer = IpAddress(session.peer);
    record.identifier = session.facts.ipv6 ? session.facts.ipv6->theirs : 0;
    record.began_unix_ms = session.facts.established_unix_ms;
    return record;
}

std::uint64_t seconds_between(std::uint64_t from_ms, std::uint64_t to_ms) {
    return to_ms > from_ms ? (to_ms - from_ms) / kMsPerSecond : 0;
}

Kind kind_of(const AccountRecord& record) {
    return !record.started ? Kind::start : record.end ? Kind::stop : Kind::interim;
}

}  // namespace

void Accounts::log(LogLevel level, const std::string& text, Effects& effects) const {
    effects.emplace_back(effects::Log{level, fmt::format("{} {}", text, gateway_.tag())});
}

void Accounts::log_account(const AccountRecord& record, Effects& effects) const {
    log(LogLevel::info,
        fmt::format("session is accounted for event=account session={} account={}",
                    session_id(record.session), session_id_of(gateway_.id(), record.id)),
        effects);
}

void Accounts::install(const replica::Install& wanted, TimePoint now, Effects& effects) {
    if (const auto record = parse_account(wanted.key, wanted.payload); !record) {
        set_aside(gateway_, wanted, record.error().detail, now, effects);
        return;
    }
    replica().on_installed(wanted.key, wanted.ticket, replica::Outcome::installed, now);
}

// A node that claims anew continues: if another one had served, this one would have been muted.
bool Accounts::is_serving() const {
    return serving_ && replica().promoted();
}

bool Accounts::begin_if_promoted(TimePoint now) {
    if (settings_.on && !is_serving() && replica().promoted() && gateway_.is_served()) {
        begin(now);
    }
    return is_serving();
}

void Accounts::begin(TimePoint now) {
    auto plugins = std::exchange(by_plugin_, {});
    stop();
    serving_ = replica().epoch();
    std::vector<wire::RecordKey> unreadable;
    for (const auto& [key, stored] : replica().store().all(RecordType::account)) {
        if (auto record = parse_account(key, stored.payload)) {
            const AccountId id = record->id;
            accounts_[id].record = std::move(*record);
        } else {
            unreadable.push_back(key);
        }
    }
    for (const wire::RecordKey& key : unreadable) {
        replica().erase(key, now);
    }
    for (const auto& [plugin, id] : plugins) {
        if (const auto found = accounts_.find(id); found != accounts_.end()) {
            found->second.plugin = plugin;
        }
    }
    for (auto& [id, account] : accounts_) {
        if (account.record.end) {
            note_ended(account.record);
        } else {
            link(account);
        }
        queue_.put(id, kind_of(account.record), due_of(account.record, now));
    }
    if (!accounts_.empty()) {
        reading_.again_at = now;
    }
}

void Accounts::stop() {
    serving_.reset();
    accounts_.clear();
    by_session_.clear();
    by_address_.clear();
    by_plugin_.clear();
    ended_.clear();
    ended_by_address_.clear();
    queue_.clear();
    notified_.clear();
    reading_ = {};
    changed_.clear();
    publish_at_.reset();
    look_at_.reset();
}

void Accounts::mute(Effects&) {
    // The next promoted node continues from the replica.
    stop();
}

void Accounts::detach(Effects& effects) {
    mute(effects);
}

void Accounts::link(Account& account) {
    by_session_[account.record.session] = account.record.id;
    if (account.record.address != Ipv4Address{}) {
        by_address_[account.record.address] = account.record.id;
    }
    if (account.plugin) {
        by_plugin_[*account.plugin] = account.record.id;
    }
}

void Accounts::unlink(Account& account) {
    const AccountId& id = account.record.id;
    const auto erase = [&](auto& map, const auto& key) {
        if (const auto found = map.find(key); found != map.end() && found->second == id) {
            map.erase(found);
        }
    };
    erase(by_session_, account.record.session);
    erase(by_address_, account.record.address);
    if (account.plugin) {
        by_plugin_.erase(*account.plugin);
    }
    account.plugin.reset();
}

void Accounts::publish(const Account& account) {
    // A full replica accepts no new account. This node continues it alone.
    (void)replica().publish(record_key_of(account.record.id), encode_account(account.record));
}

void Accounts::on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) {
    if (const auto* plugin = event.get<node::PluginEvent>()) {
        std::visit([&](const auto& each) { handle(each, now, effects); }, *plugin);
    } else if (const auto* own = event.get<node::AccountingEvent>()) {
        std::visit([&](const auto& each) { handle(each, now, effects); }, *own);
    }
}

void Accounts::handle(const node::DeviceReused& reused, TimePoint, Effects&) {
    earlier_.devices[reused.device] = reused.before;
    earlier_.last_read.erase(reused.device);
}

void Accounts::handle(const node::PluginUp& up, TimePoint now, Effects& effects) {
    if (!begin_if_promoted(now)) {
        return;
    }
    AccountRecord record = account_of(up.session);
    record.classes = up.radius.classes;
    record.interim_s = up.radius.interim_s;
    record.prefixes = up.radius.prefixes;
    if (const auto found = by_session_.find(record.session); found != by_session_.end()) {
        Account& account = accounts_.at(found->second);
        if (account.record.began_unix_ms == record.began_unix_ms) {
            unlink(account);  // The plugin reports it anew.
            account.plugin = up.plugin;
            account.record.address = record.address;
            link(account);
            if (account.record.identifier != record.identifier) {
                // IPv6CP may open at any time.
                account.record.identifier = record.identifier;
                publish(account);
            }
            return;
        }
        close(account, EndCause::lost_service, now, &effects);
    }
    if (const auto found = by_plugin_.find(up.plugin); found != by_plugin_.end()) {
        close(accounts_.at(found->second), EndCause::lost_service, now, &effects);
    }
    open(std::move(record), up.plugin, now, effects);
}

void Accounts::open(AccountRecord record, std::optional<PluginToken> plugin, TimePoint now,
                    Effects& effects) {
    record.id = {static_cast<std::uint32_t>(record.began_unix_ms / kMsPerSecond), *serving_,
                 ++opened_};
    const AccountId id = record.id;
    log_account(record, effects);
    Account& account = accounts_[id];
    account = {.record = std::move(record),
               .plugin = plugin,
               .confirmed_by = now + limits::kAccountConfirmWait};
    link(account);
    publish(account);
    queue_.put(id, Kind::start, now);
    if (const auto before = ended_by_address_.find(account.record.address);
        before != ended_by_address_.end()) {
        queue_.hurry(before->second);  // may_start() has why.
    }
    if (!reading_.ticket) {
        reading_.again_at = earliest(reading_.again_at, now);
    }
}

void Accounts::handle(const node::PluginDown& down, TimePoint now, Effects& effects) {
    const auto found = by_plugin_.find(down.plugin);
    if (found == by_plugin_.end()) {
        return;
    }
    if (!is_serving()) {
        by_plugin_.erase(found);
        return;
    }
    Account& account = accounts_.at(found->second);
    AccountRecord& record = account.record;
    if (down.end.traffic) {
        const std::uint32_t index = record.device ? record.device->index : 0;
        count_traffic(record, {serving_->node, index, *down.end.traffic}, {});
    }
    close(account, account.ordered.value_or(down.end.cause), now, &effects);
}

void Accounts::on_end(const wire::RecordKey& session, EndCause cause, TimePoint now) {
    if (!begin_if_promoted(now)) {
        return;
    }
    if (const auto found = by_session_.find(session); found != by_session_.end()) {
        Account& account = accounts_.at(found->second);
        close(account, account.ordered.value_or(cause), now, nullptr);
    }
}

void Accounts::close(Account& account, EndCause cause, TimePoint now, Effects* effects) {
    unlink(account);
    AccountRecord& record = account.record;
    const std::uint64_t least = record.began_unix_ms + record.reported_seconds * kMsPerSecond;
    record.end = {cause, std::max(least, gateway_.clock().at(now))};
    changed_.erase(record.id);
    publish(account);
    // A successor would not know the cause.
    replica().hurry_counters();
    queue_.put(record.id, kind_of(record), now);
    note_ended(record);
    if (ended_.size() > limits::kAccountsEndedMax) {
        ++counts_.dropped;
        const AccountId oldest = *ended_.begin();
        if (effects != nullptr) {
            log(LogLevel::error,
                fmt::format("the Stop of session {} is given up event=accounting-dropped",
                            session_id_of(gateway_.id(), oldest)),
                *effects);
        }
        forget(oldest, now);
    }
}

void Accounts::note_ended(const AccountRecord& record) {
    ended_.insert(record.id);
    if (record.address != Ipv4Address{}) {
        ended_by_address_[record.address] = record.id;
    }
}

void Accounts::forget(const AccountId& id, TimePoint now) {
    queue_.erase(id);
    ended_.erase(id);
    if (const auto found = ended_by_address_.find(accounts_.at(id).record.address);
        found != ended_by_address_.end() && found->second == id) {
        ended_by_address_.erase(found);
    }
    changed_.erase(id);
    accounts_.erase(id);
    replica().erase(record_key_of(id), now);
    replica().hurry_counters();
}

Traffic Accounts::counted_before(std::uint32_t device) const {
    const auto last = earlier_.last_read.find(device);
    if (last != earlier_.last_read.end()) {
        return last->second;
    }
    const auto before = earlier_.devices.find(device);
    return before == earlier_.devices.end() ? Traffic{} : before->second;
}

void Accounts::handle(const node::TrafficRead& read, TimePoint now, Effects&) {
    if (!is_serving() || reading_.ticket != read.ticket) {
        return;
    }
    reading_.ticket.reset();
    for (const node::DeviceTraffic& device : read.devices) {
        const auto found = by_address_.find(device.client);
        if (found == by_address_.end()) {
            continue;
        }
        Account& account = accounts_.at(found->second);
        AccountRecord& record = account.record;
        const CountedDevice counted{serving_->node, device.device, device.traffic};
        if (record.device != counted) {
            count_traffic(record, counted, counted_before(device.device));
            changed_.insert(record.id);
            publish_at_ = earliest(publish_at_, now);
        }
    }
    if (!read.devices.empty()) {
        earlier_.last_read.clear();
        for (const node::DeviceTraffic& device : read.devices) {
            earlier_.last_read[device.device] = device.traffic;
        }
    }
    look_after_sessions(now);
    reading_.again_at.reset();
    if (!accounts_.empty()) {
        reading_.again_at = now + limits::kTrafficPause;
    }
}

void Accounts::look_after_sessions(TimePoint now) {
    auto at = accounts_.upper_bound(looked_at_);
    for (std::size_t i = 0; i < limits::kAccountsPerTurn && at != accounts_.end(); ++i) {
        Account& account = (at++)->second;
        looked_at_ = account.record.id;
        if (account.record.end || account.plugin) {
            continue;
        }
        // It was lost with its node, unprotected; or was over when its node was lost.
        const bool is_lost = replica().store().find(account.record.session) == nullptr;
        if (is_lost || !gateway_.lives(account.record.session, now)) {
            close(account, is_lost ? EndCause::lost_service : EndCause::idle_timeout, now, nullptr);
            at = accounts_.upper_bound(looked_at_);
        }
    }
    if (at == accounts_.end()) {
        looked_at_ = {};
    }
}

Duration Accounts::interim_of(const AccountRecord& record) const {
    return settings_.servers_choose_interim && record.interim_s != 0
               ? std::chrono::seconds(record.interim_s)
               : settings_.interim;
}

TimePoint Accounts::due_of(const AccountRecord& record, TimePoint now) const {
    if (kind_of(record) != Kind::interim) {
        return now;
    }
    const std::uint64_t age = seconds_between(record.began_unix_ms, gateway_.clock().at(now));
    const std::uint64_t unnotified =
        age > record.reported_seconds ? age - record.reported_seconds : 0;
    const auto whole = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(interim_of(record)).count());
    return now + std::chrono::seconds(whole - std::min(whole, unnotified));
}

AccountingRequest Accounts::request_of(const AccountRecord& record, TimePoint now) const {
    AccountingRequest request;
    request.kind = kind_of(record);
    request.is_ppp = record.is_ppp;
    request.tunnel_type = gateway_.tunnel_type_of(record.session.type);
    request.session = session_id_of(gateway_.id(), record.id);
    request.user = record.user;
    request.classes = record.classes;
    request.address = record.address;
    request.address6 = record.address6;
    request.prefixes = record.prefixes;
    request.identifier = record.identifier;
    request.peer = record.peer;
    const std::uint64_t reported_ms = gateway_.clock().at(now);
    const std::uint64_t event_ms = request.kind == Kind::start  ? record.began_unix_ms
                                   : request.kind == Kind::stop ? record.end->unix_ms
                                                                : reported_ms;
    request.delay_s = seconds_between(event_ms, reported_ms);
    request.traffic = record.total;
    request.seconds = std::max<std::uint64_t>(record.reported_seconds,
                                              seconds_between(record.began_unix_ms, event_ms));
    request.cause = record.end ? record.end->cause : EndCause{};
    return request;
}

bool Accounts::may_start(const Account& account, TimePoint now) const {
    const auto before = ended_by_address_.find(account.record.address);
    if (!account.record.started && before != ended_by_address_.end() &&
        before->second != account.record.id && queue_.is_under_way(before->second)) {
        return false;
    }
    return account.record.started || now >= account.confirmed_by ||
           replica().complete_standbys().empty() ||
           replica().is_protected(record_key_of(account.record.id));
}

void Accounts::send_due(TimePoint now, Effects& effects) {
    if (!is_serving() || !gateway_.is_received()) {
        return;
    }
    while (const auto id = queue_.take(now)) {
        const Account& account = accounts_.at(*id);
        if (!may_start(account, now)) {
            queue_.put(*id, Kind::start, now + kConfirmLook);
            continue;
        }
        AccountingRequest request = request_of(account.record, now);
        queue_.send(*id, request.kind, ++last_ticket_, now);
        notified_[last_ticket_] = {request.kind, request.seconds};
        effects.emplace_back(node::SendAccounting{gateway_.id(), last_ticket_, std::move(request)});
    }
}

void Accounts::handle(const node::AccountingAnswered& answer, TimePoint now, Effects& effects) {
    const bool was_silent = queue_.is_silent();
    const auto id = queue_.finish(answer, now);
    if (!id || !is_serving()) {
        return;
    }
    const Notified notified = notified_.extract(answer.ticket).mapped();
    const auto found = accounts_.find(*id);
    if (found == accounts_.end()) {
        queue_.erase(*id);  // Given up meanwhile.
        return;
    }
    if (answer.result == AccountingResult::silent) {
        ++counts_.unanswered;
        if (!was_silent && queue_.is_silent()) {
            log(LogLevel::warning,
                "no accounting server answers event=accounting-silent: " + answer.server, effects);
        }
        return;
    }
    if (answer.result == AccountingResult::failed) {
        ++counts_.failed;
        log(LogLevel::warning,
            "accounting servers accept no request event=accounting-failed: " + answer.server,
            effects);
        return;
    }
    ++counts_.answered;
    counts_.took.note(answer.took);
    if (was_silent) {
        log(LogLevel::info,
            fmt::format("accounting continues event=accounting-back server={}", answer.server),
            effects);
    }
    if (notified.kind == Kind::stop) {
        forget(*id, now);
        return;
    }
    AccountRecord& record = found->second.record;
    record.started = true;
    record.reported_seconds = static_cast<std::uint32_t>(notified.seconds);
    publish(found->second);
    if (notified.kind == Kind::start) {
        // A successor would report it again.
        replica().hurry_counters();
    }
    queue_.put(*id, kind_of(record), record.end ? now : now + interim_of(record));
}

void Accounts::read_due(TimePoint now, Effects& effects) {
    if (is_serving() && reading_.again_at && *reading_.again_at <= now) {
        reading_.ticket = ++last_ticket_;
        reading_.again_at = now + limits::kTrafficWait;
        effects.emplace_back(node::ReadTraffic{gateway_.id(), *reading_.ticket});
    }
}

void Accounts::publish_due(TimePoint now) {
    if (!is_serving() || !publish_at_ || *publish_at_ > now) {
        return;
    }
    publish_at_.reset();
    for (std::size_t i = 0; i < limits::kAccountsPerTurn && !changed_.empty(); ++i) {
        publish(accounts_.at(*changed_.begin()));
        changed_.erase(changed_.begin());
    }
    if (!changed_.empty()) {
        publish_at_ = now + limits::kAccountTurn;
    }
}

void Accounts::follow(TimePoint now, Effects& effects) {
    if (settings_.on && replica().promoted() && gateway_.is_served() && !is_serving()) {
        // Not within the takeover: that has to be short.
        look_at_ = earliest(look_at_, now + limits::kAccountLookPause);
    }
    read_due(now, effects);
    send_due(now, effects);
}

void Accounts::on_time(TimePoint now, Effects& effects) {
    if (look_at_ && *look_at_ <= now) {
        look_at_.reset();
        begin_if_promoted(now);
    }
    publish_due(now);
    follow(now, effects);
}

std::optional<TimePoint> Accounts::next_deadline() const {
    if (!is_serving()) {
        return look_at_;
    }
    std::optional<TimePoint> at = earliest(reading_.again_at, publish_at_);
    if (gateway_.is_received()) {
        at = earliest(at, queue_.next_deadline());
    }
    return at;
}

AccountCounts Accounts::account_counts(TimePoint now) const {
    AccountCounts counts = counts_;
    counts.silent = queue_.is_silent();
    for (const auto& [id, account] : accounts_) {
        const AccountRecord& record = account.record;
        counts.sessions += record.end ? 0 : 1;
        if (kind_of(record) == Kind::interim) {
            continue;
        }
        ++counts.waiting;
        const std::uint64_t since =
            record.end && record.started ? record.end->unix_ms : record.began_unix_ms;
        counts.oldest_s =
            std::max(counts.oldest_s, seconds_between(since, gateway_.clock().at(now)));
    }
    return counts;
}

}  // namespace vpnha::keepers
