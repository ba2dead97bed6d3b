// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/sa_store.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/limits.hpp"

namespace vpnha::ipsec {

void SaStore::put(IkeSa sa) {
    last_order_ = std::max(last_order_, sa.order);
    sas_.put(std::move(sa));
}

void SaStore::put(ChildSa child) {
    last_order_ = std::max(last_order_, child.order);
    sas_.put(std::move(child));
}

Result<SaChanges> SaStore::apply(ByteView octets, std::uint64_t unix_ms) {
    unix_ms_ = unix_ms;
    VPNHA_TRY(const HaMessage message, parse_ha_message(octets));
    const std::optional<IkeId> id = message.ike_id();
    if (!id) {
        return fail(Errc::malformed, "an HA message that names no IKE SA");
    }
    SaChanges changes;
    const IkeKey& key = id->key;
    const auto mid = message.u32(HaTag::mid);
    const auto iv = message.find(HaTag::iv);
    const auto spi = message.spi(HaTag::inbound_spi);
    switch (message.type) {
        case HaType::ike_add:
            begin(*id, message, octets);
            break;
        case HaType::ike_update:
            update(*id, message, octets, changes);
            break;
        case HaType::ike_mid_initiator:
        case HaType::ike_mid_responder:
            if (mid) {
                set_mid(key, message.type == HaType::ike_mid_initiator, *mid, changes);
            }
            break;
        case HaType::ike_iv:
            if (iv && iv->size() <= limits::kIkeIvBytesMax) {
                set_iv(key, *iv, changes);
            }
            break;
        case HaType::ike_delete:
            end(key, changes);
            break;
        case HaType::child_add:
            begin_child(key, message, octets, changes);
            break;
        case HaType::child_delete:
            if (spi) {
                delete_child(*spi, changes);
            }
            break;
        default:
            return fail(Errc::unsupported, "an HA message that is about no SA");
    }
    return changes;
}

SaChanges SaStore::settle() {
    SaChanges changes;
    for (const IkeKey& key : std::exchange(dying_, {})) {
        die(key, changes);
    }
    return changes;
}

SaChanges SaStore::take_back(const IkeKey& key, const std::set<std::uint32_t>& children) {
    SaChanges changes;
    for (const std::uint32_t spi : children) {
        if (sas_.find_child(spi) != nullptr) {
            end_child(spi, changes);
        }
    }
    IkeSa sa = *sas_.find(key);
    --sa.mid_responder;
    sas_.put(std::move(sa));
    changes.ikes.insert(key);
    return changes;
}

SaChanges SaStore::skip(const IkeKey& key) {
    SaChanges changes;
    IkeSa sa = *sas_.find(key);
    ++sa.mid_responder;
    sas_.put(std::move(sa));
    changes.ikes.insert(key);
    return changes;
}

SaChanges SaStore::follow(const PeerPath& path) {
    SaChanges changes;
    const ChildSa* const moved = sas_.find_child(path.inbound.spi);
    if (moved == nullptr) {
        return changes;
    }
    Family family{{moved->owner}, {}};
    sas_.complete(family);
    for (const IkeKey& key : family.ikes) {
        const IkeSa* const held = sas_.find(key);
        const auto from = held == nullptr ? std::nullopt : parse_host(peer_of(*held).remote);
        IkeSa sa = held == nullptr ? IkeSa() : *held;
        if (!from || !redirect(sa, path)) {
            continue;
        }
        sas_.put(std::move(sa));
        changes.ikes.insert(key);
        for (const std::uint32_t spi : sas_.children_of(key)) {
            ChildSa child = *sas_.find_child(spi);
            if (child.made == key && redirect(child, from->address, path)) {
                sas_.put(std::move(child));
                changes.children.insert(spi);
            }
        }
    }
    counters_.moves += changes.ikes.empty() ? 0 : 1;
    return changes;
}

SaChanges SaStore::end_replaced() {
    std::vector<IkeKey> replaced;
    for (const auto& [key, sa] : sas_.ikes()) {
        if (sa.heir && !sa.dead) {
            replaced.push_back(key);
        }
    }
    SaChanges changes;
    for (const IkeKey& key : replaced) {
        die(key, changes);
    }
    return changes;
}

SaChanges SaStore::complete_addresses(std::span<const IpPrefix> pools) {
    SaChanges changes;
    if (pools.empty()) {
        return changes;
    }
    for (const auto& [spi, child] : sas_.children()) {
        const IkeSa* const owner = sas_.find(child.owner);
        if (owner == nullptr || owner->dead || !peer_of(*owner).vips.empty()) {
            continue;
        }
        std::vector<Bytes> vips;
        for (const IpAddress& host : peer_hosts_of(child)) {
            if (std::ranges::any_of(pools, [&](const auto& net) { return contains(net, host); })) {
                vips.push_back(build_host({host, 0}));
            }
        }
        if (!vips.empty()) {
            IkeSa sa = *owner;
            add_update(sa, build_vips(sa.id, vips));
            changes.ikes.insert(sa.id.key);
            sas_.put(std::move(sa));
        }
    }
    return changes;
}

void SaStore::forget_half_open() {
    half_open_.clear();
    dying_.clear();
}

void SaStore::begin(const IkeId& id, const HaMessage& message, ByteView add) {
    if (const auto found = half_open_.find(id.key); found != half_open_.end()) {
        add_exchange(found->second.sa, message, add);
        return;
    }
    if (sas_.find(id.key) != nullptr) {
        ++counters_.repeated;
        return;
    }
    if (half_open_.size() >= limits::kHalfOpenSasMax) {
        const auto oldest = std::ranges::min_element(
            half_open_, {}, [](const auto& each) { return each.second.sa.order; });
        half_open_.erase(oldest);
        ++counters_.given_up;
    }
    HalfOpen& begun = half_open_[id.key];
    begun.sa.id = id;
    begun.sa.order = next_order();
    begun.sa.add.assign(add.begin(), add.end());
    begun.replaces = predecessor_of(begun.sa);
}

// charon writes an IKE_ADD for each IKE_INTERMEDIATE; only the first one names algorithms. The
// secrets of a repeated one are sealed to the same octets.
void SaStore::add_exchange(IkeSa& sa, const HaMessage& message, ByteView add) {
    const Bytes octets(add.begin(), add.end());
    if (message.find(HaTag::alg_encr) || message.find(HaTag::ike_rekey_id) ||
        sa.further.size() == limits::kIkeAddsFurtherMax ||
        std::ranges::find(sa.further, octets) != sa.further.end()) {
        ++counters_.repeated;
        return;
    }
    sa.further.push_back(octets);
}

void SaStore::update(const IkeId& id, const HaMessage& message, ByteView octets,
                     SaChanges& changes) {
    const IkeKey& key = id.key;
    const auto found = half_open_.find(key);
    if (found != half_open_.end() && found->second.sa.id == id) {
        add_update(found->second.sa, octets);
        if (message.find(HaTag::config_name)) {
            HalfOpen established = std::move(found->second);
            half_open_.erase(found);
            establish(std::move(established), changes);
        }
        return;
    }
    const IkeSa* const held = sas_.find(key);
    if (held == nullptr || held->dead || held->id != id) {
        ++counters_.unknown;
        return;
    }
    IkeSa sa = *held;
    add_update(sa, octets);
    sas_.put(std::move(sa));
    changes.ikes.insert(key);
    adopt(key, changes);
}

void SaStore::establish(HalfOpen half_open, SaChanges& changes) {
    const IkeKey key = half_open.sa.id.key;
    const std::optional<IkeKey> old = half_open.replaces;
    half_open.sa.order = next_order();
    half_open.sa.established_unix_ms = unix_ms_;
    counters_.ike_rekeys += old && sas_.find(*old) != nullptr ? 1 : 0;
    sas_.put(std::move(half_open.sa));
    changes.ikes.insert(key);
    if (old) {
        hand_over(*old, key, changes);
        if (dying_.erase(*old) != 0) {
            die(*old, changes);
        }
    }
    adopt(key, changes);
    for (ChildSa& child : half_open.children) {
        child.order = next_order();
        give_port(child);
        changes.children.insert(child.spi);
        sas_.put(std::move(child));
    }
}

void SaStore::hand_over(const IkeKey& from, const IkeKey& to, SaChanges& changes) {
    const IkeSa* const held = sas_.find(from);
    if (held == nullptr || from == to) {
        return;
    }
    for (const std::uint32_t spi : sas_.children_of(from)) {
        ChildSa child = *sas_.find_child(spi);
        if (child.owner == from) {
            child.owner = to;
            sas_.put(std::move(child));
            changes.children.insert(spi);
        }
    }
    if (!held->heir) {
        IkeSa old = *held;
        IkeSa heir = *sas_.find(to);
        inherit(heir, old);
        sas_.put(std::move(heir));
        old.heir = to;
        sas_.put(std::move(old));
        changes.ikes.insert({from, to});
    }
}

// The oldest one with the same peer that has children to adopt. In charon still older ones have
// none, and it will end them soon.
void SaStore::adopt(const IkeKey& key, SaChanges& changes) {
    const std::uint64_t order = sas_.find(key)->order;
    std::optional<std::pair<std::uint64_t, IkeKey>> oldest;
    for (const IkeKey& other : sas_.same_peer(key)) {
        const IkeSa& each = *sas_.find(other);
        if (each.dead || each.order >= order || (oldest && each.order > oldest->first)) {
            continue;
        }
        const auto owns = [&](std::uint32_t spi) { return sas_.find_child(spi)->owner == other; };
        const bool has_vips = !each.heir && !peer_of(each).vips.empty();
        if (has_vips || std::ranges::any_of(sas_.children_of(other), owns)) {
            oldest.emplace(each.order, other);
        }
    }
    if (oldest) {
        hand_over(oldest->second, key, changes);
    }
}

void SaStore::end(const IkeKey& key, SaChanges& changes) {
    if (const auto found = half_open_.find(key); found != half_open_.end()) {
        const std::optional<IkeKey> old = found->second.replaces;
        half_open_.erase(found);
        if (old && dying_.contains(*old) && !is_being_replaced(*old)) {
            dying_.erase(*old);
            die(*old, changes);
        }
        return;
    }
    const IkeSa* const held = sas_.find(key);
    if (held == nullptr || held->dead) {
        ++counters_.unknown;
        return;
    }
    // charon reports the end of the old SA before the establishment of the new one.
    if (!held->heir && is_being_replaced(key)) {
        dying_.insert(key);
        return;
    }
    die(key, changes);
}

void SaStore::die(const IkeKey& key, SaChanges& changes) {
    for (const std::uint32_t spi : sas_.children_of(key)) {
        if (sas_.find_child(spi)->owner == key) {
            end_child(spi, changes);
        }
    }
    IkeSa sa = *sas_.find(key);
    changes.ikes.insert(key);
    if (!sa.heir) {
        sas_.erase(key);
        return;
    }
    sa.dead = true;
    sas_.put(std::move(sa));
    collect(key, changes);
}

bool SaStore::is_being_replaced(const IkeKey& key) const {
    return std::ranges::any_of(half_open_,
                               [&key](const auto& each) { return each.second.replaces == key; });
}

bool SaStore::is_needed(const IkeKey& key) const {
    const auto children = sas_.children_of(key);
    const auto made = [&](std::uint32_t spi) { return sas_.find_child(spi)->made == key; };
    if (std::ranges::any_of(children, made)) {
        return true;
    }
    const std::uint64_t order = sas_.find(key)->order;
    return std::ranges::any_of(sas_.elders_of(key), [&](const IkeKey& elder) {
        const IkeSa* const sa = sas_.find(elder);
        return sa != nullptr && sa->heir == key && sa->order < order && is_needed(elder);
    });
}

void SaStore::collect(const IkeKey& key, SaChanges& changes) {
    std::optional<IkeKey> at = key;
    while (at) {
        const IkeSa* const sa = sas_.find(*at);
        if (sa == nullptr) {
            return;
        }
        const std::optional<IkeKey> heir = sa->heir;
        const std::uint64_t order = sa->order;
        if (sa->dead && !is_needed(*at)) {
            changes.ikes.insert(*at);
            sas_.erase(*at);
        }
        const IkeSa* const next = heir ? sas_.find(*heir) : nullptr;
        at = next != nullptr && next->order > order ? heir : std::nullopt;
    }
}

void SaStore::change_ike(const IkeKey& key, SaChanges& changes,
                         const std::function<void(IkeSa&)>& change) {
    if (const auto found = half_open_.find(key); found != half_open_.end()) {
        change(found->second.sa);
        return;
    }
    const IkeSa* const held = sas_.find(key);
    if (held == nullptr || held->dead) {
        ++counters_.unknown;
        return;
    }
    IkeSa sa = *held;
    change(sa);
    sas_.put(std::move(sa));
    changes.ikes.insert(key);
}

void SaStore::set_mid(const IkeKey& key, bool initiator, std::uint32_t mid, SaChanges& changes) {
    change_ike(key, changes,
               [&](IkeSa& sa) { (initiator ? sa.mid_initiator : sa.mid_responder) = mid; });
}

void SaStore::set_iv(const IkeKey& key, ByteView iv, SaChanges& changes) {
    change_ike(key, changes, [&](IkeSa& sa) { sa.iv.assign(iv.begin(), iv.end()); });
}

void SaStore::begin_child(const IkeKey& key, const HaMessage& message, ByteView octets,
                          SaChanges& changes) {
    const auto spi = message.spi(HaTag::inbound_spi);
    const auto spi_out = message.spi(HaTag::outbound_spi);
    const auto half_open = half_open_.find(key);
    const IkeSa* const held = sas_.find(key);
    if (!spi || !spi_out || *spi == 0 ||
        (half_open == half_open_.end() && (held == nullptr || held->dead))) {
        ++counters_.unknown;
        return;
    }
    ChildSa child{*spi, *spi_out, key, key, 0, {octets.begin(), octets.end()}};
    if (half_open != half_open_.end()) {
        half_open->second.children.push_back(std::move(child));
        return;
    }
    if (sas_.find_child(*spi) != nullptr) {
        end_child(*spi, changes);
    }
    const std::string connection = message.text(HaTag::config_name);
    const auto replaces = [&](std::uint32_t older) {
        const ChildSa& each = *sas_.find_child(older);
        const auto emitted = parse_ha_message(each.add);
        return each.owner == key && emitted && emitted->text(HaTag::config_name) == connection;
    };
    counters_.child_rekeys += std::ranges::any_of(sas_.children_of(key), replaces) ? 1 : 0;
    child.order = next_order();
    give_port(child);
    changes.children.insert(*spi);
    sas_.put(std::move(child));
    set_childless(key, false, changes);
}

void SaStore::give_port(ChildSa& child) const {
    if (!tunnel_port_ || own_port_of(child) != tunnel_port_) {
        return;
    }
    std::set<std::uint16_t> taken;
    std::pair<std::uint64_t, std::uint16_t> latest;
    for (const auto& [spi, other] : sas_.children()) {
        if (other.port != 0 && other.owner == child.owner) {
            child.port = other.port;
            return;
        }
        taken.insert(other.port);
        latest = std::max(latest, {other.port == 0 ? 0 : other.order, other.port});
    }
    // In turns: the previous user of the port may still have its state inside this gateway.
    std::uint32_t turn = latest.second == 0 ? 0U : latest.second - limits::kPrivatePortFirst + 1U;
    for (std::uint32_t i = 0; i < limits::kPrivatePorts; ++i, ++turn) {
        const auto port =
            static_cast<std::uint16_t>(limits::kPrivatePortFirst + turn % limits::kPrivatePorts);
        if (!taken.contains(port)) {
            child.port = port;
            return;
        }
    }
}

void SaStore::delete_child(std::uint32_t spi, SaChanges& changes) {
    const ChildSa* const child = sas_.find_child(spi);
    const std::optional<IkeKey> owner = child ? std::optional(child->owner) : std::nullopt;
    end_child(spi, changes);
    if (owner && std::ranges::none_of(sas_.children_of(*owner), [&](std::uint32_t other) {
            return sas_.find_child(other)->owner == *owner;
        })) {
        set_childless(*owner, true, changes);
    }
}

void SaStore::set_childless(const IkeKey& key, bool childless, SaChanges& changes) {
    const IkeSa* const held = sas_.find(key);
    if (held != nullptr && !held->dead && held->childless != childless) {
        IkeSa sa = *held;
        sa.childless = childless;
        sas_.put(std::move(sa));
        changes.ikes.insert(key);
    }
}

void SaStore::end_child(std::uint32_t spi, SaChanges& changes) {
    const ChildSa* const child = sas_.find_child(spi);
    if (child == nullptr) {
        ++counters_.unknown;
        return;
    }
    const IkeKey made = child->made;
    sas_.erase_child(spi);
    changes.children.insert(spi);
    collect(made, changes);
}

}  // namespace vpnha::ipsec
