// SPDX-License-Identifier: GPL-2.0-or-later
// Port: carries out the commands of one protocol's keeper on this node: in its kernel, in a daemon
// or in a data path. One for each protocol, whatever the number of gateways. Called from the event
// loop only.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "base/ids.hpp"
#include "base/status.hpp"
#include "cluster/effects/protocol_work.hpp"
#include "cluster/wire/record_key.hpp"

namespace vpnha::ports {

class PppProtocol;

class Backend {
  public:
    // Hands an event to the keepers of a gateway: from the loop, or within execute(). The resulting
    // effects are carried out after those that are under way.
    using Notify = std::function<void(GatewayId, const effects::KeeperEvent&)>;

    virtual ~Backend() = default;

    // False: the work belongs to another protocol, and is untouched.
    [[nodiscard]] virtual bool execute(effects::ProtocolWork& work) = 0;

    // nullptr: its stock sessions have no pppd.
    [[nodiscard]] virtual PppProtocol* ppp() { return nullptr; }

    // The stock daemons of the gateway are being ended: their sessions may still be in the kernel.
    // Nothing of the gateway is installed until let_go().
    virtual void hold(GatewayId) {}
    virtual void let_go(GatewayId) {}
    // The gateway announces its addresses again: a device that was down has lost its entries.
    virtual void announce(GatewayId) {}
    // The gateway is no longer on this node. Its pending installations are dropped.
    virtual void detach(GatewayId) {}
    // The last gateway was detached: all orders have been carried out when this returns.
    virtual void finish() {}

    // The device of a resumed session, by its record's key; empty: it has none.
    [[nodiscard]] virtual std::string interface_of(const wire::RecordKey&) const { return {}; }

    // Items of this node's status ("counters/pptp_resets"), and of a gateway's
    // ("conntrack/waiting").
    [[nodiscard]] virtual Status status() const { return {}; }
    [[nodiscard]] virtual Status status_of(GatewayId) const { return {}; }

  protected:
    // For execute(): hands the command to `carry_out` if it is one of that family.
    template <class Family, class CarryOut>
    [[nodiscard]] static bool execute_own(effects::ProtocolWork& work, const CarryOut& carry_out) {
        auto* const own = work.get<Family>();
        if (own == nullptr) {
            return false;
        }
        std::visit(carry_out, *own);
        return true;
    }

    Backend() = default;
    Backend(const Backend&) = default;
    Backend& operator=(const Backend&) = default;
};

}  // namespace vpnha::ports
