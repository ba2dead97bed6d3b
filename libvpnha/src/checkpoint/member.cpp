// SPDX-License-Identifier: GPL-2.0-or-later
#include "checkpoint/member.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "cluster/wire/record_traits.hpp"

namespace vpnha::checkpoint {

namespace {

// A group has the records of one program: one gateway, in terms of the wire format.
constexpr GatewayId kGateway{1};
constexpr wire::RecordType kType = wire::RecordType::program;
// Awaited entries that later changes have made void, beside those of the records.
constexpr std::size_t kVoidAwaitedMax = 1024;

constexpr wire::Room kRoom = wire::room_of(wire::traits_of(kType).service);
static_assert(kCheckpointIdBytesMax == limits::kRecordIdBytesMax);
static_assert(kCheckpointPayloadBytesMax == wire::traits_of(kType).payload_max);
static_assert(kCheckpointRecordsMax == kRoom.records_max);
static_assert(kCheckpointBytesMax == kRoom.bytes_max);

ByteView octets(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

CheckpointState::Level level_of(wire::Level level) {
    switch (level) {
        case wire::Level::empty:
            return CheckpointState::Level::empty;
        case wire::Level::partial:
            return CheckpointState::Level::partial;
        case wire::Level::complete:
            break;
    }
    return CheckpointState::Level::complete;
}

template <class Nodes>
std::vector<std::uint32_t> values_of(const Nodes& nodes) {
    std::vector<std::uint32_t> values;
    std::transform(nodes.begin(), nodes.end(), std::back_inserter(values),
                   [](NodeId node) { return node.value; });
    return values;
}

}  // namespace

Member::Member(NodeId self) : self_(self), replica_(kGateway, self) {}

void Member::on_members(const std::set<NodeId>& members, bool quorate, TimePoint now,
                        Effects& effects) {
    std::erase_if(peers_, [&members](const auto& peer) { return !members.contains(peer.first); });
    members_ = members;
    last_hello_.reset();  // Joiners have not received it.
    replica_.on_members(members, quorate, now);
    // With the quorum, earlier confirmations count again.
    report_confirmed(std::numeric_limits<std::uint64_t>::max(), effects);
    settle(now, effects);
}

void Member::on_message(NodeId sender, ByteView bytes, TimePoint now, Effects& effects) {
    const Result<wire::Message> message =
        sender == self_ ? dialects_.parse_own(bytes) : dialects_.parse(bytes);
    if (!message) {
        if (message.error().code == Errc::unsupported) {
            peers_[sender].reset();
        }
        take(replica_.on_malformed(sender, now), now, effects);
        settle(now, effects);
        return;
    }
    if (const auto* hello = std::get_if<wire::Hello>(&*message); hello && sender != self_) {
        peers_[sender] = dialects_.common(hello->version_min, hello->version_max);
    }
    const auto peer = peers_.find(sender);
    if (peer == peers_.end() || peer->second) {
        take(replica_.on_message(sender, *message, now), now, effects);
    }
    if (const auto* confirm = std::get_if<wire::Confirm>(&*message)) {
        if (sender != self_ && is_missing(*confirm)) {
            take(replica_.resync(now), now, effects);
        }
        report_confirmed(confirm->sequence, effects);
    }
    settle(now, effects);
}

void Member::set_writable(bool writable, TimePoint now, Effects& effects) {
    writable_ = writable;
    settle(now, effects);
}

void Member::withhold_records(bool withheld, TimePoint now, Effects& effects) {
    replica_.withhold_records(withheld);
    settle(now, effects);
}

bool Member::is_missing(const wire::Confirm& confirm) const {
    return !replica_.promoted() && replica_.level() == wire::Level::complete &&
           confirm.epoch == replica_.epoch() && confirm.sequence > replica_.sequence();
}

Result<void> Member::may_be_promoted() const {
    if (!members_.contains(self_) || !replica_.quorate()) {
        return fail(Errc::busy, "this side of the cluster has no quorum");
    }
    for (const NodeId member : members_) {
        if (member != self_ && !peers_.contains(member)) {
            return fail(
                Errc::busy,
                fmt::format("node {} has not introduced itself to the group yet", member.value));
        }
    }
    const bool complete = replica_.level() == wire::Level::complete;
    for (const auto& [node, peer] : replica_.peers()) {
        if (peer.level == wire::Level::complete && (!complete || peer.epoch > replica_.epoch())) {
            return fail(Errc::busy, fmt::format("node {} has records that this one has yet to get",
                                                node.value));
        }
    }
    return {};
}

Result<void> Member::promote(TimePoint now, Effects& effects) {
    if (replica_.promoted()) {
        return {};
    }
    VPNHA_CHECK(may_be_promoted());
    awaited_.clear();
    take(replica_.begin_epoch(Epoch{replica_.highest_epoch().number + 1, self_}, now), now,
         effects);
    settle(now, effects);
    return {};
}

void Member::stand_by(TimePoint now, Effects& effects) {
    if (!replica_.promoted()) {
        return;
    }
    replica_.end_epoch(now);
    take(replica_.install_missing(), now, effects);
    settle(now, effects);
}

Result<wire::RecordKey> Member::own_key(std::string_view id) const {
    if (id.size() > kCheckpointIdBytesMax) {
        return fail(Errc::invalid_argument, fmt::format("an id of {} octets; at most {}", id.size(),
                                                        kCheckpointIdBytesMax));
    }
    if (!replica_.promoted()) {
        return fail(Errc::stale_epoch, "this member is not promoted");
    }
    return wire::RecordKey{kType, wire::RecordId(octets(id))};
}

Result<void> Member::publish(std::string_view id, std::string_view payload, TimePoint now,
                             Effects& effects) {
    if (payload.size() > kCheckpointPayloadBytesMax) {
        return fail(Errc::invalid_argument,
                    fmt::format("a payload of {} octets; at most {}", payload.size(),
                                kCheckpointPayloadBytesMax));
    }
    VPNHA_TRY(const wire::RecordKey key, own_key(id));
    if (!replica_.publish(key, octets(payload))) {
        return fail(Errc::limit, "the group is full");
    }
    settle(now, effects);
    return {};
}

Result<void> Member::withdraw(std::string_view id, TimePoint now, Effects& effects) {
    VPNHA_TRY(const wire::RecordKey key, own_key(id));
    replica_.erase(key, now);
    settle(now, effects);
    return {};
}

void Member::on_installed(const Install& install, bool taken, TimePoint now, Effects& effects) {
    replica_.on_installed(install.key, install.ticket,
                          taken ? replica::Outcome::installed : replica::Outcome::refused, now);
    settle(now, effects);
}

void Member::on_time(TimePoint now, Effects& effects) {
    settle(now, effects);
}

std::optional<TimePoint> Member::next_deadline() const {
    return writable_ ? replica_.next_deadline() : std::nullopt;
}

CheckpointState Member::state() const {
    CheckpointState state;
    state.level = level_of(replica_.level());
    state.promoted = replica_.promoted();
    state.quorate = replica_.quorate();
    state.holder = replica_.holder().value_or(NodeId{}).value;
    state.epoch = replica_.epoch().number;
    state.members = values_of(members_);
    state.complete_standbys = values_of(replica_.complete_standbys());
    std::erase(state.complete_standbys, self_.value);
    return state;
}

bool Member::is_confirmed(std::string_view id) const {
    return id.size() <= kCheckpointIdBytesMax &&
           replica_.is_protected({kType, wire::RecordId(octets(id))});
}

std::uint8_t Member::version() const {
    std::uint8_t version = dialects_.version_max();
    for (const NodeId member : members_) {
        const auto peer = peers_.find(member);
        if (member != self_ && peer == peers_.end()) {
            return dialects_.version_min();  // Not introduced yet.
        }
        if (member != self_ && peer->second) {
            version = std::min(version, *peer->second);
        }
    }
    return version;
}

void Member::send(const wire::Message& message, Effects& effects) {
    effects.emplace_back(SendToGroup{dialects_.encode(message, version())});
}

void Member::take(replica::Effects wanted, TimePoint now, Effects& effects) {
    bool superseded = false;
    for (replica::Effect& each : wanted) {
        if (auto* const sent = std::get_if<replica::Send>(&each)) {
            if (const auto* const update = std::get_if<wire::Update>(&sent->message)) {
                await_confirmation(*update);
            }
            send(sent->message, effects);
        } else if (auto* const install = std::get_if<replica::Install>(&each)) {
            if (install->key.type == kType) {
                effects.emplace_back(std::move(*install));
            } else {
                // The record does not belong to this group's program.
                replica_.on_installed(install->key, install->ticket, replica::Outcome::unreadable,
                                      now);
            }
        } else if (auto* const remove = std::get_if<replica::Remove>(&each)) {
            if (remove->key.type == kType) {
                effects.emplace_back(std::move(*remove));
            }
        } else if (std::holds_alternative<replica::Superseded>(each)) {
            superseded = true;
        }
    }
    if (superseded) {
        take(replica_.install_missing(), now, effects);
    }
}

void Member::settle(TimePoint now, Effects& effects) {
    if (!writable_ || !members_.contains(self_)) {
        return;
    }
    take(replica_.flush(now), now, effects);
    wire::Hello hello;
    hello.version_min = dialects_.version_min();
    hello.version_max = dialects_.version_max();
    hello.gateways = {{.gateway = kGateway,
                       .promoted = replica_.promoted(),
                       .level = replica_.level(),
                       .standing = replica_.level(),
                       .epoch = replica_.epoch()}};
    if (hello != last_hello_) {
        effects.emplace_back(SendToGroup{dialects_.encode(hello, dialects_.version_min())});
        last_hello_ = std::move(hello);
    }
}

void Member::await_confirmation(const wire::Update& update) {
    std::uint64_t sequence = update.base;
    for (const wire::Change& change : update.changes) {
        ++sequence;
        if (!change.erased) {
            awaited_.emplace(sequence, change.key);
        }
    }
    if (awaited_.size() > 2 * std::size_t{replica_.store().count()} + kVoidAwaitedMax) {
        std::erase_if(awaited_, [this](const auto& each) {
            const replica::StoredRecord* const record = replica_.store().find(each.second);
            return record == nullptr || record->version.sequence != each.first;
        });
    }
}

void Member::report_confirmed(std::uint64_t sequence, Effects& effects) {
    const Epoch epoch = replica_.epoch();
    for (auto each = awaited_.begin(); each != awaited_.end() && each->first <= sequence;) {
        const auto& [emitted_as, key] = *each;
        const replica::StoredRecord* const record = replica_.store().find(key);
        const bool is_newest =
            record != nullptr && record->version == wire::Version{epoch, emitted_as};
        const bool confirmed = is_newest && replica_.is_protected(key);
        if (confirmed) {
            effects.emplace_back(Confirmed{key});
        }
        each = confirmed || !is_newest ? awaited_.erase(each) : std::next(each);
    }
}

}  // namespace vpnha::checkpoint
