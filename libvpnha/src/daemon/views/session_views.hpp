// SPDX-License-Identifier: GPL-2.0-or-later
// The sessions of a node as the control socket shows them, collected from one session at a time.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cluster/node/node.hpp"
#include "protocols/ppp/backend/stray_sessions.hpp"

namespace vpnha::runtime {

// Those of one gateway, by their states.
class SessionCounts {
  public:
    void add(const keepers::SessionView& session);
    [[nodiscard]] nlohmann::json view() const;

  private:
    std::uint64_t total_ = 0;
    std::uint64_t protected_ = 0;  // Resumed ones among them.
    std::uint64_t resumed_ = 0;
    std::uint64_t unprotected_ = 0;
    std::uint64_t hot_ = 0;
    std::uint64_t quarantined_ = 0;
    std::string reason_;  // Of the first unprotected one.
};

[[nodiscard]] nlohmann::json session_row(const node::Node& node, const node::GatewayNode& gateway,
                                         const keepers::SessionView& session);
[[nodiscard]] nlohmann::json stray_row(const node::Node& node, const StraySession& stray);

// The answer to `sessions`, as JSON text: 100 000 sessions as one value would take a second to
// write.
class SessionList {
  public:
    // False: it is larger than an answer may be, and accepts no more.
    bool add(const nlohmann::json& row);
    [[nodiscard]] bool is_too_large() const;
    // In pieces of some 64 KiB.
    [[nodiscard]] std::vector<std::string> take() &&;

  private:
    std::vector<std::string> pieces_;
    std::size_t bytes_ = 0;
};

}  // namespace vpnha::runtime
