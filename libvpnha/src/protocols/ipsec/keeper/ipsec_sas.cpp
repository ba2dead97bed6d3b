// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/keeper/ipsec_sas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/limits.hpp"

namespace vpnha::keepers {

namespace {

using ipsec::IkeKey;
using wire::RecordType;

// Messages of charon that wait while the lease is lost for a moment: four for each session that is
// set up.
constexpr std::size_t kUnreceivedMax = 4096;

wire::RecordKey ike_record(const IkeKey& key) {
    return {RecordType::ike_sa, wire::RecordId(ipsec::encode_key(key))};
}

wire::RecordKey child_record(std::uint32_t spi) {
    return {RecordType::child_sa, wire::RecordId(ipsec::encode_spi(spi))};
}

wire::RecordKey counters_record(std::uint32_t spi) {
    return {RecordType::esp_counters, wire::RecordId(ipsec::encode_spi(spi))};
}

}  // namespace

void IpsecSas::emit(LogLevel level, const std::string& what, Effects& effects) const {
    effects.emplace_back(effects::Log{level, fmt::format("{} {}", what, gateway_.tag())});
}

void IpsecSas::touch_child(std::uint32_t spi) {
    if (const ipsec::ChildSa* const child = sas().find_child(spi)) {
        touched_.insert(child->made);
        touched_.insert(child->owner);
    }
}

void IpsecSas::touch_all() {
    for (const auto& [key, sa] : sas().ikes()) {
        touched_.insert(key);
    }
}

Result<void> IpsecSas::put(const replica::Install& wanted, TimePoint now) {
    const ByteView id = wanted.key.id.view();
    if (wanted.key.type == RecordType::ike_sa) {
        VPNHA_TRY(ipsec::IkeSa sa, ipsec::parse_ike_sa(id, wanted.payload));
        touched_.insert(sa.id.key);
        const ipsec::IkeSa* const held = sas().find(sa.id.key);
        if (held != nullptr && held->mid_responder != sa.mid_responder && sa.id.key.version == 2) {
            open_exchanges_.on_taken_up(sa.id.key, sa.mid_responder, now);
        }
        store_.put(std::move(sa));
    } else if (wanted.key.type == RecordType::child_sa) {
        VPNHA_TRY(ipsec::ChildSa child, ipsec::parse_child_sa(id, wanted.payload));
        const std::uint32_t spi = child.spi;
        if (sas().find_child(spi) == nullptr) {
            open_exchanges_.on_child(child.made, spi);
        }
        touch_child(spi);
        store_.put(std::move(child));
        touch_child(spi);
    } else {
        VPNHA_TRY(const ipsec::EspCounters counters, ipsec::parse_esp_counters(id, wanted.payload));
        numbers_.know(counters, emitted_in(counters.spi));
        if (numbers_.is_there(counters.spi) && !numbers_.is_right(counters.spi)) {
            to_set_.insert(counters.spi);
        } else {
            // A child that is not there yet is set when it appears, before it is confirmed.
            answer(wanted.key, replica::Outcome::installed, now);
        }
    }
    return {};
}

void IpsecSas::install(const replica::Install& wanted, TimePoint now, Effects& effects) {
    if (!replica().promoted()) {
        leave();
    }
    installing_[wanted.key] = wanted.ticket;
    const Result<void> taken = put(wanted, now);
    if (!taken) {
        installing_.erase(wanted.key);
        set_aside(gateway_, wanted, taken.error().detail, now, effects);
    } else if (gone_) {
        put_off(wanted.key, now);
    }
}

void IpsecSas::remove(const wire::RecordKey& key, Effects&) {
    if (!replica().promoted()) {
        leave();
    }
    installing_.erase(key);
    if (key.type == RecordType::ike_sa) {
        if (const auto ike = ipsec::parse_ike_key(key.id.view())) {
            touched_.insert(*ike);
            open_exchanges_.forget(*ike);
            store_.erase(*ike);
        }
    } else if (const auto spi = ipsec::parse_spi(key.id.view())) {
        if (key.type == RecordType::child_sa) {
            touch_child(*spi);
            store_.erase_child(*spi);
            unseen_.erase(*spi);
        }
        numbers_.forget(*spi);
    }
}

void IpsecSas::on_in_sync(TimePoint) {
    if (std::exchange(held_back_, false)) {
        feed_at_.reset();
    }
}

void IpsecSas::answer(const wire::RecordKey& key, replica::Outcome outcome, TimePoint now) {
    if (const auto found = installing_.find(key); found != installing_.end()) {
        replica().on_installed(key, found->second, outcome, now);
        installing_.erase(found);
    }
}

void IpsecSas::follow(TimePoint now, Effects& effects) {
    feed(now, effects);
    set_numbers(effects);
    let_right_ones_go(effects);
    turn(now, effects);
    usage_.follow(sas(), now, effects);
}

void IpsecSas::promote(TimePoint now, Effects& effects) {
    forget_unreceived();
    publish(store_.end_replaced(), now, effects);
    const ipsec::SaChanges completed = store_.complete_addresses(virtual_pools_);
    publish(completed, now, effects);
    touched_.insert(completed.ikes.begin(), completed.ikes.end());
    lost_children_.begin(sas());
    usage_.begin(now);
    serve(now, limits::kCharonTurnPause, effects);
}

void IpsecSas::unpause(TimePoint now, Effects& effects) {
    is_paused_ = false;
    const std::set<std::uint32_t> before = all_children();
    const std::vector<Emitted> words = std::exchange(unreceived_, {});
    for (const Emitted& emitted : words) {
        take(emitted.message, emitted.at, now, effects);
    }
    if (!words.empty() && !words.front().is_of_dead) {
        image_.assume(sas());  // charon knows what it reported.
    } else if (!words.empty()) {
        // This charon has been passive since its start, and is fed what the dead one has made.
        touch_all();
        for (const std::uint32_t spi : all_children()) {
            if (!before.contains(spi)) {
                numbers_.lose_unread(spi, words.front().at, now);
            }
        }
    }
    serve(now, touched_.empty() ? Duration(limits::kCharonTurnPause) : limits::kCharonFreshPause,
          effects);
}

void IpsecSas::forget_unreceived() {
    is_paused_ = false;
    for (const Emitted& emitted : std::exchange(unreceived_, {})) {
        ignore(emitted.message);
    }
}

void IpsecSas::ignore(ByteView message) {
    ++counters_.ignored;
    const auto emitted = ipsec::parse_ha_message(message);
    if (!emitted) {
        return;
    }
    for (const ipsec::HaTag tag : {ipsec::HaTag::ike_id, ipsec::HaTag::ike_rekey_id}) {
        if (const auto id = emitted->ike_id(tag)) {
            image_.suspect_unrecorded(*id);
            touched_.insert(id->key);
        }
    }
}

void IpsecSas::serve(TimePoint now, Duration patience, Effects& effects) {
    is_wanted_ = true;
    if (!is_active_) {
        // A charon that has not confirmed that it is passive is fed once it does.
        turn_by_ =
            now + (turning_ ? std::max<Duration>(patience, limits::kCharonTurnAgain) : patience);
    }
    held_back_ = false;
    feed_at_.reset();
    open_exchanges_.begin(now);
    watch_until_.reset();
    if (!open_exchanges_.empty()) {
        watch_until_ = now + OpenExchanges::kWait;
    }
    read(now, effects);
    follow(now, effects);
}

void IpsecSas::silence(Effects& effects) {
    watch_until_.reset();
    is_wanted_ = false;
    turn_by_.reset();
    turn_again_at_.reset();
    rekey_at_.reset();
    lost_children_.on_passive();
    settle_at_.reset();
    leave();
    if (std::exchange(is_active_, false)) {
        turning_ = true;
        is_left_ = false;
    }
    // Even if it was never turned active: it may have been active before this keeper.
    effects.emplace_back(node::TurnCharon{gateway_.id(), false});
}

// charon has what this node's records hold, until another node's records arrive.
void IpsecSas::leave() {
    if (is_active_ && !std::exchange(is_left_, true)) {
        image_.assume(sas());
        touched_.clear();
    }
}

void IpsecSas::pause(Effects& effects) {
    silence(effects);
    is_paused_ = true;
}

void IpsecSas::mute(Effects& effects) {
    silence(effects);
    forget_unreceived();
    usage_.stop();
    open_exchanges_.clear();
    lost_children_.clear();
    store_.forget_half_open();
    for (const std::uint32_t spi : std::exchange(offloaded_, {})) {
        touch_child(spi);
        store_.erase_child(spi);
    }
    // This kernel's numbers are its own; they are checked as a standby's, at once.
    numbers_.sink();
    let_go([](std::uint32_t, const Held&) { return true; }, effects);  // The gate is shut.
    warming_.reset();
    to_set_.clear();
    setting_.clear();
    unseen_.clear();
    list_at_ = TimePoint{};
}

void IpsecSas::detach(Effects& effects) {
    forget_unreceived();
    watch_until_.reset();
    open_exchanges_.clear();
    offloaded_.clear();
    lost_children_.clear();
    std::vector<Bytes> messages;
    for (const auto& [key, ike] : image_.sas().ikes) {
        messages.push_back(ipsec::build_ike_delete(ike.id));
    }
    if (!messages.empty()) {
        effects.emplace_back(node::FeedCharon{gateway_.id(), std::move(messages), ++last_ticket_});
    }
    numbers_ = {};
    usage_.forget();
    paths_ = {};
    lose_charon({});
    flush(effects);
    let_go([](std::uint32_t, const Held&) { return true; }, effects);  // The gate is shut.
    image_.forget();
    store_ = ipsec::SaStore(tunnel_port_);
    warming_.reset();
    touched_.clear();
    installing_.clear();
    list_at_.reset();
    listing_.reset();
    map_ports({}, effects);
}

void IpsecSas::publish(const wire::RecordKey& key, ByteView payload, TimePoint now) {
    if (payload.size() > wire::traits_of(key.type).payload_max) {
        ++counters_.too_large;
        replica().erase(key, now);
    } else if (!replica().publish(key, payload)) {
        ++counters_.too_large;
    }
}

void IpsecSas::log_begin(const ipsec::IkeSa& sa, Effects& effects) const {
    const IkeKey& key = sa.id.key;
    const ipsec::IkePeer peer = ipsec::peer_of(sa);
    const auto remote = ipsec::parse_host(peer.remote);
    const auto before = ipsec::predecessor_of(sa);
    effects.emplace_back(effects::Log{
        LogLevel::info,
        fmt::format("IKE SA {} {} session={}{} connection={} spis={:016x}_i,{:016x}_r peer={}",
                    before ? "replaced event=ike-rekeyed" : "up event=ike-up", gateway_.tag(),
                    session_id(ike_record(key)),
                    before ? " replaces=" + session_id(ike_record(*before)) : std::string(),
                    peer.connection, key.spi_i, key.spi_r,
                    remote ? to_string(*remote) : "unknown")});
}

void IpsecSas::log_end(const wire::RecordKey& record, Effects& effects) const {
    const replica::StoredRecord* const stored = replica().store().find(record);
    if (stored == nullptr) {
        return;
    }
    const auto was = ipsec::parse_ike_sa(record.id.view(), stored->payload);
    if (was && !was->heir) {
        effects.emplace_back(
            effects::Log{LogLevel::info, fmt::format("IKE SA down event=ike-down {} session={}",
                                                     gateway_.tag(), session_id(record))});
    }
}

void IpsecSas::publish(const ipsec::SaChanges& changes, TimePoint now, Effects& effects) {
    usage_.note(changes, sas());
    const replica::Store& store = replica().store();
    for (const IkeKey& key : changes.ikes) {
        const wire::RecordKey record = ike_record(key);
        if (const ipsec::IkeSa* const sa = sas().find(key)) {
            const bool is_new = store.find(record) == nullptr;
            publish(record, ipsec::encode_record(*sa), now);
            if (is_new && store.find(record) != nullptr) {
                log_begin(*sa, effects);
            }
        } else {
            log_end(record, effects);
            replica().erase(record, now);
        }
    }
    for (const std::uint32_t spi : changes.children) {
        const ipsec::ChildSa* const child = sas().find_child(spi);
        if (child == nullptr) {
            offloaded_.erase(spi);
        }
        if (child != nullptr && !offloaded_.contains(spi)) {
            publish(child_record(spi), ipsec::encode_record(*child), now);
        } else {
            replica().erase(child_record(spi), now);
            replica().erase(counters_record(spi), now);
            numbers_.forget(spi);
        }
    }
}

Result<void> IpsecSas::end(const wire::RecordKey& key, TimePoint, Effects& effects) {
    VPNHA_TRY(const IkeKey ike, ipsec::parse_ike_key(key.id.view()));
    if (!is_active_ || turning_) {
        return fail(Errc::busy, "charon is not active yet: ask again");
    }
    if (sas().find(ike) == nullptr) {
        return fail(Errc::not_found, "there is no such IKE SA");
    }
    effects.emplace_back(node::EndIkeSas{gateway_.id(), {ike}});
    return {};
}

void IpsecSas::on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) {
    if (const auto* own = event.get<node::IpsecEvent>()) {
        std::visit([&](const auto& each) { handle(each, now, effects); }, *own);
    }
}

void IpsecSas::handle(const node::CharonEmitted& emitted, TimePoint now, Effects& effects) {
    // In most cases a lapsed lease is granted again. charon became
    // active before that, and does not repeat its messages. Otherwise
    // another node has claimed, and charon is about to be passive.
    if ((is_paused_ || (is_active_ && !replica().promoted())) &&
        unreceived_.size() < kUnreceivedMax) {
        unreceived_.push_back({now, Bytes(emitted.message.begin(), emitted.message.end())});
        return;
    }
    if (!is_active_ && turning_) {
        ignore(emitted.message);
        return;
    }
    if (!is_active_ || !replica().promoted()) {
        ++counters_.ignored;
        return;
    }
    take(emitted.message, now, now, effects);
}

void IpsecSas::take(ByteView message, TimePoint emitted_at, TimePoint now, Effects& effects) {
    const Result<ipsec::SaChanges> changes = store_.apply(message, gateway_.clock().at(emitted_at));
    if (changes) {
        publish(*changes, now, effects);
        const bool has_port = std::ranges::any_of(changes->children, [this](std::uint32_t spi) {
            const ipsec::ChildSa* const child = sas().find_child(spi);
            return child != nullptr && child->port != 0;
        });
        if (has_port) {  // The client's packets are dropped until the port is mapped.
            map_until_ = now + limits::kNewChildWait;
            list_at_ = now;
        }
        const bool may_move = std::ranges::any_of(changes->ikes, [this](const IkeKey& key) {
            const ipsec::IkeSa* const sa = sas().find(key);
            return sa != nullptr && ipsec::may_move(*sa);
        });
        if (may_move && !listing_) {
            list_at_ = earliest(list_at_, now + limits::kNewChildPause);
        }
        if (store_.is_unsettled() && !settle_at_) {
            settle_at_ = now + limits::kIkeRekeyPause;
        }
        return;
    }
    ++counters_.unreadable;
    if (!complained_at_ || now >= *complained_at_ + limits::kCharonComplaintPause) {
        complained_at_ = now;
        emit(LogLevel::error,
             fmt::format("a message of charon about an SA cannot be replicated: {}",
                         changes.error().detail),
             effects);
    }
}

void IpsecSas::handle(const node::IkeSeen& seen, TimePoint now, Effects& effects) {
    const ipsec::IkePacket& asked = seen.packet;
    const IkeKey& key = asked.key;
    const ipsec::IkeSa* const sa = sas().find(key);
    // If an SA has an heir, this charon has only the heir.
    if (asked.is_sent || asked.is_answer || !watch_until_ || !replica().promoted() ||
        sa == nullptr || sa->dead || sa->heir) {
        return;
    }
    const auto change = open_exchanges_.on_request(
        asked, sa->mid_responder, [this](std::uint32_t spi) { return numbers_.has_received(spi); },
        now);
    if (change && change->is_repeated) {
        repeat(*sa, change->children, now, effects);
    } else if (change) {
        expect(sa->id, asked.mid, {}, effects);
        publish(store_.skip(key), now, effects);
        emit(LogLevel::warning,
             fmt::format("request {} of an IKE SA was repeated by another sender than its client, "
                         "which continues with the next one",
                         asked.mid - 1),
             effects);
    }
    if (open_exchanges_.empty()) {
        watch_until_.reset();
    }
}

void IpsecSas::repeat(const ipsec::IkeSa& sa, const std::set<std::uint32_t>& children,
                      TimePoint now, Effects& effects) {
    const IkeKey key = sa.id.key;
    const std::uint32_t mid = sa.mid_responder - 1;
    std::vector<Bytes> messages;
    for (const std::uint32_t spi : children) {
        const ipsec::ChildSa* const child = sas().find_child(spi);
        if (child != nullptr && child->owner == key) {
            messages.push_back(ipsec::build_child_delete(sa.id, spi));
        }
    }
    expect(sa.id, mid, std::move(messages), effects);
    publish(store_.take_back(key, children), now, effects);
    lost_children_.on_repeated(key, now);
    ++counters_.repeated;
    emit(LogLevel::info,
         fmt::format("a client repeats request {} of an IKE SA, which nobody has answered; {} "
                     "CHILD SAs are taken back",
                     mid, children.size()),
         effects);
}

// charon accepts that request of the client next, after these messages.
void IpsecSas::expect(const ipsec::IkeId& id, std::uint32_t mid, std::vector<Bytes> messages,
                      Effects& effects) {
    if (!is_active_) {
        touched_.insert(id.key);  // It is fed before it answers.
        return;
    }
    messages.push_back(ipsec::build_mid(ipsec::HaType::ike_mid_responder, id, mid));
    effects.emplace_back(node::FeedCharon{gateway_.id(), std::move(messages), ++last_ticket_});
}

void IpsecSas::handle(const node::CharonTurned& turned, TimePoint now, Effects& effects) {
    if (turned.active == is_active_) {
        if (turned.active && turning_) {
            rekey_at_ = now + kRekeyPause;
            lost_children_.on_active(now);
        }
        turning_ = false;
        turn_again_at_.reset();
        emit(LogLevel::info,
             turned.active ? "charon speaks for the SAs" : "charon keeps the SAs, and is silent",
             effects);
    } else if (turned.active) {
        effects.emplace_back(node::TurnCharon{gateway_.id(), false});
    } else {
        turn_again_at_ = now + limits::kCharonTurnAgain;
    }
}

void IpsecSas::on_time(TimePoint now, Effects& effects) {
    if (settle_at_ && *settle_at_ <= now) {
        settle_at_.reset();
        publish(store_.settle(), now, effects);
    }
    if (turn_again_at_ && *turn_again_at_ <= now) {
        turn_again_at_ = now + limits::kCharonTurnAgain;
        effects.emplace_back(node::TurnCharon{gateway_.id(), is_active_});
    }
    if (rekey_at_ && *rekey_at_ <= now) {
        rekey_at_.reset();
        node::RekeyChildren wanted{gateway_.id(), numbers_.low(), {}};
        for (const auto& [key, sa] : sas().ikes()) {
            if (ipsec::refuses_rekeys(sa)) {
                wanted.refusing.push_back(key);
            }
        }
        effects.emplace_back(std::move(wanted));
    }
    if (watch_until_ && *watch_until_ <= now) {
        open_exchanges_.clear();
        watch_until_.reset();
    }
    if (flush_at_ && *flush_at_ <= now) {
        flush(effects);
    }
    if (list_at_ && *list_at_ <= now) {
        list(now, effects);
    }
}

std::optional<TimePoint> IpsecSas::next_deadline() const {
    std::optional<TimePoint> at = earliest(list_at_, settle_at_);
    at = earliest(earliest(at, turn_again_at_), earliest(flush_at_, watch_until_));
    at = earliest(earliest(at, rekey_at_), usage_.next_deadline());
    if (!gone_ && !feeding_ && !flushing_) {
        at = earliest(at, touched_.empty() || is_active_ ? std::nullopt : feed_at_);
        at = earliest(at, turn_by_);
    }
    return at;
}

std::vector<SessionView> IpsecSas::sessions(const ListPart& part) const {
    std::vector<SessionView> views;
    const replica::Store& store = replica().store();
    for (auto each = store.records().upper_bound(
             std::max(part.after, wire::RecordKey{RecordType::ike_sa, {}}));
         each != store.records().end() && each->first.type == RecordType::ike_sa &&
         views.size() < part.max;
         ++each) {
        const auto& [record, stored] = *each;
        const Result<IkeKey> key = ipsec::parse_ike_key(record.id.view());
        const ipsec::IkeSa* const sa = key ? sas().find(*key) : nullptr;
        if (sa == nullptr || sa->dead) {
            continue;
        }
        const ipsec::IkePeer peer = ipsec::peer_of(*sa);
        SessionView& view = views.emplace_back();
        view.record = record;
        view.protocol = ipsec::has_tunnels(sas(), *key, tunnel_port_) ? tunnel_name_
                        : key->version == 1                           ? "ikev1"
                                                                      : "ikev2";
        view.user = ipsec::identity_text(peer.eap_id);
        view.epoch = stored.version.epoch;
        const auto children = sas().children_of(*key);
        std::uint32_t owned = 0;
        Passed passed{"packets"};
        for (const std::uint32_t spi : children) {
            if (sas().find_child(spi)->owner == *key) {
                const ipsec::EspCounters numbers = numbers_.known(spi);
                ++owned;
                passed.in += numbers.seq;
                passed.out += numbers.oseq;
            }
        }
        const auto is_offloaded = [this](std::uint32_t spi) { return offloaded_.contains(spi); };
        view.ids = {{"children", owned}};
        view.passed = passed;
        view.established_unix_ms = sa->established_unix_ms;
        if (const auto remote = ipsec::parse_host(peer.remote)) {
            view.peer = to_string(*remote);
        }
        for (const Bytes& vip : peer.vips) {
            if (const auto host = ipsec::parse_host(vip); host && view.address.empty()) {
                view.address = to_string(host->address);
            } else if (host) {
                view.networks.push_back(to_string(host->address));
            }
        }
        show_state(view, replica(), record, stored, {},
                   {.not_ready = "not yet in this node's charon"});
        if (replica().promoted() && std::ranges::any_of(children, is_offloaded)) {
            view.state = SessionState::unprotected;
            view.reason = "a device encrypts its CHILD SA: set hw_offload = no";
        }
    }
    return views;
}

SessionTotals IpsecSas::session_totals() const {
    const auto live = std::ranges::count_if(sas().ikes(), [this](const auto& each) {
        return !each.second.dead && replica().store().find(ike_record(each.first)) != nullptr;
    });
    return {.all = static_cast<std::size_t>(live)};
}

IpsecState IpsecSas::state() const {
    const auto live =
        std::ranges::count_if(sas().ikes(), [](const auto& each) { return !each.second.dead; });
    const auto left_out =
        std::ranges::count_if(sas().ikes(),
                              [this](const auto& each) { return !takes(each.first); }) +
        std::ranges::count_if(sas().children(),
                              [this](const auto& each) { return !takes(each.first); });
    return {.ike_sas = static_cast<std::uint64_t>(live),
            .child_sas = sas().children().size(),
            .half_open = store_.half_open(),
            .numbers_left = numbers_.left(),
            .charon = !gone_,
            .active = is_active_,
            .not_for_charon = gone_ ? 0 : static_cast<std::uint64_t>(left_out)};
}

Status IpsecSas::status(TimePoint) const {
    const IpsecState now = state();
    const char* const charon = !now.charon ? "gone" : now.active ? "active" : "passive";
    return {{"ipsec/ike_sas", now.ike_sas},
            {"ipsec/child_sas", now.child_sas},
            {"ipsec/half_open", now.half_open},
            {"ipsec/charon", charon},
            {"ipsec/not_for_charon", now.not_for_charon},
            {"ipsec/esp_numbers_left",
             now.numbers_left ? StatusValue(*now.numbers_left) : StatusValue()}};
}

Counts IpsecSas::counts() const {
    return {{"ike_rekeys", store_.counters().ike_rekeys},
            {"child_rekeys", store_.counters().child_rekeys},
            {"peer_moves", store_.counters().moves},
            {"charon_messages_unknown", store_.counters().unknown},
            {"charon_messages_repeated", store_.counters().repeated},
            {"charon_messages_unreadable", counters_.unreadable},
            {"charon_messages_ignored", counters_.ignored},
            {"charon_rebuilds", counters_.rebuilds},
            {"charon_feeds_failed", counters_.feeds_failed},
            {"child_sas_lost", counters_.children_lost},
            {"ipsec_records_refused", counters_.too_large},
            {"ike_requests_repeated", counters_.repeated},
            {"ike_sas_ended_childless", counters_.ended},
            {"esp_numbers_set", counters_.numbers_set},
            {"esp_jumps", counters_.jumps},
            {"esp_packets_in", numbers_.passed().in},
            {"esp_packets_out", numbers_.passed().out}};
}

}  // namespace vpnha::keepers
