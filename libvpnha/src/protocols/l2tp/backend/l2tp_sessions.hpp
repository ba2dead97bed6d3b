// SPDX-License-Identifier: GPL-2.0-or-later
// The backend of L2TP: sessions in this node's kernel. They are installed in slices, between which
// the loop does everything else: a lease must be renewed while thousands of them are taken over.
#pragma once

#include <set>
#include <string>

#include "host/os/qb_loop.hpp"
#include "protocols/backend.hpp"
#include "protocols/l2tp/backend/install_queue.hpp"
#include "protocols/l2tp/backend/session_kernel.hpp"
#include "protocols/l2tp/work.hpp"
#include "protocols/ppp/ppp_protocol.hpp"

namespace vpnha::runtime {

class L2tpSessions final : public ports::Backend, public ports::PppProtocol {
  public:
    // Loop and kernel must outlive it.
    L2tpSessions(adapters::QbLoop& loop, ports::SessionKernel& kernel, Tell tell)
        : loop_(loop), kernel_(kernel), tell_(std::move(tell)) {}
    ~L2tpSessions() override;
    L2tpSessions(const L2tpSessions&) = delete;
    L2tpSessions& operator=(const L2tpSessions&) = delete;

    [[nodiscard]] bool execute(node::ProtocolWork& work) override;
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
    void carry_out(node::InstallSession& work);
    void carry_out(const node::RemoveSession& work);
    void carry_out(const node::AuditSessions& work);
    void carry_out(const node::SendDatagram& work);
    void carry_out(const node::SendFrame& work);
    void schedule();
    void install_slice();

    adapters::QbLoop& loop_;
    ports::SessionKernel& kernel_;
    Tell tell_;
    InstallQueue installs_;
    std::set<GatewayId> unaudited_;
};

}  // namespace vpnha::runtime
