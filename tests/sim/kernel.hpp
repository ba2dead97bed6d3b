// SPDX-License-Identifier: GPL-2.0-or-later
// A node's kernel as its vpnhad sees it: hot and resumed sessions, installed one after the other.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "cluster/effects/effects.hpp"
#include "protocols/l2tp/keeper/sessions.hpp"
#include "protocols/l2tp/work.hpp"
#include "protocols/pptp/keeper/calls.hpp"
#include "protocols/pptp/work.hpp"
#include "sim/session_names.hpp"
#include "support/random.hpp"

namespace vpnha::sim {

// A user whose sessions no kernel takes.
inline constexpr const char* kRefusedUser = "refused";

class Kernel {
  public:
    using Key = std::pair<GatewayId, wire::RecordKey>;

    using Wanted = std::variant<node::InstallSession, node::PrepareCall>;

    // A later one for the same session takes its place.
    void queue(const Wanted& wanted) {
        const Key key = std::visit(
            [](const auto& each) {
                return Key{each.gateway, node::record_key_of(each.record.key)};
            },
            wanted);
        if (wanted_.insert_or_assign(key, wanted).second) {
            order_.push_back(key);
        }
    }
    [[nodiscard]] bool has_queued() const { return !wanted_.empty(); }
    // Does the next one; nothing when all was dropped.
    std::optional<std::pair<Wanted, Result<void>>> install_next(test::Random& random) {
        while (!order_.empty()) {
            const Key key = order_.front();
            order_.pop_front();
            auto wanted = wanted_.extract(key);
            if (wanted.empty()) {
                continue;
            }
            const Wanted& install = wanted.mapped();
            const auto [user, payload] = std::visit(
                [](const auto& each) {
                    return std::pair(each.record.facts.user, encode_record(each.record));
                },
                install);
            if (user == kRefusedUser || random.chance(refused_percent)) {
                sessions_.erase(key);
                refused_.insert(key);
                return std::pair(install, Result<void>(fail(Errc::system, "no such device")));
            }
            sessions_[key] = payload;
            had_.emplace(key, payload);
            unreceived_.erase(key);
            refused_.erase(key);
            return std::pair(install, Result<void>());
        }
        return std::nullopt;
    }
    // Of a call that waits to be prepared.
    void renumber(const Key& key, const pptp::CallNumbers& numbers) {
        if (const auto found = wanted_.find(key); found != wanted_.end()) {
            std::get<node::PrepareCall>(found->second).numbers = numbers;
        }
    }
    void remove(const Key& key) {
        wanted_.erase(key);
        std::erase(order_, key);
        sessions_.erase(key);
        unreceived_.erase(key);
        refused_.erase(key);
    }
    // Its daemon is dead, and with it all that it had installed.
    void clear() {
        sessions_.clear();
        wanted_.clear();
        order_.clear();
        unreceived_.clear();
        refused_.clear();
    }
    void forget(GatewayId gateway) {
        std::erase_if(wanted_, [&](const auto& wanted) { return wanted.first.first == gateway; });
        std::erase_if(order_, [&](const Key& key) { return key.first == gateway; });
    }

    // It loses a session; nobody has heard of it yet.
    void lose(const Key& key) {
        sessions_.erase(key);
        unreceived_.insert(key);
    }
    void received(const Key& key) { unreceived_.erase(key); }
    [[nodiscard]] std::set<l2tp::SessionKey> audit(GatewayId gateway) {
        std::set<l2tp::SessionKey> present;
        for (const auto& [key, payload] : sessions_) {
            if (key.first == gateway && key.second.type == wire::RecordType::l2tp_session) {
                present.insert(l2tp_key(key.second));
            }
        }
        std::erase_if(unreceived_, [&](const Key& key) { return key.first == gateway; });
        return present;
    }

    [[nodiscard]] bool has(const Key& key) const { return sessions_.contains(key); }
    [[nodiscard]] bool has(const Key& key, const Bytes& payload) const {
        const auto found = sessions_.find(key);
        return found != sessions_.end() && found->second == payload;
    }
    // It took this once, whatever became of it since.
    [[nodiscard]] bool had(const Key& key, const Bytes& payload) const {
        return had_.contains({key, payload});
    }
    // Its last answer for this session was no: the older state that it had of it is gone.
    [[nodiscard]] bool is_refused(const Key& key) const { return refused_.contains(key); }
    // Lost, and the node cannot know it yet.
    [[nodiscard]] bool is_unreceived(const Key& key) const { return unreceived_.contains(key); }
    [[nodiscard]] const std::map<Key, Bytes>& sessions() const { return sessions_; }

    unsigned refused_percent = 0;

  private:
    std::map<Key, Bytes> sessions_;
    std::set<std::pair<Key, Bytes>> had_;
    std::map<Key, Wanted> wanted_;
    std::deque<Key> order_;
    std::set<Key> unreceived_;
    std::set<Key> refused_;
};

}  // namespace vpnha::sim
