// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/backend/l2tp_sessions.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/limits.hpp"
#include "host/os/log.hpp"
#include "host/os/timers.hpp"
#include "protocols/backends.hpp"
#include "protocols/l2tp/table.hpp"

namespace vpnha::runtime {

namespace {

// A dump that was interrupted or found no memory may succeed now.
constexpr Duration kAuditRetry = std::chrono::seconds(1);

}  // namespace

Result<std::unique_ptr<L2tpSessions>> L2tpSessions::open(const config::Config& config,
                                                         adapters::QbLoop& loop,
                                                         ppp::ClientNetworks::Lead on_networks,
                                                         Notify notify) {
    VPNHA_TRY(auto kernel,
              adapters::PppoL2tpKernel::create(config, loop, notify, std::move(on_networks)));
    std::unique_ptr<L2tpSessions> sessions(
        new L2tpSessions(config, loop, std::move(kernel), std::move(notify)));
    VPNHA_TRY(sessions->pppds_,
              adapters::CallPppds::create(
                  loop, [raw = sessions.get()](GatewayId gateway, const l2tp::SessionKey& call,
                                               const std::string& why) {
                      raw->end_call(gateway, call, true, why);
                  }));
    return sessions;
}

L2tpSessions::~L2tpSessions() {
    loop_.cancel_timer(kInstallTimer);
    loop_.cancel_timer(kAuditTimer);
}

bool L2tpSessions::execute(effects::ProtocolWork& work) {
    return execute_own<node::L2tpWork>(work, [this](auto& each) { carry_out(each); });
}

void L2tpSessions::carry_out(node::InstallSession& work) {
    const bool under_way = installs_.is_ready();
    installs_.add(std::move(work));
    if (!under_way) {
        schedule();
    }
}

void L2tpSessions::carry_out(const node::RemoveSession& work) {
    installs_.drop(work.gateway, work.key);
    adapters::log_failure("removing a session", kernel_->remove(work.gateway, work.key));
}

void L2tpSessions::carry_out(const node::AuditSessions& work) {
    if (const auto present = kernel_->audit(work.gateway)) {
        notify_(work.gateway, node::SessionsAudited{*present});
        return;
    } else {
        adapters::write_log(LogLevel::error,
                            fmt::format("the kernel's sessions cannot be listed; one that is "
                                        "missing goes unnoticed until they can: {}",
                                        present.error().detail));
    }
    unaudited_.insert(work.gateway);
    loop_.set_timer(kAuditTimer, loop_.now() + kAuditRetry, [this] {
        for (const GatewayId gateway : std::exchange(unaudited_, {})) {
            carry_out(node::AuditSessions{gateway});
        }
    });
}

void L2tpSessions::carry_out(const node::SendDatagram& work) {
    adapters::log_failure("L2TP control",
                          kernel_->send_datagram(work.gateway, work.tunnel, work.bytes));
}

void L2tpSessions::carry_out(const node::SendFrame& work) {
    adapters::log_failure("LCP", kernel_->send_frame(work.gateway, work.session, work.frame));
}

void L2tpSessions::carry_out(const node::AcceptCall& work) {
    if (const auto kept = kernel_->keep_for_call(work.gateway, work.call); !kept) {
        end_call(work.gateway, work.call, false, kept.error().detail);
    }
}

void L2tpSessions::carry_out(const node::StartCall& work) {
    if (const auto started = start_call(work); !started) {
        end_call(work.gateway, work.call, false, started.error().detail);
    }
}

Result<void> L2tpSessions::start_call(const node::StartCall& work) {
    const config::Gateway* const gateway = config_.find(work.gateway);
    // Only pppd has it from here on: the session ends with pppd.
    VPNHA_TRY(const adapters::UniqueFd session, kernel_->open_call(work.call));
    return pppds_->start(*gateway, work.call, session, {work.taken.begin(), work.taken.end()});
}

void L2tpSessions::carry_out(const node::DropCall& work) {
    if (!pppds_->end(work.call)) {
        adapters::log_failure("dropping a call", kernel_->drop_call(work.call));
    }
}

void L2tpSessions::end_call(GatewayId gateway, const l2tp::SessionKey& call, bool was_started,
                            const std::string& why) {
    adapters::log_failure("dropping a call", kernel_->drop_call(call));
    notify_(gateway, node::CallOver{call, was_started, why});
}

void L2tpSessions::let_go(GatewayId gateway) {
    installs_.let_go(gateway);
    schedule();
}

Result<L2tpSessions::Session> L2tpSessions::on_session_up(const Report& report) {
    const config::Gateway& gateway = report.gateway;
    VPNHA_TRY(l2tp::SessionKey key,
              l2tp::parse_plugin_ids(report.ids, {gateway.dialled_address(),
                                                  gateway.protocols.get<l2tp::Table>()->port}));
    return Session{node::stock_session(l2tp::SessionRecord{key, report.facts}), {}};
}

std::string L2tpSessions::interface_of(const wire::RecordKey& session) const {
    const auto key = l2tp::parse_key(session.id.view());
    return key && session.type == wire::RecordType::l2tp_session ? kernel_->interface_of(*key)
                                                                 : std::string();
}

void L2tpSessions::schedule() {
    if (installs_.is_ready()) {
        loop_.set_timer(kInstallTimer, loop_.now(), [this] { install_slice(); });
    }
}

void L2tpSessions::install_slice() {
    const TimePoint until = loop_.now() + limits::kLoopSlice;
    while (const auto next = installs_.take()) {
        const Result<void> result = kernel_->install(next->gateway, next->record);
        notify_(next->gateway, node::SessionInstalled{next->record.key, next->ticket, result});
        if (loop_.now() >= until) {
            break;
        }
    }
    if (installs_.is_ready()) {
        // Other work of the node has its turn, too.
        loop_.set_timer(kInstallTimer, loop_.now() + limits::kLoopSlice,
                        [this] { install_slice(); });
    }
}

}  // namespace vpnha::runtime

vpnha::ports::OpenedBackend vpnha::l2tp::open_backend(const ports::BackendHost& host) {
    return runtime::L2tpSessions::open(host.config, host.loop, host.set_networks, host.notify);
}
