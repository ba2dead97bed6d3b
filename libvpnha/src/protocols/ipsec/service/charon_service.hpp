// SPDX-License-Identifier: GPL-2.0-or-later
// strongSwan's charon-systemd as a stock service of a gateway. A network namespace has one charon:
// it binds UDP 500 and 4500, and the paths of its sockets are compiled in.
//
// It is started with a strongswan.conf of the package, which includes the node's and sets the HA
// plugin behind it, so that no file of the node can bring that out of order: it is passive until
// vpnhad activates it, and ends without a word to its clients. Before it is started its port is
// guarded (charon_guard.hpp).
//
// What it had in the kernel's SA table when it was killed would break its successor: a replayed SA
// that is there already has its inbound half deleted. So the ESP SAs are flushed after its end. The
// policies stay: without them the clients' packets would leave in the clear.
#pragma once

#include <string>

#include "host/services/stock_service.hpp"
#include "protocols/ipsec/service/apparmor.hpp"

namespace vpnha::adapters {

// Of the charon in that network namespace: where it is asked, and where its plugin ha takes orders.
// The names are compiled into charon.
[[nodiscard]] std::string charon_vici(const std::string& netns);
[[nodiscard]] std::string charon_fifo(const std::string& netns);

struct CharonSettings {
    std::string binary;   // charon-systemd.
    std::string swanctl;  // The program that loads the connections.
    std::string strongswan_conf;
    std::string config;    // swanctl.conf.
    std::string resource;  // Its name in the cluster.
    ApparmorPlaces apparmor{};
};

// Of Debian 12's profile usr.sbin.swanctl: where it may read.
[[nodiscard]] ConfinedProgram confined_swanctl(const std::string& path);

[[nodiscard]] const StockKind& charon_kind();

// Could this node start it? The programs, the plugin, the configuration, and AppArmor.
[[nodiscard]] Result<void> check_charon(const CharonSettings& settings);
// What `service` is to be started with.
[[nodiscard]] Result<StockStarted> plan_charon(const StockService& service,
                                               const CharonSettings& settings);

}  // namespace vpnha::adapters
