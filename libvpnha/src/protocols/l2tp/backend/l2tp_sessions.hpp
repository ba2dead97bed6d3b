// SPDX-License-Identifier: GPL-2.0-or-later
// The backend of L2TP: sessions in this node's kernel. They are installed in slices, between which
// the loop handles everything else: a lease must be renewed while thousands of them are taken over.
// New calls in tunnels that were taken over have a pppd each.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "host/os/qb_loop.hpp"
#include "protocols/backend.hpp"
#include "protocols/l2tp/backend/call_pppds.hpp"
#include "protocols/l2tp/backend/install_queue.hpp"
#include "protocols/l2tp/backend/pppol2tp.hpp"
#include "protocols/l2tp/work.hpp"
#include "protocols/ppp/ppp_protocol.hpp"

namespace vpnha::runtime {

class L2tpSessions final : public ports::Backend, public ports::PppProtocol {
  public:
    // `config` and `loop` must outlive it. `on_networks`, errors: as in PppoL2tpKernel.
    [[nodiscard]] static Result<std::unique_ptr<L2tpSessions>> open(
        const config::Config& config, adapters::QbLoop& loop, ppp::ClientNetworks::Lead on_networks,
        Notify notify);
    ~L2tpSessions() override;
    L2tpSessions(const L2tpSessions&) = delete;
    L2tpSessions& operator=(const L2tpSessions&) = delete;

    [[nodiscard]] bool execute(effects::ProtocolWork& work) override;
    [[nodiscard]] ports::PppProtocol* ppp() override { return this; }
    void hold(GatewayId gateway) override { installs_.hold(gateway); }
    void let_go(GatewayId gateway) override;
    void detach(GatewayId gateway) override { installs_.drop(gateway); }
    [[nodiscard]] std::string interface_of(const wire::RecordKey& session) const override;
    [[nodiscard]] Status status_of(GatewayId gateway) const override {
        return {{"records/waiting_installs", installs_.size(gateway)}};
    }

    [[nodiscard]] std::string_view name() const override { return "l2tp"; }
    [[nodiscard]] bool serves(const config::Gateway& gateway) const override {
        return gateway.protocols.has("l2tp");
    }
    [[nodiscard]] Result<Session> on_session_up(const Report& report) override;

  private:
    L2tpSessions(const config::Config& config, adapters::QbLoop& loop,
                 std::unique_ptr<adapters::PppoL2tpKernel> kernel, Notify notify)
        : config_(config), loop_(loop), kernel_(std::move(kernel)), notify_(std::move(notify)) {}

    void carry_out(node::InstallSession& work);
    void carry_out(const node::RemoveSession& work);
    void carry_out(const node::AuditSessions& work);
    void carry_out(const node::SendDatagram& work);
    void carry_out(const node::SendFrame& work);
    void carry_out(const node::AcceptCall& work);
    void carry_out(const node::StartCall& work);
    void carry_out(const node::DropCall& work);
    [[nodiscard]] Result<void> start_call(const node::StartCall& work);
    void end_call(GatewayId gateway, const l2tp::SessionKey& call, bool was_started,
                  const std::string& why);
    void schedule();
    void install_slice();

    const config::Config& config_;
    adapters::QbLoop& loop_;
    std::unique_ptr<adapters::PppoL2tpKernel> kernel_;
    std::unique_ptr<adapters::CallPppds> pppds_;
    Notify notify_;
    InstallQueue installs_;
    std::set<GatewayId> unaudited_;
};

}  // namespace vpnha::runtime
