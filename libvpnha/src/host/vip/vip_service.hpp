// SPDX-License-Identifier: GPL-2.0-or-later
// The addresses of one resource ocf:vpnha:vip on this node, with all that belongs to them: VLAN
// device, policy rules, routes, rp_filter, and the process that announces them again. The kernel's
// state is authoritative for the addresses; <run root>/<resource>/ has what is needed to undo the
// rest: `started` (the parameters, whether the VLAN device is ours, rp_filter as it was),
// `announcer` (its pid and start time) and `lock`, which every call holds.
//
// Nothing here knows whether another node has the addresses: Pacemaker and the fencing decide that.
// The query to the neighbours finds strangers, not split brains.
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
        neighbours,  // And no neighbour claims an address.
    };

    static constexpr const char* kRunRoot = "/run/vpnha/vip";

    // `announcer` is the program that is started as "announcer DIRECTORY".
    VipService(std::string resource, std::string announcer, const std::string& run_root = kRunRoot);

    // Whether this node could start it. Error invalid_argument: the interface is missing here.
    [[nodiscard]] static Result<void> check(const VipSettings& settings);
    // Returns when the addresses are here and the neighbours were notified once. Running already
    // with the same parameters is a success; with others, it is started anew. A start that fails
    // leaves nothing behind. Error already_exists: a neighbour has an address.
    Result<void> start(const VipParameters& parameters);
    // Removes what was started; without a state, or with another one, what `parameters` name.
    Result<void> stop(const VipParameters& parameters);
    // An error has the fault of addresses that should be here. Restarts an announcer that has died:
    // the addresses serve without it, and moving them would disturb more.
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
