// SPDX-License-Identifier: GPL-2.0-or-later
// strongSwan's charon-systemd as a stock service of a gateway. A network namespace has one charon:
// it binds UDP 500 and 4500, and the paths of its sockets are compiled in.
//
// It is started with a strongswan.conf of the package, which includes the node's file and sets the
// HA plugin after it. So no file of the node can override that. charon is passive until vpnhad
// activates it, and ends without a message to its clients. Its port is guarded before it is started
// (charon_guard.hpp).
//
// SAs that a killed charon left in the kernel would break its successor: charon deletes the inbound
// half of a replayed SA that exists already. So the ESP SAs are flushed after its end. The policies
// stay: without them the clients' packets would leave in the clear.
#pragma once

#include <string>

#include "host/services/stock_service.hpp"
#include "protocols/ipsec/service/apparmor.hpp"

namespace vpnha::adapters {

// The sockets of the charon in that network namespace: for requests, and for the commands of its
// plugin ha. The names are compiled into charon.
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

// Debian 12's profile usr.sbin.swanctl: where it may read.
[[nodiscard]] ConfinedProgram confined_swanctl(const std::string& path);

[[nodiscard]] const StockKind& charon_kind();

// Whether this node could start it: programs, plugin, configuration, and AppArmor.
[[nodiscard]] Result<void> check_charon(const CharonSettings& settings);
// What `service` is to be started with.
[[nodiscard]] Result<StockStarted> plan_charon(const StockService& service,
                                               const CharonSettings& settings);

}  // namespace vpnha::adapters
