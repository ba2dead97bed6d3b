// SPDX-License-Identifier: GPL-2.0-or-later
// What a passive charon makes of the messages that it is fed, as far as facts about its ha plugin
// go: who owns which child, by whose keys, which addresses of its pool are reserved for whom, and
// what it must never be sent.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "protocols/ipsec/model/ha_message.hpp"
#include "protocols/ipsec/model/sa_record.hpp"

namespace vpnha::test {

struct PassiveCharon {
    struct Ike {
        Bytes add;
        std::uint64_t born = 0;
        bool passive = false;
        ipsec::IkeSa emitted;  // Its IKE_UPDATEs.
        std::uint32_t mid_responder = 0;
        std::vector<Bytes> vips = {};
    };
    struct Child {
        Bytes keys;  // The IKE_ADD of its maker.
        ipsec::IkeKey owner;
        std::uint32_t spi_out = 0;
    };
    std::map<ipsec::IkeKey, Ike> ikes;
    std::map<std::uint32_t, Child> children;
    std::set<Bytes> reserved;
    std::vector<std::string> complaints;
    std::uint64_t clock = 0;
    bool strict = true;  // What a replayed log does in vain is no error.

    void complain(const std::string& what) {
        if (strict) {
            complaints.push_back(what);
        }
    }

    void destroy(const ipsec::IkeKey& key) {
        if (const auto found = ikes.find(key); found != ikes.end()) {
            for (const Bytes& vip : found->second.vips) {
                reserved.erase(vip);
            }
            ikes.erase(found);
        }
        std::erase_if(children, [&key](const auto& each) { return each.second.owner == key; });
    }

    bool inherit(const ipsec::IkeKey& from, const ipsec::IkeKey& to) {
        const std::vector<Bytes> vips = std::exchange(ikes.at(from).vips, {});
        bool any = !vips.empty();
        ikes.at(to).vips.insert(ikes.at(to).vips.end(), vips.begin(), vips.end());
        for (auto& [spi, child] : children) {
            if (child.owner == from) {
                child.owner = to;
                any = true;
            }
        }
        ikes.erase(from);
        return any;
    }

    void on_update(const ipsec::IkeKey& key, const ipsec::HaMessage& message, ByteView octets) {
        Ike& ike = ikes.at(key);
        ike.emitted.id.key = key;
        ipsec::add_update(ike.emitted, octets);
        if (message.find(ipsec::HaTag::remote_vip)) {
            ipsec::IkeSa emitted;
            emitted.updates.emplace_back(octets.begin(), octets.end());
            ike.vips = ipsec::peer_of(emitted).vips;
            reserved.insert(ike.vips.begin(), ike.vips.end());
        }
        ike.passive = ike.passive || message.find(ipsec::HaTag::config_name).has_value();
        if (key.version != 1 || !ike.passive) {
            return;
        }
        std::vector<std::pair<std::uint64_t, ipsec::IkeKey>> others;
        for (const auto& [other, each] : ikes) {
            if (other != key && each.passive &&
                ipsec::adoption_key(each.emitted) == ipsec::adoption_key(ike.emitted)) {
                others.emplace_back(each.born, other);
            }
        }
        std::ranges::sort(others);
        for (const auto& [born, other] : others) {
            if (inherit(other, key)) {
                return;
            }
        }
    }

    void on(ByteView octets) {
        const auto message = ipsec::parse_ha_message(octets);
        if (!message) {
            complaints.push_back("no message: " + message.error().detail);
            return;
        }
        const ipsec::IkeKey key = message->ike_id()->key;
        switch (message->type) {
            case ipsec::HaType::ike_add: {
                if (ikes.contains(key)) {
                    complaints.emplace_back("an IKE SA twice");
                }
                ikes[key] = {Bytes(octets.begin(), octets.end()), ++clock, false, {}, 0};
                const auto old = message->ike_id(ipsec::HaTag::ike_rekey_id);
                if (old && ikes.contains(old->key)) {
                    inherit(old->key, key);
                }
                break;
            }
            case ipsec::HaType::ike_update:
                if (ikes.contains(key)) {
                    on_update(key, *message, octets);
                } else {
                    complain("an update of no IKE SA");
                }
                break;
            case ipsec::HaType::ike_mid_responder:
                if (ikes.contains(key)) {
                    ikes.at(key).mid_responder = *message->u32(ipsec::HaTag::mid);
                }
                break;
            case ipsec::HaType::ike_delete:
                destroy(key);
                break;
            case ipsec::HaType::child_add: {
                const std::uint32_t spi = *message->spi(ipsec::HaTag::inbound_spi);
                if (!ikes.contains(key) || !ikes.at(key).passive) {
                    complain("a child of no IKE SA");
                } else if (children.contains(spi)) {
                    complaints.emplace_back("a child twice");
                } else {
                    children[spi] = {ikes.at(key).add, key,
                                     *message->spi(ipsec::HaTag::outbound_spi)};
                }
                break;
            }
            case ipsec::HaType::child_delete: {
                const auto child = children.find(*message->spi(ipsec::HaTag::inbound_spi));
                if (child != children.end() && child->second.owner == key) {
                    children.erase(child);
                }
                break;
            }
            default:
                break;
        }
    }
};

}  // namespace vpnha::test
