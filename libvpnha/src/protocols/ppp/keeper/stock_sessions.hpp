// SPDX-License-Identifier: GPL-2.0-or-later
// The sessions of one protocol that stock daemons negotiated on this node, found by their plugin
// and by their record's key. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/tokens.hpp"
#include "cluster/wire/record_key.hpp"
#include "protocols/ppp/model/session_facts.hpp"

namespace vpnha::keepers {

class StockSessions {
  public:
    struct Session {
        wire::RecordKey key;
        ppp::SessionFacts facts;
        std::string not_resumable;  // Why; empty: another node can resume it.
    };
    using ByPlugin = std::map<PluginToken, Session>;
    // For a moment two plugins may have the same key: the stock daemon has negotiated it anew.
    using ByKey = std::set<std::pair<wire::RecordKey, PluginToken>>;

    // Replaces the plugin's last session.
    void put(PluginToken plugin, Session session) {
        erase(plugin);
        by_key_.emplace(session.key, plugin);
        if (!session.not_resumable.empty()) {
            unresumable_.emplace(session.key, plugin);
        }
        by_plugin_.emplace(plugin, std::move(session));
    }
    // Removes and returns it; none: the plugin has none.
    std::optional<Session> erase(PluginToken plugin) {
        const auto found = by_plugin_.find(plugin);
        if (found == by_plugin_.end()) {
            return std::nullopt;
        }
        Session session = std::move(found->second);
        by_plugin_.erase(found);
        by_key_.erase({session.key, plugin});
        unresumable_.erase({session.key, plugin});
        return session;
    }
    void clear() {
        by_plugin_.clear();
        by_key_.clear();
        unresumable_.clear();
    }

    [[nodiscard]] const ByPlugin& by_plugin() const { return by_plugin_; }
    [[nodiscard]] const ByKey& unresumable() const { return unresumable_; }
    [[nodiscard]] const Session& at(PluginToken plugin) const { return by_plugin_.at(plugin); }
    [[nodiscard]] std::optional<PluginToken> plugin_of(const wire::RecordKey& key) const {
        const auto found = by_key_.lower_bound({key, {}});
        return found == by_key_.end() || found->first != key ? std::nullopt
                                                             : std::optional(found->second);
    }
    [[nodiscard]] ppp::SessionFacts& facts(PluginToken plugin) {
        return by_plugin_.at(plugin).facts;
    }

  private:
    ByPlugin by_plugin_;
    ByKey by_key_;
    ByKey unresumable_;  // Of by_key_.
};

}  // namespace vpnha::keepers
