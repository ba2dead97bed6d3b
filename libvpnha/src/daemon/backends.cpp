// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/backends.hpp"

#include <algorithm>
#include <utility>

#include "services/accounting/backend/accounting.hpp"
#include "services/bandwidth/backend/bandwidth.hpp"
#include "services/bandwidth/backend/traffic_control.hpp"
#include "services/proxies/backend/proxies.hpp"
#include "services/proxies/backend/proxy_table.hpp"

namespace vpnha::runtime {

Result<std::unique_ptr<Backends>> Backends::open(const Host& host,
                                                 std::unique_ptr<ports::FlowTable> flows) {
    std::unique_ptr<Backends> opened(new Backends());
    const config::Config& config = host.of_all.config;
    adapters::QbLoop& loop = host.of_all.loop;
    VPNHA_TRY(auto protocols, ports::open_backends(host.of_all));
    for (std::unique_ptr<ports::Backend>& each : protocols) {
        opened->add(std::move(each));
    }
    opened->add(std::make_unique<FlowBackend>(loop, host.node, std::move(flows), host.run));
    VPNHA_TRY(auto accounting, Accounting::open(config, loop, host.of_all.notify));
    opened->add(std::move(accounting));
    VPNHA_TRY(auto proxy_table, adapters::ProxyTable::open());
    opened->add(std::make_unique<Proxies>(config, loop, std::move(proxy_table)));
    VPNHA_TRY(auto traffic_control, adapters::TrafficControl::open());
    opened->add(std::make_unique<Bandwidth>(
        loop, opened->interface_of(),
        std::make_unique<adapters::TrafficControl>(std::move(traffic_control))));
    if (std::ranges::any_of(config.gateways, &config::Gateway::resume_scripts)) {
        opened->add_scripts(loop);
    }
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

std::function<std::string(const wire::RecordKey&)> Backends::interface_of() const {
    return [this](const wire::RecordKey& session) {
        std::string name;
        for (const ports::Backend* const each : all_) {
            name = name.empty() ? each->interface_of(session) : std::move(name);
        }
        return name;
    };
}

void Backends::add_scripts(adapters::QbLoop& loop) {
    auto scripts = std::make_unique<Scripts>(loop, interface_of());
    scripts_ = scripts.get();
    add(std::move(scripts));
}

void Backends::complete_scripts(std::function<void()> done) {
    if (scripts_ != nullptr) {
        scripts_->complete(std::move(done));
    } else {
        done();
    }
}

}  // namespace vpnha::runtime
