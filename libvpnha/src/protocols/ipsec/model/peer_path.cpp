// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/peer_path.hpp"

#include <algorithm>
#include <iterator>
#include <list>
#include <optional>
#include <utility>

namespace vpnha::ipsec {

namespace {

constexpr std::uint16_t kPlainPort = 500;
constexpr std::uint16_t kFloatedPort = 4500;
// charon's ike_condition_t and ike_extension_t.
constexpr std::uint32_t kNatAny = 1U << 0;
constexpr std::uint32_t kNatHere = 1U << 1;
constexpr std::uint32_t kNatThere = 1U << 2;
constexpr std::uint32_t kNatFake = 1U << 3;
constexpr std::uint32_t kNat = kNatAny | kNatHere | kNatThere | kNatFake;
// ike_extension_t.
constexpr std::uint32_t kMobike = 1U << 1;
constexpr std::uint32_t kWindows = 1U << 6;

bool has_bit(const IkeSa& sa, HaTag tag, std::uint32_t bit) {
    return std::ranges::any_of(sa.updates, [&](const Bytes& update) {
        const Result<HaMessage> message = parse_ha_message(update);
        return message && (message->u32(tag).value_or(0) & bit) != 0;
    });
}

std::uint32_t conditions_at(std::uint32_t before, const PeerPath& path) {
    if (path.nat_port == 0) {
        return (before & kNatAny) != 0 ? before & ~kNat : before;
    }
    const bool is_here_alone = (before & kNatAny) != 0 && path.nat_port == kFloatedPort;
    return is_here_alone ? before : before | kNatAny | kNatThere;
}

// The peer's port of IKE. The kernel does not know it for ESP without UDP: a peer that has moved,
// or is no longer behind a NAT, uses the port of RFC 4555.
std::uint16_t port_at(const HaHost& before, bool was_nat, const PeerPath& path) {
    if (path.nat_port != 0) {
        return path.nat_port;
    }
    const bool stays = before.address == path.inbound.source && !was_nat;
    return stays || before.port == kPlainPort ? before.port : kFloatedPort;
}

Bytes u32_value(std::uint32_t value) {
    ByteWriter out;
    out.u32(value);
    return std::move(out).take();
}

// The message with other values, in their order.
class Rewriting {
  public:
    explicit Rewriting(HaMessage message) : message_(std::move(message)) {}

    [[nodiscard]] std::vector<Attribute>& attributes() { return message_.attributes; }
    void set(Attribute& attribute, Bytes value) {
        attribute.value = values_.emplace_back(std::move(value));
    }
    [[nodiscard]] Bytes build() const {
        return build_ha_message(message_.type, message_.attributes);
    }

  private:
    HaMessage message_;
    std::list<Bytes> values_;  // The attributes refer to these.
};

std::optional<Bytes> redirected(const Bytes& update, const PeerPath& path) {
    const Result<HaMessage> message = parse_ha_message(update);
    const auto value_of = [&](HaTag tag) {
        return message ? message->find(tag) : std::optional<ByteView>();
    };
    const auto local = value_of(HaTag::local_address);
    const auto remote = value_of(HaTag::remote_address);
    const auto here = local ? parse_host(*local) : std::nullopt;
    const auto before = remote ? parse_host(*remote) : std::nullopt;
    if (!here || !before || here->address != path.inbound.destination) {
        return std::nullopt;
    }
    const std::uint32_t conditions = message->u32(HaTag::conditions).value_or(0);
    const HaHost after{path.inbound.source, port_at(*before, (conditions & kNatAny) != 0, path)};
    Rewriting rewriting(*message);
    for (Attribute& each : rewriting.attributes()) {
        const bool is_peer = each.tag == HaTag::peer_address && parse_host(each.value) == before;
        if (each.tag == HaTag::remote_address || is_peer) {
            rewriting.set(each, build_host(after));
        } else if (each.tag == HaTag::conditions) {
            rewriting.set(each, u32_value(conditions_at(conditions, path)));
        }
    }
    return rewriting.build();
}

}  // namespace

std::vector<PeerPath> PeerPaths::news(std::span<const SaCounters> listed, const SaSet& sas) {
    std::set<PeerPath> now;
    for (const SaCounters& each : listed) {
        if (sas.find_child(each.id.spi) != nullptr) {
            now.insert({each.id, each.udp_source});
        }
    }
    std::vector<PeerPath> fresh;
    std::ranges::set_difference(now, seen_, std::back_inserter(fresh));
    seen_ = std::move(now);
    return fresh;
}

bool redirect(IkeSa& sa, const PeerPath& path) {
    bool changed = false;
    for (Bytes& update : sa.updates) {
        if (auto now = redirected(update, path); now && *now != update) {
            update = std::move(*now);
            changed = true;
        }
    }
    return changed;
}

bool redirect(ChildSa& child, const IpAddress& from, const PeerPath& path) {
    const Result<HaMessage> message = parse_ha_message(child.add);
    const ByteView old = from.octets();
    const ByteView now = path.inbound.source.octets();
    if (!message || old.size() != now.size()) {
        return false;
    }
    Rewriting rewriting(*message);
    for (Attribute& each : rewriting.attributes()) {
        if (each.tag != HaTag::remote_ts || each.value.size() != kSelectorHead + 2 * old.size()) {
            continue;
        }
        const ByteView addresses = each.value.subspan(kSelectorHead);
        if (std::ranges::equal(addresses.first(old.size()), old) &&
            std::ranges::equal(addresses.last(old.size()), old)) {
            ByteWriter out;
            out.bytes(each.value.first(kSelectorHead)).bytes(now).bytes(now);
            rewriting.set(each, std::move(out).take());
        }
    }
    Bytes add = rewriting.build();
    return std::exchange(child.add, add) != add;
}

Bytes path_key(const std::vector<Bytes>& updates) {
    ByteWriter out;
    for (const Bytes& update : updates) {
        const Result<HaMessage> message = parse_ha_message(update);
        for (const HaTag tag : {HaTag::local_address, HaTag::remote_address}) {
            if (const auto host = message ? message->find(tag) : std::nullopt) {
                out.prefixed(*host);
            }
        }
        if (const auto conditions = message ? message->u32(HaTag::conditions) : std::nullopt) {
            out.u32(*conditions & kNat);
        }
    }
    return std::move(out).take();
}

bool may_move(const IkeSa& sa) {
    return has_bit(sa, HaTag::extensions, kMobike);
}

bool refuses_rekeys(const IkeSa& sa) {
    return sa.id.key.version == 2 && has_bit(sa, HaTag::extensions, kWindows) &&
           has_bit(sa, HaTag::conditions, kNatThere);
}

}  // namespace vpnha::ipsec
