// SPDX-License-Identifier: GPL-2.0-or-later
// One outgoing link of PPP on this node: pppd with pptp below it, or xl2tpd with a pppd for each
// dial. They redial by themselves; this class starts and ends them, and reports the link's state.
//
// A StockService of kind "link", so its files are in <run root>/link/<resource>/. Further files
// there are pppd's options, xl2tpd.conf, `routes`, `state` and `log`, with the last messages of
// pppd and pptp. A mark in the environment distinguishes its processes from all others.
#pragma once

#include <chrono>
#include <string>

#include "host/services/stock_service.hpp"
#include "protocols/ppp/service/ppp_link_settings.hpp"

namespace vpnha::adapters {

struct PppLinkStatus {
    enum class State {
        stopped,
        dead,        // It was started, and nothing dials any more.
        redialling,  // It is being dialled.
        up,
    };
    State state = State::stopped;
    std::chrono::milliseconds lasts{};  // How long it has been redialling, or up.
    std::uint32_t times_up = 0;         // Since its start.
    PppLinkTrouble trouble{};           // Of one that is redialling.
};

class PppLinkService {
  public:
    // pppd calls `up_program` and `down_program`: both call notify_ppp_link().
    PppLinkService(const std::string& resource, std::string up_program, std::string down_program,
                   const std::string& run_root = StockService::kRunRoot);

    // Whether this node could dial it. Checks programs (error unsupported) and files
    // (invalid_argument; permission: others can read the password).
    [[nodiscard]] static Result<void> check(const PppLinkSettings& settings);
    // Begins to dial. Running already with the same settings is a success; with others, it is ended
    // and started anew.
    Result<void> start(const PppLinkSettings& settings);
    // Returns when the link is up. Errors: unreachable, with the reason, as soon as the peer has
    // refused the user; timeout.
    [[nodiscard]] Result<void> wait_up(const PppLinkSettings& settings,
                                       std::chrono::milliseconds patience) const;
    // The peer is notified, as far as it answers; then remaining processes are killed.
    Result<void> stop();
    // An error has the fault of a link that is up: a route is missing.
    [[nodiscard]] Result<PppLinkStatus> status(const PppLinkSettings& settings) const;
    // Other routes from now on, also through the link that is up.
    Result<void> change_routes(const PppLinkSettings& settings);

  private:
    [[nodiscard]] StockStarted plan(const PppLinkSettings& settings) const;
    [[nodiscard]] Result<void> write_files(const PppLinkSettings& settings) const;
    [[nodiscard]] PppLinkTrouble trouble(const PppLinkSettings& settings) const;

    PppLinkPlaces places_;
    StockService service_;
};

// Called by pppd's programs: notes the change, adds the routes to a link that is up, and logs both.
// Has a lost link of L2TP dialled by a new xl2tpd. `directory` is the link's. Has no effect when
// the link is being stopped.
Result<void> notify_ppp_link(const std::string& directory, const std::string& interface,
                             bool is_up);

}  // namespace vpnha::adapters
