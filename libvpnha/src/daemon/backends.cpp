// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/backends.hpp"

#include <algorithm>
#include <utility>

#include "host/os/timers.hpp"
#include "protocols/ipsec/backend/ipsec.hpp"
#include "protocols/l2tp/backend/l2tp_sessions.hpp"
#include "protocols/pptp/backend/pptp.hpp"
#include "services/accounting/backend/accounting.hpp"
#include "services/proxies/backend/proxies.hpp"
#include "services/proxies/backend/proxy_table.hpp"

namespace vpnha::runtime {

Result<std::unique_ptr<Backends>> Backends::open(const Host& host,
                                                 std::unique_ptr<ports::FlowTable> flows,
                                                 std::span<const Protocol> others) {
    std::unique_ptr<Backends> opened(new Backends());
    VPNHA_TRY(auto l2tp, L2tpSessions::open(host.config, host.loop, host.set_networks, host.tell));
    opened->add(std::move(l2tp));
    opened->add(std::make_unique<FlowKeeper>(host.loop, host.node, std::move(flows), host.run));
    VPNHA_CHECK(opened->open_protocols(host));
    VPNHA_CHECK(opened->open_others(host, others));
    return opened;
}

Backends::~Backends() {
    while (!opened_.empty()) {
        opened_.pop_back();
    }
}

void Backends::add(std::unique_ptr<ports::Backend> opened) {
    if (opened) {
        all_.push_back(opened.get());
        opened_.push_back(std::move(opened));
    }
}

Result<void> Backends::open_protocols(const Host& host) {
    VPNHA_TRY(auto accounting, Accounting::open(host.config, host.loop, host.tell));
    add(std::move(accounting));
    VPNHA_TRY(auto proxy_table, adapters::ProxyTable::open());
    add(std::make_unique<Proxies>(host.config, host.loop, std::move(proxy_table)));
    VPNHA_TRY(auto ipsec, Ipsec::open(host.config, host.loop, host.key_file, host.gate, host.tell));
    add(std::move(ipsec));
    VPNHA_TRY(auto pptp,
              Pptp::open(host.config, host.loop, host.key_file,
                         {.tell = host.tell, .allow_end = host.allow_end, .failed = host.failed}));
    add(std::move(pptp));
    if (std::ranges::any_of(host.config.gateways, &config::Gateway::resume_scripts)) {
        auto scripts = std::make_unique<Scripts>(host.loop, [this](const wire::RecordKey& session) {
            std::string name;
            for (const ports::Backend* const each : all_) {
                name = name.empty() ? each->interface_of(session) : std::move(name);
            }
            return name;
        });
        scripts_ = scripts.get();
        add(std::move(scripts));
    }
    return {};
}

Result<void> Backends::open_others(const Host& host, std::span<const Protocol> others) {
    BackendHost own{host.config, host.loop, host.key_file, kBackendTimer, host.tell};
    for (const Protocol& each : others) {
        VPNHA_TRY(auto backend, each.open(own));
        own.first_timer += kTimersOfABackend;
        add(std::move(backend));
    }
    return {};
}

std::vector<ports::PppProtocol*> Backends::ppp_protocols() const {
    std::vector<ports::PppProtocol*> protocols;
    for (ports::Backend* const each : all_) {
        if (ports::PppProtocol* const protocol = each->ppp()) {
            protocols.push_back(protocol);
        }
    }
    return protocols;
}

void Backends::complete_scripts(std::function<void()> done) {
    if (scripts_ != nullptr) {
        scripts_->complete(std::move(done));
    } else {
        done();
    }
}

}  // namespace vpnha::runtime
