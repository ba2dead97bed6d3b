// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/charon_image.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "protocols/ipsec/model/peer_path.hpp"

namespace vpnha::ipsec {

namespace {

IkeSa sa_of(const PassiveSas::Ike& ike) {
    IkeSa sa;
    sa.id = ike.id;
    sa.updates = ike.updates;
    return sa;
}

std::vector<Bytes> vips_of(const PassiveSas::Ike& ike) {
    return peer_of(sa_of(ike)).vips;
}

Bytes adoption_key_of(const PassiveSas::Ike& ike) {
    return adoption_key(sa_of(ike));
}

// SAs with a common key affect each other in charon: a new SA of IKEv1 takes over from others of
// its peer, and the end of an SA releases its addresses.
std::vector<Bytes> client_keys(const IkeSa& sa) {
    constexpr std::uint8_t kByPeer = 1;
    constexpr std::uint8_t kByAddress = 2;
    std::vector<Bytes> keys;
    const auto add = [&keys](std::uint8_t kind, const Bytes& value) {
        ByteWriter out;
        out.u8(kind).bytes(value);
        keys.push_back(std::move(out).take());
    };
    if (const Bytes peer = adoption_key(sa); !peer.empty()) {
        add(kByPeer, peer);
    }
    for (const Bytes& vip : peer_of(sa).vips) {
        add(kByAddress, vip);
    }
    return keys;
}

// Feeds SAs, and predicts the state of a passive charon after that.
class Feeder {
  public:
    Feeder(PassiveSas& sas, const SaSet& records, std::uint8_t version,
           std::vector<Bytes>& messages)
        : sas_(sas), records_(records), version_(version), messages_(messages) {}

    // Those of the family that charon can be fed.
    [[nodiscard]] std::vector<const IkeSa*> in_order(const Family& family) const {
        std::vector<const IkeSa*> all;
        for (const IkeKey& key : family.ikes) {
            const IkeSa* const sa = records_.find(key);
            if (sa != nullptr && is_established(*sa) && is_known_to(*sa, version_)) {
                all.push_back(sa);
            }
        }
        std::ranges::sort(all, {},
                          [](const IkeSa* sa) { return std::pair(sa->order, sa->id.key); });
        return all;
    }

    [[nodiscard]] std::vector<const ChildSa*> made_by(const IkeKey& maker) const {
        std::vector<const ChildSa*> all;
        for (const std::uint32_t spi : records_.children_of(maker)) {
            const ChildSa* const child = records_.find_child(spi);
            if (child->made == maker && is_known_to(*child, version_)) {
                all.push_back(child);
            }
        }
        std::ranges::sort(all, {},
                          [](const ChildSa* child) { return std::pair(child->order, child->spi); });
        return all;
    }

    void delete_ike(const IkeKey& key) {
        const std::vector<Bytes> released = vips_of(sas_.ikes.at(key));
        messages_.push_back(build_ike_delete(sas_.ikes.at(key).id));
        remove(key);
        for (const auto& [id, vips] : having(released)) {
            messages_.push_back(build_vips(id, vips));
            if (sas_.ikes.contains(id.key)) {
                adopt(id.key);
            }
        }
    }

    void delete_child(std::uint32_t spi) {
        const auto owner = sas_.ikes.find(sas_.children.at(spi).owner);
        if (owner != sas_.ikes.end()) {
            messages_.push_back(build_child_delete(owner->second.id, spi));
        }
        sas_.children.erase(spi);
    }

    void add_ike(const IkeSa& sa) {
        const IkeKey& key = sa.id.key;
        added_.push_back(sa.id);
        messages_.push_back(sa.add);
        messages_.insert(messages_.end(), sa.further.begin(), sa.further.end());
        sas_.ikes[key] = {sa.id, sa.add, sa.further, {}, 0, 0, {}};
        if (const auto old = predecessor_of(sa); old && sas_.ikes.contains(*old)) {
            inherit(*old, key);
        }
    }

    void update_ike(const IkeSa& sa) {
        PassiveSas::Ike& ike = sas_.ikes.at(sa.id.key);
        for (const Bytes& update : sa.updates) {
            if (std::ranges::find(ike.updates, update) == ike.updates.end()) {
                messages_.push_back(update);
                IkeSa changed;
                changed.updates = std::move(ike.updates);
                add_update(changed, update);
                ike.updates = std::move(changed.updates);
                adopt(sa.id.key);
            }
        }
        if (ike.mid_initiator != sa.mid_initiator) {
            ike.mid_initiator = sa.mid_initiator;
            messages_.push_back(build_mid(HaType::ike_mid_initiator, sa.id, sa.mid_initiator));
        }
        if (ike.mid_responder != sa.mid_responder) {
            ike.mid_responder = sa.mid_responder;
            messages_.push_back(build_mid(HaType::ike_mid_responder, sa.id, sa.mid_responder));
        }
        if (ike.iv != sa.iv) {
            ike.iv = sa.iv;
            messages_.push_back(build_iv(sa.id, sa.iv));
        }
    }

    void add_child(const ChildSa& child) {
        if (const auto maker = sas_.ikes.find(child.made); maker != sas_.ikes.end()) {
            messages_.push_back(child.add);
            sas_.children[child.spi] = {child.add, child.made, child.made,
                                        path_key(maker->second.updates)};
        }
    }

    [[nodiscard]] const std::vector<IkeId>& added() const { return added_; }

  private:
    void remove(const IkeKey& key) {
        sas_.ikes.erase(key);
        std::erase_if(sas_.children, [&key](const auto& each) { return each.second.owner == key; });
    }

    [[nodiscard]] std::vector<std::pair<IkeId, std::vector<Bytes>>> having(
        const std::vector<Bytes>& some_of) const {
        std::vector<std::pair<IkeId, std::vector<Bytes>>> all;
        for (const auto& [key, ike] : sas_.ikes) {
            std::vector<Bytes> vips = vips_of(ike);
            if (std::ranges::find_first_of(vips, some_of) != vips.end()) {
                all.emplace_back(ike.id, std::move(vips));
            }
        }
        return all;
    }

    // True when there was anything to inherit.
    bool inherit(const IkeKey& from, const IkeKey& to) {
        bool any = !vips_of(sas_.ikes.at(from)).empty();
        for (auto& [spi, child] : sas_.children) {
            if (child.owner == from) {
                child.owner = to;
                any = true;
            }
        }
        sas_.ikes.erase(from);
        return any;
    }

    // Adopts from the oldest one with the same peer that has children; older ones end, too.
    void adopt(const IkeKey& key) {
        const Bytes peer = adoption_key_of(sas_.ikes.at(key));
        if (peer.empty()) {
            return;
        }
        std::vector<std::pair<std::uint64_t, IkeKey>> others;
        for (const auto& [other, ike] : sas_.ikes) {
            if (other != key && adoption_key_of(ike) == peer) {
                const IkeSa* const sa = records_.find(other);
                others.emplace_back(sa == nullptr ? 0 : sa->order, other);
            }
        }
        std::ranges::sort(others);
        for (const auto& [order, other] : others) {
            if (inherit(other, key)) {
                return;
            }
        }
    }

    PassiveSas& sas_;
    const SaSet& records_;
    std::uint8_t version_;
    std::vector<Bytes>& messages_;
    std::vector<IkeId> added_;
};

// Feeds the whole family to an empty charon.
void replay(Feeder& feeder, const PassiveSas& sas, const Family& family) {
    const std::vector<const IkeSa*> ordered = feeder.in_order(family);
    for (const IkeSa* const sa : ordered) {
        feeder.add_ike(*sa);
        feeder.update_ike(*sa);
        for (const ChildSa* const child : feeder.made_by(sa->id.key)) {
            feeder.add_child(*child);
        }
    }
    for (const IkeSa* const sa : ordered) {
        if (sa->dead && sas.ikes.contains(sa->id.key)) {
            feeder.delete_ike(sa->id.key);
        }
    }
}

// Feeds what is missing: `sas` becomes `wanted`, if no SA has to be made anew.
void feed_missing(Feeder& feeder, const PassiveSas& sas, const PassiveSas& wanted,
                  const Family& family) {
    const std::map<std::uint32_t, PassiveSas::Child> before = sas.children;
    for (const auto& [spi, child] : before) {
        if (!wanted.children.contains(spi)) {
            feeder.delete_child(spi);
        }
    }
    const std::vector<const IkeSa*> ordered = feeder.in_order(family);
    // A child of an SA that is about to be replaced is fed before the replacement.
    for (const IkeSa* const sa : ordered) {
        const IkeKey& key = sa->id.key;
        if (!sas.ikes.contains(key) && wanted.ikes.contains(key)) {
            feeder.add_ike(*sa);
        }
        if (sas.ikes.contains(key) && !sa->dead) {
            feeder.update_ike(*sa);
        }
        for (const ChildSa* const child : feeder.made_by(key)) {
            if (!sas.children.contains(child->spi) && wanted.children.contains(child->spi)) {
                feeder.add_child(*child);
            }
        }
    }
    for (const IkeKey& key : family.ikes) {
        if (sas.ikes.contains(key) && !wanted.ikes.contains(key)) {
            feeder.delete_ike(key);
        }
    }
}

}  // namespace

Family CharonImage::family_of(const IkeKey& member, const SaSet& records) const {
    Family family{{member}, {}};
    std::size_t before = 0;
    while (before != family.ikes.size()) {
        before = family.ikes.size();
        records.complete(family);
        std::vector<IkeKey> more;
        for (const IkeKey& key : family.ikes) {
            for (auto at = offspring_.lower_bound({key, 0});
                 at != offspring_.end() && at->first == key; ++at) {
                const PassiveSas::Child& child = sas_.children.at(at->second);
                family.children.insert(at->second);
                more.push_back(child.made);
                more.push_back(child.owner);
            }
            // charon may have an SA whose record is gone.
            const auto had = sas_.ikes.find(key);
            const IkeSa* const sa = records.find(key);
            std::vector<Bytes> clients;
            if (had != sas_.ikes.end()) {
                clients = client_keys(sa_of(had->second));
            }
            if (sa != nullptr) {
                std::ranges::move(client_keys(*sa), std::back_inserter(clients));
            }
            for (const Bytes& client : clients) {
                for (auto at = clients_.lower_bound({client, {}});
                     at != clients_.end() && at->first == client; ++at) {
                    more.push_back(at->second);
                }
            }
        }
        family.ikes.insert(more.begin(), more.end());
    }
    return family;
}

PassiveSas CharonImage::take(const Family& family) {
    PassiveSas taken;
    for (const IkeKey& key : family.ikes) {
        if (auto ike = sas_.ikes.extract(key)) {
            for (Bytes& client : client_keys(sa_of(ike.mapped()))) {
                clients_.erase({std::move(client), key});
            }
            taken.ikes.insert(std::move(ike));
        }
    }
    for (const std::uint32_t spi : family.children) {
        if (auto child = sas_.children.extract(spi)) {
            offspring_.erase({child.mapped().made, spi});
            offspring_.erase({child.mapped().owner, spi});
            taken.children.insert(std::move(child));
        }
    }
    return taken;
}

void CharonImage::add(PassiveSas sas) {
    for (const auto& [key, ike] : sas.ikes) {
        for (Bytes& client : client_keys(sa_of(ike))) {
            clients_.emplace(std::move(client), key);
        }
    }
    for (const auto& [spi, child] : sas.children) {
        offspring_.emplace(child.made, spi);
        offspring_.emplace(child.owner, spi);
    }
    sas_.ikes.merge(sas.ikes);
    sas_.children.merge(sas.children);
}

Feed CharonImage::feed(const IkeKey& member, const SaSet& records) {
    Feed feed;
    feed.family = family_of(member, records);
    const PassiveSas before = take(feed.family);
    PassiveSas wanted;
    std::vector<Bytes> whole;
    Feeder anew(wanted, records, version_, whole);
    replay(anew, wanted, feed.family);

    PassiveSas now = before;
    Feeder missing(now, records, version_, feed.messages);
    feed_missing(missing, now, wanted, feed.family);
    const bool suspected = std::ranges::any_of(
        feed.family.ikes, [this](const IkeKey& key) { return suspected_.contains(key); });
    feed.rebuilt = suspected || now != wanted;
    // Any SA that charon may have, recorded or not, must not exist twice.
    std::vector<Bytes> cleared;
    if (feed.rebuilt) {
        for (const auto& [key, ike] : before.ikes) {
            cleared.push_back(build_ike_delete(ike.id));
        }
        feed.messages = std::move(whole);
    }
    for (const IkeId& id : (feed.rebuilt ? anew : missing).added()) {
        if ((populated_ || suspected_.contains(id.key)) && !before.ikes.contains(id.key)) {
            cleared.push_back(build_ike_delete(id));
        }
    }
    for (const IkeId& id : std::exchange(unreceived_, {})) {
        if (!before.ikes.contains(id.key) && !sas_.ikes.contains(id.key)) {
            cleared.push_back(build_ike_delete(id));
        }
    }
    feed.messages.insert(feed.messages.begin(), cleared.begin(), cleared.end());
    for (const IkeKey& key : feed.family.ikes) {
        suspected_.erase(key);
    }
    add(std::move(wanted));
    return feed;
}

bool CharonImage::takes(const ChildSa& child, const SaSet& records) const {
    const IkeSa* const maker = records.find(child.made);
    return is_known_to(child, version_) && (maker == nullptr || takes(*maker));
}

void CharonImage::suspect(const IkeKey& member) {
    const Family family = family_of(member, SaSet());
    suspected_.insert(family.ikes.begin(), family.ikes.end());
}

void CharonImage::suspect_unrecorded(const IkeId& emitted) {
    suspect(emitted.key);
    if (std::ranges::find(unreceived_, emitted) == unreceived_.end()) {
        unreceived_.push_back(emitted);
    }
}

void CharonImage::clear() {
    sas_ = {};
    offspring_.clear();
    clients_.clear();
    suspected_.clear();
    unreceived_.clear();
    populated_ = false;
}

void CharonImage::forget() {
    clear();
    populated_ = true;
}

void CharonImage::assume(const SaSet& records) {
    clear();
    for (const auto& [key, sa] : records.ikes()) {
        if (!sa.dead && !has(key)) {
            std::vector<Bytes> unsent;
            PassiveSas sas;
            Feeder feeder(sas, records, version_, unsent);
            replay(feeder, sas, family_of(key, records));
            add(std::move(sas));
        }
    }
}

}  // namespace vpnha::ipsec
