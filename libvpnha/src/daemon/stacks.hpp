// SPDX-License-Identifier: GPL-2.0-or-later
// The network namespaces of this node's gateways as one: each call goes to the one in which its
// gateway is, within that namespace (daemon/stack.hpp).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/stack.hpp"
#include "ports/gate.hpp"
#include "ports/neighbours.hpp"
#include "ports/network.hpp"
#include "protocols/backend.hpp"
#include "protocols/ppp/ppp_protocol.hpp"

namespace vpnha::runtime {

// A backend of one namespace: it knows nothing of other gateways, and works within the namespace.
// Both must outlive it.
class NamespacedBackend final : public ports::Backend, public ports::PppProtocol {
  public:
    using Has = std::function<bool(GatewayId)>;

    NamespacedBackend(ports::Backend& inner, const adapters::NetworkNamespace& network, Has has)
        : inner_(inner), network_(network), has_(std::move(has)) {}

    [[nodiscard]] bool execute(effects::ProtocolWork& work) override;
    [[nodiscard]] ports::PppProtocol* ppp() override { return inner_.ppp() ? this : nullptr; }
    void hold(GatewayId gateway) override;
    void let_go(GatewayId gateway) override;
    void announce(GatewayId gateway) override;
    void detach(GatewayId gateway) override;
    void finish() override;
    [[nodiscard]] std::string interface_of(const wire::RecordKey& session) const override;
    [[nodiscard]] Status status() const override;
    [[nodiscard]] Status status_of(GatewayId gateway) const override;

    [[nodiscard]] std::string_view name() const override;
    [[nodiscard]] bool serves(const config::Gateway& gateway) const override;
    [[nodiscard]] Result<Session> on_session_up(const Report& report) override;
    void on_pppd_gone(PluginToken plugin, bool announced) override;

  private:
    ports::Backend& inner_;
    const adapters::NetworkNamespace& network_;
    Has has_;
};

class Stacks final : public ports::Gate, public ports::Network, public ports::Neighbours {
  public:
    using OnNeighbour = Stack::OnNeighbour;

    // Every gate of an earlier vpnhad is silent when this returns. Both must outlive it.
    [[nodiscard]] static Result<std::unique_ptr<Stacks>> open(const config::Config& config,
                                                              adapters::QbLoop& loop,
                                                              const OnNeighbour& on_neighbour);

    [[nodiscard]] Result<void> open_backends(const Stack::Node& node);
    [[nodiscard]] const std::vector<std::unique_ptr<Stack>>& all() const { return all_; }
    [[nodiscard]] Stack& of(GatewayId gateway) const;
    // Of all namespaces.
    [[nodiscard]] const std::vector<ports::Backend*>& backends() const { return backends_; }
    // For pppd's plugin.
    [[nodiscard]] std::vector<ports::PppProtocol*> ppp_protocols() const;
    // As in Backends.
    void complete_scripts(std::function<void()> done) const {
        complete_scripts(0, std::move(done));
    }
    [[nodiscard]] SideMacs macs(GatewayId gateway) const;
    [[nodiscard]] std::vector<const Admission*> admissions() const;
    // Of those that receive requests of RADIUS servers.
    [[nodiscard]] std::vector<const adapters::AuthorizationCounters*> authorizations() const;
    [[nodiscard]] std::vector<DeviceWarning> device_warnings() const;

    Result<void> attach(GatewayId gateway) override;
    Result<void> open_until(GatewayId gateway, TimePoint deadline) override;
    Result<void> shut(GatewayId gateway) override;
    Result<void> leave(GatewayId gateway, const ports::GateLeave& leave) override;
    Result<void> hold(GatewayId gateway, const ports::GateHold& hold) override;
    Result<void> release(GatewayId gateway, ports::HoldQueue queue) override;
    Result<void> hold_esp(GatewayId gateway, const std::vector<std::uint32_t>& spis,
                          bool held) override;
    Result<void> drain(GatewayId gateway, bool drained) override;
    [[nodiscard]] Result<std::optional<TimePoint>> deadline(GatewayId gateway) const override;
    [[nodiscard]] Result<ports::GateCounters> counters(GatewayId gateway) const override;

    Result<void> add_addresses(GatewayId gateway) override;
    Result<void> remove_addresses(GatewayId gateway) override;
    [[nodiscard]] Result<std::string> missing(GatewayId gateway) override;
    Result<void> forget_unresolved(GatewayId gateway) override;
    Result<void> announce(GatewayId gateway) override;

    void ask(GatewayId gateway, LinkSide side) override;

  private:
    Stacks() = default;
    template <class Work>
    auto within(GatewayId gateway, const Work& work) const;
    void complete_scripts(std::size_t first, std::function<void()> done) const;

    std::vector<std::unique_ptr<Stack>> all_;
    std::vector<std::unique_ptr<NamespacedBackend>> namespaced_;
    std::vector<ports::Backend*> backends_;
};

}  // namespace vpnha::runtime
