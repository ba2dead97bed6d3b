// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/backends.hpp"

#include <algorithm>
#include <utility>

#include "host/os/timers.hpp"
#include "services/proxies/backend/proxy_table.hpp"

namespace vpnha::runtime {

Backends::Backends(const Host& host, std::unique_ptr<ports::FlowTable> flows)
    : l2tp_(host.loop, host.kernel, host.tell),
      flows_(host.loop, host.node, std::move(flows), host.run),
      all_{&l2tp_, &flows_} {}

Result<std::unique_ptr<Backends>> Backends::open(const Host& host,
                                                 std::unique_ptr<ports::FlowTable> flows,
                                                 std::span<const Protocol> others) {
    std::unique_ptr<Backends> opened(new Backends(host, std::move(flows)));
    VPNHA_CHECK(opened->open_protocols(host));
    VPNHA_CHECK(opened->open_others(host, others));
    return opened;
}

Result<void> Backends::open_protocols(const Host& host) {
    VPNHA_TRY(accounting_, Accounting::open(host.config, host.loop, host.tell));
    all_.push_back(accounting_.get());
    VPNHA_TRY(auto proxy_table, adapters::ProxyTable::open());
    all_.push_back(&proxies_.emplace(host.config, host.loop, std::move(proxy_table)));
    VPNHA_TRY(ipsec_, Ipsec::open(host.config, host.loop, host.key_file, host.gate, host.tell));
    if (ipsec_) {
        all_.push_back(ipsec_.get());
    }
    VPNHA_TRY(pptp_,
              Pptp::open(host.config, host.loop, host.key_file,
                         {.tell = host.tell, .allow_end = host.allow_end, .failed = host.failed}));
    if (pptp_) {
        all_.push_back(pptp_.get());
    }
    if (std::ranges::any_of(host.config.gateways, &config::Gateway::resume_scripts)) {
        all_.push_back(&scripts_.emplace(host.loop, [this](const wire::RecordKey& session) {
            std::string name;
            for (const ports::Backend* const each : all_) {
                name = name.empty() ? each->interface_of(session) : std::move(name);
            }
            return name;
        }));
    }
    return {};
}

Result<void> Backends::open_others(const Host& host, std::span<const Protocol> others) {
    BackendHost own{host.config, host.loop, host.key_file, kBackendTimer, host.tell};
    for (const Protocol& each : others) {
        VPNHA_TRY(auto backend, each.open(own));
        own.first_timer += kTimersOfABackend;
        all_.push_back(backend.get());
        others_.push_back(std::move(backend));
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
    if (scripts_) {
        scripts_->complete(std::move(done));
    } else {
        done();
    }
}

}  // namespace vpnha::runtime
