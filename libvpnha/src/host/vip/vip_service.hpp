// SPDX-License-Identifier: GPL-2.0-or-later
// The addresses of one resource ocf:vpnha:vip on this node, with what belongs to them: VLAN device,
// policy rules, routes, rp_filter, and the process that announces them again. The kernel's state
// is authoritative for the addresses; <run root>/<resource>/ has what is needed to undo the rest:
// `started` (the parameters, whether the VLAN device is ours, rp_filter as it was), `announcer`
// (its pid and start time) and `lock`, which every call holds.
//
// Nothing here knows whether another node has the addresses: that is Pacemaker's and the fencing's
// to decide. The question to the neighbours finds strangers, not split brains.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/netlink/netlink_route.hpp"
#include "host/os/unique_fd.hpp"
#include "host/vip/vip_settings.hpp"

namespace vpnha::adapters {

class VipService {
  public:
    enum class State { stopped, running };
    enum class Depth {
        kernel,      // Addresses, rules and routes are there, and the link is up.
        neighbours,  // And no neighbour says that an address is his.
    };

    static constexpr const char* kRunRoot = "/run/vpnha/vip";

    // `announcer` is the program that is started as "announcer DIRECTORY".
    VipService(std::string resource, std::string announcer, const std::string& run_root = kRunRoot);

    // Could this node start it? Error invalid_argument: the interface is missing here.
    [[nodiscard]] static Result<void> check(const VipSettings& settings);
    // Returns when the addresses are here and the neighbours were told once. Running already with
    // the same parameters is a success; with others, it is started anew. A start that fails leaves
    // nothing behind. Error already_exists: a neighbour has an address.
    Result<void> start(const VipParameters& parameters);
    // Takes away what was started, and with other or no state what the parameters name.
    Result<void> stop(const VipParameters& parameters);
    // An error says what is wrong with addresses that should be here. Starts an announcer that has
    // died again: the addresses serve without it, and moving them would disturb more.
    [[nodiscard]] Result<State> status(const VipParameters& parameters, Depth depth) const;

  private:
    // The file `started`.
    struct Started {
        VipParameters parameters;
        bool made_vlan = false;
        std::optional<char> rp_filter_was;
    };

    [[nodiscard]] std::string path(const char* name) const;
    [[nodiscard]] std::optional<Started> read_started() const;
    [[nodiscard]] Result<void> write_started(const Started& started) const;
    [[nodiscard]] Result<void> bring(RouteNetlink& route, const VipSettings& settings,
                                     const Started& started) const;
    [[nodiscard]] Result<void> undo(RouteNetlink& route, const Started& started) const;
    [[nodiscard]] Result<void> ensure_announcer() const;

    std::string directory_;
    std::string announcer_;
};

// The addresses and the interface of a resource that was started: for the announcer.
[[nodiscard]] Result<VipSettings> read_started_vip(const std::string& directory);

}  // namespace vpnha::adapters
