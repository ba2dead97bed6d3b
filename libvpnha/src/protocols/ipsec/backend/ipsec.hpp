// SPDX-License-Identifier: GPL-2.0-or-later
// The backend of IPsec: this node's charon and the kernel's ESP SAs, for the gateway with IPsec.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "config/config.hpp"
#include "host/os/qb_loop.hpp"
#include "ports/gate.hpp"
#include "protocols/backend.hpp"
#include "protocols/ipsec/backend/charon_relay.hpp"
#include "protocols/ipsec/backend/ike_watch.hpp"
#include "protocols/ipsec/backend/port_map.hpp"
#include "protocols/ipsec/backend/sa_table.hpp"
#include "protocols/ipsec/work.hpp"

namespace vpnha::runtime {

// For the gateway with IPsec. `warning`: charon's, if it has one.
[[nodiscard]] Status relay_status(const adapters::RelayDrops& drops, const std::string& warning);

class Ipsec final : public ports::Backend {
  public:
    // nullptr when no gateway has IPsec. `loop` and `gate` must outlive it. Errors are those of
    // netlink and of the cluster's key in `key_file`.
    [[nodiscard]] static Result<std::unique_ptr<Ipsec>> open(const config::Config& config,
                                                             adapters::QbLoop& loop,
                                                             const std::string& key_file,
                                                             ports::Gate& gate, Notify notify);

    [[nodiscard]] bool execute(effects::ProtocolWork& work) override;
    // In addition to what the gateway's keeper shows.
    [[nodiscard]] Status status_of(GatewayId gateway) const override;

  private:
    Ipsec(GatewayId gateway, ports::Gate& gate, Notify notify)
        : gateway_(gateway), gate_(gate), notify_(std::move(notify)) {}
    void carry_out(node::FeedCharon& work);
    void carry_out(const node::TurnCharon& work);
    void carry_out(const node::ListSas& work);
    void carry_out(node::SetCounters& work);
    void carry_out(const node::FlushSas& work);
    void carry_out(const node::HoldEsp& work);
    void carry_out(node::MapPorts& work);
    void carry_out(node::RekeyChildren& work);
    void carry_out(node::EndIkeSas& work);
    void carry_out(const node::WatchIke& work);
    void carry_out(const node::SendIke& work);

    GatewayId gateway_;
    ports::Gate& gate_;
    Notify notify_;
    std::unique_ptr<ports::SaTable> sas_;
    std::unique_ptr<ports::PortMap> port_map_;
    std::unique_ptr<ports::IkeWatch> ike_watch_;
    std::unique_ptr<adapters::CharonRelay> charon_;
};

}  // namespace vpnha::runtime
