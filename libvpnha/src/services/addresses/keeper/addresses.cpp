// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/addresses/keeper/addresses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/limits.hpp"

namespace vpnha::keepers {

namespace {

using wire::RecordType;

AddressRecord address_of(const wire::RecordKey& session, const ppp::SessionFacts& facts) {
    return {facts.peer_address, facts.user, false, session};
}

}  // namespace

void Addresses::log(LogLevel level, const std::string& text, Effects& effects) const {
    effects.emplace_back(effects::Log{level, fmt::format("{} {}", text, gateway_.tag())});
}

void Addresses::install(const replica::Install& wanted, TimePoint now, Effects& effects) {
    if (const auto record = parse_address(wanted.key, wanted.payload); !record) {
        set_aside(gateway_, wanted, record.error().detail, now, effects);
        return;
    }
    replica().on_installed(wanted.key, wanted.ticket, replica::Outcome::installed, now);
}

bool Addresses::is_serving() const {
    return serving_ && replica().promoted() && *serving_ == replica().epoch();
}

bool Addresses::begin_if_promoted(TimePoint now) {
    if (!is_serving() && replica().promoted()) {
        begin(now);
    }
    return is_serving();
}

void Addresses::begin(TimePoint now) {
    const auto plugins = std::exchange(by_plugin_, {});
    stop();
    serving_ = replica().epoch();
    std::vector<wire::RecordKey> unreadable;
    for (const auto& [key, stored] : replica().store().all(RecordType::client_address)) {
        if (auto record = parse_address(key, stored.payload)) {
            const Ipv4Address address = record->address;
            if (!record->held) {
                used_by_user_.insert({record->user, address});
            }
            given_[address].record = std::move(*record);
        } else {
            unreadable.push_back(key);
        }
    }
    for (const wire::RecordKey& key : unreadable) {
        replica().erase(key, now);
    }
    for (const auto& [plugin, address] : plugins) {
        if (const auto found = given_.find(address); found != given_.end()) {
            found->second.plugin = plugin;
            by_plugin_[plugin] = address;
        }
    }
    adopt_sessions();
    std::vector<Ipv4Address> over;
    for (auto& [address, given] : given_) {
        if (given.plugin) {
            continue;
        }
        if (!given.record.held && lives(given)) {
            resumed_.insert(address);
        } else {
            over.push_back(address);
        }
    }
    for (const Ipv4Address address : over) {
        release(address, now);
    }
    look_at_ = now + limits::kAddressLookPause;
}

void Addresses::adopt_sessions() {
    std::vector<AddressRecord> sessions;
    gateway_.visit_ppp_sessions([&](const wire::RecordKey& key, const ppp::SessionFacts& facts) {
        sessions.push_back(address_of(key, facts));
    });
    for (const AddressRecord& session : sessions) {
        const auto found = given_.find(session.address);
        const bool has_it = found != given_.end() && !found->second.record.held &&
                            (found->second.plugin || lives(found->second));
        if (pool_.contains(session.address) && !has_it) {
            (void)give(session, std::nullopt);
        }
    }
}

void Addresses::stop() {
    serving_.reset();
    given_.clear();
    by_plugin_.clear();
    held_by_user_.clear();
    used_by_user_.clear();
    held_until_.clear();
    resumed_.clear();
    look_at_.reset();
}

void Addresses::mute(Effects&) {
    // Its pppds end, and the next promoted node continues from the replica.
    asking_.clear();
    stop();
}

void Addresses::detach(Effects& effects) {
    mute(effects);
}

std::optional<Ipv4Address> Addresses::find_for(const std::string& user) const {
    const auto own = held_by_user_.lower_bound({user, Ipv4Address{}});
    if (own != held_by_user_.end() && own->first == user) {
        return own->second;
    }
    if (given_.size() >= pool_.size()) {
        // Without a search: clients that redial again and again would cost one each time. A search
        // is needed if addresses outside the pool have records as well.
        const auto outside = [this](const auto& each) { return !pool_.contains(each.first); };
        if (std::none_of(given_.begin(), given_.end(), outside)) {
            return std::nullopt;
        }
    }
    return pool_.choose(user, [this](Ipv4Address address) { return given_.contains(address); });
}

Result<void> Addresses::check_limits(const std::string& user) {
    if (settings_.sessions_max != 0 && used_by_user_.size() >= settings_.sessions_max) {
        ++over_limit_;
        return fail(Errc::limit, fmt::format("there are {} sessions, as many as sessions_max "
                                             "allows",
                                             used_by_user_.size()));
    }
    if (settings_.sessions_per_user_max == 0 || user.empty()) {
        return {};
    }
    std::uint64_t own = 0;
    for (auto at = used_by_user_.lower_bound({user, Ipv4Address{}});
         at != used_by_user_.end() && at->first == user; ++at) {
        ++own;
    }
    if (own >= settings_.sessions_per_user_max) {
        ++over_own_limit_;
        return fail(
            Errc::limit,
            fmt::format("the user has {} sessions, as many as sessions_per_user_max allows", own));
    }
    return {};
}

Result<Ipv4Address> Addresses::choose(PluginToken plugin, const std::string& user) {
    if (const auto has = by_plugin_.find(plugin); has != by_plugin_.end()) {
        return has->second;  // IPCP begins anew.
    }
    if (const Result<void> allowed = check_limits(user); !allowed) {
        return tl::unexpected(allowed.error());
    }
    const auto address = find_for(user);
    if (!address) {
        ++refused_;
        return fail(Errc::busy,
                    fmt::format("all {} addresses of the pool are given or held", pool_.size()));
    }
    if (!give({*address, user, false, std::nullopt}, plugin)) {
        ++refused_;
        return fail(Errc::busy, "the replica has no room for another address");
    }
    return *address;
}

bool Addresses::give(const AddressRecord& record, std::optional<PluginToken> plugin) {
    if (!replica().publish(record_key_of(record.address), encode_address(record))) {
        return false;
    }
    // A pppd waits for it.
    replica().hurry_counters();
    Given& given = given_[record.address];
    unlink(given);
    given.record = record;
    used_by_user_.insert({record.user, record.address});
    given.plugin = plugin;
    if (plugin) {
        by_plugin_[*plugin] = record.address;
    }
    return true;
}

void Addresses::unlink(Given& given) {
    if (given.plugin) {
        by_plugin_.erase(*given.plugin);
    }
    given.plugin.reset();
    held_by_user_.erase({given.record.user, given.record.address});
    used_by_user_.erase({given.record.user, given.record.address});
    held_until_.erase({given.held_until, given.record.address});
    resumed_.erase(given.record.address);
}

bool Addresses::lives(const Given& given) const {
    return given.record.session && replica().store().find(*given.record.session) != nullptr;
}

bool Addresses::is_anothers(const Given& given, PluginToken plugin,
                            const wire::RecordKey& session) const {
    if (given.record.held || given.plugin == plugin || given.record.session == session) {
        return false;
    }
    return given.plugin || lives(given);
}

void Addresses::release(Ipv4Address address, TimePoint now) {
    const auto found = given_.find(address);
    Given& given = found->second;
    unlink(given);
    given.record.held = true;
    given.record.session.reset();
    given.held_until = now + settings_.hold;
    // Publishing cannot fail: the record takes less room than before.
    (void)replica().publish(record_key_of(address), encode_address(given.record));
    held_by_user_.insert({given.record.user, address});
    held_until_.insert({given.held_until, address});
}

void Addresses::release_of(PluginToken plugin, TimePoint now) {
    if (const auto found = by_plugin_.find(plugin); found != by_plugin_.end()) {
        const Ipv4Address address = found->second;
        if (is_serving()) {
            release(address, now);
        } else {
            by_plugin_.erase(found);
        }
    }
}

bool Addresses::answer(PluginToken plugin, Asking& asking, TimePoint now, Effects& effects) {
    const bool is_late = now >= asking.until;
    if (!asking.address) {
        if (!begin_if_promoted(now)) {
            if (is_late) {
                effects.emplace_back(effects::AnswerAddress{
                    plugin, {}, "this node is not promoted for the gateway"});
            }
            return is_late;
        }
        const Result<Ipv4Address> chosen = choose(plugin, asking.user);
        if (!chosen) {
            effects.emplace_back(effects::AnswerAddress{plugin, {}, chosen.error().detail});
            if (now >= complain_at_) {
                complain_at_ = now + limits::kAddressComplaintPause;
                const bool is_limit = chosen.error().code == Errc::limit;
                log(is_limit ? LogLevel::warning : LogLevel::error,
                    fmt::format("a client {}: {}",
                                is_limit ? "is refused event=over-limit"
                                         : "gets no address event=no-address",
                                chosen.error().detail),
                    effects);
            }
            return true;
        }
        asking.address = *chosen;
    }
    if (!is_late && !replica().complete_standbys().empty() &&
        !replica().is_protected(record_key_of(*asking.address))) {
        return false;
    }
    effects.emplace_back(effects::AnswerAddress{plugin, *asking.address, {}});
    return true;
}

void Addresses::on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) {
    if (const auto* plugin = event.get<node::PluginEvent>()) {
        std::visit([&](const auto& each) { handle(each, now, effects); }, *plugin);
    }
}

void Addresses::handle(const node::PluginAsks& asks, TimePoint now, Effects& effects) {
    if (pool_.size() == 0) {
        effects.emplace_back(effects::AnswerAddress{asks.plugin, {}, {}});
        return;
    }
    Asking asking{asks.user, now + limits::kAddressWait, std::nullopt};
    if (!answer(asks.plugin, asking, now, effects)) {
        asking_[asks.plugin] = std::move(asking);
    }
}

void Addresses::handle(const node::PluginUp& up, TimePoint now, Effects& effects) {
    if (pool_.size() == 0 || !begin_if_promoted(now)) {
        return;
    }
    const AddressRecord record = address_of(up.session.record, up.session.facts);
    if (const auto other = by_plugin_.find(up.plugin);
        other != by_plugin_.end() && other->second != record.address) {
        release(Ipv4Address(other->second), now);  // It has chosen another one.
    }
    const auto found = given_.find(record.address);
    if (found == given_.end() && !pool_.contains(record.address)) {
        return;
    }
    if (found != given_.end() && is_anothers(found->second, up.plugin, *record.session)) {
        ++clashes_;
        const std::string why =
            fmt::format("{} is another session's address", to_string(record.address));
        log(LogLevel::error, fmt::format("a session is ended event=address-clash: {}", why),
            effects);
        effects.emplace_back(effects::AnswerAddress{up.plugin, {}, why});
        return;
    }
    (void)give(record, up.plugin);
}

void Addresses::handle(const node::PluginDown& down, TimePoint now, Effects&) {
    asking_.erase(down.plugin);
    release_of(down.plugin, now);
}

void Addresses::on_replica(TimePoint now, Effects& effects) {
    for (auto at = asking_.begin(); at != asking_.end();) {
        at = answer(at->first, at->second, now, effects) ? asking_.erase(at) : std::next(at);
    }
}

void Addresses::follow(TimePoint now, Effects& effects) {
    if (replica().promoted() && !is_serving() && pool_.size() != 0) {
        // Not within the takeover: nobody has asked yet.
        look_at_ = earliest(look_at_, now + limits::kAddressLookPause);
    }
    on_replica(now, effects);
}

void Addresses::on_time(TimePoint now, Effects& effects) {
    if (look_at_ && *look_at_ <= now) {
        look_at_.reset();
        if (begin_if_promoted(now)) {
            look_after_sessions(now);
            look_at_ = now + limits::kAddressLookPause;
        }
    }
    if (is_serving()) {
        let_go_of_held(now);
    }
    on_replica(now, effects);
}

void Addresses::look_after_sessions(TimePoint now) {
    std::vector<Ipv4Address> over;
    auto at = resumed_.upper_bound(looked_at_);
    for (std::size_t i = 0; i < limits::kAddressesPerLook && at != resumed_.end(); ++i, ++at) {
        looked_at_ = *at;
        if (!lives(given_.at(*at))) {
            over.push_back(*at);
        }
    }
    if (at == resumed_.end()) {
        looked_at_ = {};
    }
    for (const Ipv4Address address : over) {
        release(address, now);
    }
}

void Addresses::let_go_of_held(TimePoint now) {
    while (!held_until_.empty() && held_until_.begin()->first <= now) {
        const Ipv4Address address = held_until_.begin()->second;
        const auto found = given_.find(address);
        unlink(found->second);
        given_.erase(found);
        replica().erase(record_key_of(address), now);
    }
}

std::optional<TimePoint> Addresses::next_deadline() const {
    std::optional<TimePoint> at = look_at_;
    for (const auto& [plugin, asking] : asking_) {
        at = earliest(at, asking.until);
    }
    if (is_serving() && !held_until_.empty()) {
        at = earliest(at, held_until_.begin()->first);
    }
    return at;
}

Status Addresses::status(TimePoint) const {
    const AddressCounts counts = address_counts();
    return {{"addresses/pool", counts.size},
            {"addresses/in_use", counts.in_use},
            {"addresses/held", counts.held},
            {"addresses/refused", counts.refused},
            {"addresses/over_limit", counts.over_limit},
            {"addresses/over_own_limit", counts.over_own_limit},
            {"addresses/clashes", counts.clashes}};
}

AddressCounts Addresses::address_counts() const {
    AddressCounts counts{.size = pool_.size(),
                         .refused = refused_,
                         .over_limit = over_limit_,
                         .over_own_limit = over_own_limit_,
                         .clashes = clashes_};
    for (const auto& [key, stored] : replica().store().all(RecordType::client_address)) {
        const auto record = parse_address(key, stored.payload);
        ++(record && record->held ? counts.held : counts.in_use);
    }
    return counts;
}

}  // namespace vpnha::keepers
