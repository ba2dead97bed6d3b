// SPDX-License-Identifier: GPL-2.0-or-later
// The sessions of one family that stock daemons negotiated on this node, found by their plugin and
// by their record's key, and the list of a family's sessions in parts. Pure.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "effects/effects.hpp"
#include "keepers/keeper.hpp"

namespace vpnha::keepers {

template <class Record>
class StockSessions {
  public:
    struct Session {
        wire::RecordKey key;
        Record record;
        std::string not_resumable;  // Why; empty: another node can resume it.
    };
    using ByPlugin = std::map<node::PluginToken, Session>;
    // For a moment two plugins may have the same key: the stock daemon has negotiated it anew.
    using ByKey = std::set<std::pair<wire::RecordKey, node::PluginToken>>;

    // In place of what the plugin had.
    void put(node::PluginToken plugin, Session session) {
        erase(plugin);
        by_key_.emplace(session.key, plugin);
        if (!session.not_resumable.empty()) {
            unresumable_.emplace(session.key, plugin);
        }
        by_plugin_.emplace(plugin, std::move(session));
    }
    // What it was; none: the plugin has none.
    std::optional<Session> erase(node::PluginToken plugin) {
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
    [[nodiscard]] const Session& at(node::PluginToken plugin) const {
        return by_plugin_.at(plugin);
    }
    [[nodiscard]] std::optional<node::PluginToken> plugin_of(const wire::RecordKey& key) const {
        const auto found = by_key_.lower_bound({key, {}});
        return found == by_key_.end() || found->first != key ? std::nullopt
                                                             : std::optional(found->second);
    }
    // Not its key.
    [[nodiscard]] Record& record(node::PluginToken plugin) { return by_plugin_.at(plugin).record; }

  private:
    ByPlugin by_plugin_;
    ByKey by_key_;
    ByKey unresumable_;  // Of by_key_.
};

// At most `max` sessions of one record type, with keys after `after`, in their order: those that
// only this node has, as `of_record` (const Record&) → SessionView shows them, with the reason why
// they cannot be resumed, and all others of the store, as `of_store` (key, stored) →
// optional<SessionView> does.
template <class Record, class OfStore, class OfRecord>
[[nodiscard]] std::vector<SessionView> list_sessions(const replica::Store& store,
                                                     const StockSessions<Record>& stock,
                                                     const ListPart& part, wire::RecordType type,
                                                     OfStore of_store, OfRecord of_record) {
    std::vector<SessionView> views;
    const wire::RecordKey after = std::max(part.after, wire::RecordKey{type, {}});
    auto stored = store.records().upper_bound(after);
    auto own = stock.unresumable().lower_bound({after, {}});
    const auto pass = [&own, &stock](const wire::RecordKey& key) {
        while (own != stock.unresumable().end() && own->first == key) {
            ++own;
        }
    };
    pass(after);
    while (views.size() < part.max) {
        const bool is_stored = stored != store.records().end() && stored->first.type == type;
        if (own != stock.unresumable().end() && (!is_stored || own->first <= stored->first)) {
            const auto& [key, plugin] = *own;
            const auto& session = stock.at(plugin);
            SessionView& view = views.emplace_back(of_record(session.record));
            view.state = SessionState::unprotected;
            view.reason = session.not_resumable;
            stored = is_stored && stored->first == key ? std::next(stored) : stored;
            pass(wire::RecordKey(key));
        } else if (is_stored) {
            if (std::optional<SessionView> view = of_store(stored->first, stored->second)) {
                views.push_back(std::move(*view));
            }
            ++stored;
        } else {
            break;
        }
    }
    return views;
}

// How many there are, and how many this node cannot apply.
template <class Record>
[[nodiscard]] SessionTotals count_sessions(const replica::Store& store,
                                           const StockSessions<Record>& stock,
                                           wire::RecordType type, const Refusals& refusals) {
    std::size_t only_here = 0;
    std::optional<wire::RecordKey> last;
    for (const auto& [key, plugin] : stock.unresumable()) {
        only_here += last != key && store.find(key) == nullptr ? 1 : 0;
        last = key;
    }
    const auto refused = std::ranges::count_if(
        refusals, [type](const auto& each) { return each.first.type == type; });
    return {store.size_of(type) + only_here, static_cast<std::size_t>(refused)};
}

}  // namespace vpnha::keepers
