// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions of this node's pppds that no gateway keeps: their plugin has reported them, but no node
// could resume them or notify their clients of a takeover. They are shown, with the reason.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "protocols/ppp/backend/plugin_server.hpp"

namespace vpnha::runtime {

struct StraySession {
    std::string gateway;  // As pppd has it; empty: none, or one that is not in vpnha.toml.
    std::string user;     // As authenticated; may be empty.
    std::string address;  // The client's in the tunnel.
    std::string interface;
    TimePoint established{};  // On CLOCK_BOOTTIME.
    std::string reason;
};

class StraySessions {
  public:
    // Replaces the client's last one. False: with the same reason as before.
    bool put(adapters::PluginClientId client, StraySession session) {
        StraySession& known = sessions_[client];
        const bool is_new = known.reason != session.reason;
        known = std::move(session);
        return is_new;
    }
    void remove(adapters::PluginClientId client) { sessions_.erase(client); }
    // In the order of their arrival.
    [[nodiscard]] std::vector<StraySession> list() const {
        std::vector<StraySession> all;
        for (const auto& [client, session] : sessions_) {
            all.push_back(session);
        }
        return all;
    }

  private:
    std::map<adapters::PluginClientId, StraySession> sessions_;
};

}  // namespace vpnha::runtime
