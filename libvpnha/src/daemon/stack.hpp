// SPDX-License-Identifier: GPL-2.0-or-later
// This node's objects in one network namespace: the gate, addresses, devices, sessions and flows of
// the gateways in it. The host's namespace has one of these, and so has each 'netns' of the
// configuration (docs/adr/0012). It uses no other namespace. Callers from outside enter network()
// first; callbacks of loop() run within it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/node/node.hpp"
#include "config/config.hpp"
#include "daemon/admission_watch.hpp"
#include "daemon/authorization.hpp"
#include "daemon/backends.hpp"
#include "daemon/devices.hpp"
#include "daemon/routing_watch.hpp"
#include "host/addresses/neighbour_watch.hpp"
#include "host/addresses/network.hpp"
#include "host/gate/gate.hpp"
#include "host/os/network_descriptor.hpp"
#include "host/os/qb_loop.hpp"

namespace vpnha::runtime {

class Stack {
  public:
    struct Place {
        std::string netns;  // Empty: the host's.
        int number = 0;     // Of its share of the loop; 0: it has the whole loop.
    };
    using OnNeighbour = std::function<void(GatewayId, LinkSide, const IpAddress&)>;

    // Every gate of an earlier vpnhad there is silent when this returns. `config` is of all
    // gateways. Both must outlive it.
    [[nodiscard]] static Result<std::unique_ptr<Stack>> open(const config::Config& config,
                                                             adapters::QbLoop& loop, Place place,
                                                             OnNeighbour on_neighbour);
    ~Stack();
    Stack(const Stack&) = delete;
    Stack& operator=(const Stack&) = delete;

    // Set once the node exists, which must outlive it. `run`: the node's effects.
    struct Node {
        node::Node& node;
        std::string key_file;  // The cluster's key.
        ports::Backend::Notify notify;
        std::function<void(effects::Effects)> run;
        std::function<void(const Error&)> failed;
    };
    [[nodiscard]] Result<void> open_backends(const Node& node);
    // Watches devices from now on; `serves` as in Devices::Daemon.
    [[nodiscard]] Result<void> watch(node::Node& node,
                                     const std::function<void(effects::Effects)>& run,
                                     std::function<bool(GatewayId)> serves,
                                     std::function<void(const Error&)> broken);

    [[nodiscard]] const adapters::NetworkNamespace& network() const { return network_; }
    // A device of it, for callers that know devices of other namespaces: "eth1", "b/eth1".
    [[nodiscard]] std::string name_of(const std::string& interface) const {
        return netns_.empty() ? interface : netns_ + "/" + interface;
    }
    // With the gateways of this namespace alone.
    [[nodiscard]] const config::Config& config() const { return config_; }
    [[nodiscard]] bool has(GatewayId gateway) const { return config_.find(gateway) != nullptr; }
    // Before open_backends().
    [[nodiscard]] bool replicates_flows() const { return flow_table_ != nullptr; }

    [[nodiscard]] adapters::BpfGate& gate() const { return *gate_; }
    [[nodiscard]] adapters::LinuxNetwork& addresses() const { return *addresses_; }
    [[nodiscard]] adapters::NeighbourWatch& neighbours() const { return *neighbours_; }
    [[nodiscard]] Backends& backends() const { return *backends_; }
    [[nodiscard]] const Admission& admission() const { return admission_->admission(); }
    [[nodiscard]] const RoutingWatch& routing() const { return *routing_; }
    // nullptr: requests of RADIUS servers are not received.
    [[nodiscard]] const adapters::AuthorizationServer* authorization() const {
        return authorization_.get();
    }
    [[nodiscard]] std::vector<DeviceWarning> device_warnings() const {
        return devices_ ? devices_->warnings() : std::vector<DeviceWarning>{};
    }

  private:
    Stack(const config::Config& config, adapters::QbLoop& loop, const Place& place,
          adapters::NetworkNamespace network);
    [[nodiscard]] adapters::QbLoop& loop() { return share_ ? *share_ : whole_loop_; }
    [[nodiscard]] Result<void> silence_earlier();

    std::string netns_;
    config::Config config_;
    adapters::NetworkNamespace network_;
    adapters::QbLoop& whole_loop_;
    std::optional<adapters::QbLoop> share_;
    std::unique_ptr<adapters::BpfGate> gate_;
    std::unique_ptr<adapters::LinuxNetwork> addresses_;
    std::unique_ptr<ports::FlowTable> flow_table_;  // Until backends_ has it.
    std::unique_ptr<adapters::NeighbourWatch> neighbours_;
    std::unique_ptr<Devices> devices_;
    std::unique_ptr<Backends> backends_;
    std::unique_ptr<AdmissionWatch> admission_;
    std::unique_ptr<RoutingWatch> routing_;
    std::unique_ptr<adapters::AuthorizationServer> authorization_;
};

}  // namespace vpnha::runtime
