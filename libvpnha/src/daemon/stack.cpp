// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/stack.hpp"

#include <fmt/format.h>

#include <utility>

#include "host/os/log.hpp"
#include "services/proxies/backend/proxy_table.hpp"

namespace vpnha::runtime {

using adapters::InNetwork;
using adapters::NetworkNamespace;
using adapters::write_log;

Stack::Stack(const config::Config& config, adapters::QbLoop& loop, const Place& place,
             NetworkNamespace network)
    : netns_(place.netns),
      config_(config.part(place.netns)),
      network_(std::move(network)),
      whole_loop_(loop) {
    if (place.number != 0) {
        share_.emplace(loop, network_, place.number);
    }
}

Stack::~Stack() {
    const InNetwork within(network_);
    authorization_.reset();
    routing_.reset();
    admission_.reset();
    backends_.reset();
    devices_.reset();
    neighbours_.reset();
    flow_table_.reset();
    addresses_.reset();
    gate_.reset();
}

Result<std::unique_ptr<Stack>> Stack::open(const config::Config& config, adapters::QbLoop& loop,
                                           Place place, OnNeighbour on_neighbour) {
    // If the host's is the only one, no thread ever leaves it.
    NetworkNamespace network;
    if (config.has_namespaces()) {
        VPNHA_TRY(network, place.netns.empty() ? NetworkNamespace::current()
                                               : NetworkNamespace::open(place.netns));
    }
    std::unique_ptr<Stack> stack(new Stack(config, loop, place, std::move(network)));
    const InNetwork within(stack->network_);
    VPNHA_TRY(auto gate, adapters::BpfGate::create(stack->config_));
    stack->gate_ = std::make_unique<adapters::BpfGate>(std::move(gate));
    VPNHA_TRY(auto addresses, adapters::LinuxNetwork::create(stack->config_));
    stack->addresses_ = std::make_unique<adapters::LinuxNetwork>(std::move(addresses));
    VPNHA_CHECK(stack->silence_earlier());
    stack->flow_table_ = open_flow_table(stack->config_);
    stack->neighbours_ = std::make_unique<adapters::NeighbourWatch>(stack->config_, stack->loop(),
                                                                    std::move(on_neighbour));
    return stack;
}

Result<void> Stack::silence_earlier() {
    for (const config::Gateway& gateway : config_.gateways) {
        VPNHA_CHECK(gate_->attach(gateway.id));
        VPNHA_CHECK(gate_->shut(gateway.id));
        VPNHA_CHECK(addresses_->flush(gateway.id));
        VPNHA_CHECK(adapters::flush_proxies(gateway));
        if (const Result<void> can = gate_->can_hold(gateway.id); !can) {
            write_log(LogLevel::warning,
                      fmt::format("planned moves to this node lose the packets of about 15 ms "
                                  "event=cannot-hold gateway={}: {}",
                                  gateway.name, can.error().detail));
        }
    }
    return {};
}

Result<void> Stack::open_backends(const Node& node) {
    const InNetwork within(network_);
    VPNHA_TRY(backends_,
              Backends::open(
                  {.of_all = {.config = config_,
                              .loop = loop(),
                              .key_file = node.key_file,
                              .gate = *gate_,
                              .notify = node.notify,
                              .allow_end =
                                  [this](Ipv4Address vip, const Ipv4Endpoint& peer, bool meant) {
                                      return gate_->allow_end(vip, peer, meant);
                                  },
                              .set_networks =
                                  [this](GatewayId gateway, bool is_v6, bool are_there) {
                                      return addresses_->set_networks(gateway, is_v6, are_there);
                                  },
                              .failed = node.failed},
                   .node = node.node,
                   .run = node.run},
                  std::move(flow_table_)));
    admission_ = std::make_unique<AdmissionWatch>(loop(), *gate_, config_.admission);
    VPNHA_TRY(authorization_, open_authorization(config_, loop(), node.node, node.run));
    routing_ = std::make_unique<RoutingWatch>(
        loop(), config_,
        [&core = node.node, run = node.run](GatewayId id,
                                            const std::vector<std::string>& conflicts) {
            run(core.set_routing(id, conflicts, adapters::QbLoop::now()));
        });
    return {};
}

Result<void> Stack::watch(node::Node& node, const std::function<void(effects::Effects)>& run,
                          std::function<bool(GatewayId)> serves,
                          std::function<void(const Error&)> broken) {
    const InNetwork within(network_);
    VPNHA_TRY(
        devices_,
        Devices::watch(loop(), {.config = config_,
                                .gate = *gate_,
                                .network = *addresses_,
                                .neighbours = *neighbours_,
                                .serves = std::move(serves),
                                .announce =
                                    [&node, run](GatewayId id) {
                                        run(node.announce_again(id, adapters::QbLoop::now()));
                                    },
                                .on_carrier =
                                    [&node, run](GatewayId gateway, LinkSide side, bool carrier) {
                                        run(node.on_carrier(gateway, side, carrier,
                                                            adapters::QbLoop::now()));
                                    },
                                .broken = std::move(broken)}));
    return {};
}

}  // namespace vpnha::runtime
