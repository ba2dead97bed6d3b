// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/pptp.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/corosync/cluster_nodes.hpp"
#include "host/os/log.hpp"
#include "host/os/timers.hpp"
#include "protocols/backends.hpp"
#include "services/accounting/work.hpp"

namespace vpnha::runtime {

namespace {

using adapters::DataPath;

constexpr std::uint16_t kControlPort = 1723;

}  // namespace

Result<std::unique_ptr<Pptp>> Pptp::open(const config::Config& config, adapters::QbLoop& loop,
                                         const std::string& key_file, Listener listener) {
    std::vector<Ipv4Address> vips;
    for (const config::Gateway& gateway : config.gateways) {
        if (gateway.protocols.has("pptp")) {
            vips.push_back(gateway.dialled_address());
        }
    }
    if (vips.empty()) {
        return nullptr;
    }
    VPNHA_TRY(const auto key, cluster_key_of(key_file));
    VPNHA_TRY(auto box, adapters::SecretBox::make(key.content()));
    VPNHA_TRY(auto data_path, DataPath::start(DataPath::kProgram, vips));
    std::unique_ptr<Pptp> pptp(
        new Pptp(config, loop, std::move(box), std::move(data_path), std::move(listener)));
    VPNHA_CHECK(
        loop.watch(pptp->data_path_->events_fd(), [self = pptp.get()] { self->on_events(); }));
    return pptp;
}

Pptp::Pptp(const config::Config& config, adapters::QbLoop& loop, adapters::SecretBox box,
           std::unique_ptr<DataPath> data_path, Listener listener)
    : config_(config),
      loop_(loop),
      box_(std::move(box)),
      data_path_(std::move(data_path)),
      listener_(std::move(listener)),
      watch_(loop, {.notify = kCallTimer, .settle = kCallSettleTimer, .reopen = kCallOpenTimer},
             watch_listener()),
      networks_(listener_.on_networks) {}

Pptp::~Pptp() {
    loop_.cancel_timer(kCallRefuseTimer);
    loop_.unwatch(data_path_->events_fd());
}

adapters::CallWatch::Listener Pptp::watch_listener() {
    return {.on_numbers =
                [this](GatewayId gateway, std::span<const pptp::CallState> calls) {
                    listener_.notify(gateway, node::CallsRead{0, calls});
                },
            .on_end =
                [this](GatewayId gateway, const Ipv4Endpoint& peer, bool meant) {
                    allow_end(config_.find(gateway)->dialled_address(), peer, meant);
                }};
}

Status call_status(const pptp::CallCounters& counters, std::uint64_t unwatched,
                   std::uint64_t evicted) {
    return {{"counters/pptp_malformed", counters.malformed},
            {"counters/pptp_duplicates", counters.duplicates},
            {"counters/pptp_in_clear", counters.in_clear},
            {"counters/pptp_resets", counters.resets},
            {"counters/pptp_unwatched", unwatched},
            {"counters/pptp_evicted", evicted}};
}

Status Pptp::status() const {
    return call_status(data_path_->counters(), watch_.lost(), watch_.evicted());
}

bool Pptp::execute(effects::ProtocolWork& work) {
    return execute_own<node::PptpWork>(work, [this](auto& each) { carry_out(each); });
}

Result<pptp::StartKeys> Pptp::open_keys(const pptp::CallRecord& record) const {
    pptp::StartKeys keys;
    const std::size_t size = keys.send.size() + keys.receive.size();
    VPNHA_TRY(auto plain, adapters::SecretBytes::with_room(size));
    VPNHA_CHECK(box_.open(pptp::seal_context(record.key), record.sealed_keys, plain));
    if (plain.view().size() != size) {
        return fail(Errc::malformed, "the keys of MPPE have a wrong length");
    }
    std::copy_n(plain.view().begin(), keys.send.size(), keys.send.begin());
    std::copy_n(plain.view().begin() + keys.send.size(), keys.receive.size(), keys.receive.begin());
    return keys;
}

void Pptp::carry_out(node::PrepareCall& work) {
    const config::Gateway& gateway = *config_.find(work.gateway);
    const pptp::CallKey key = work.record.key;
    // Forget that an earlier connection of this peer was permitted to end.
    allow_end(key.local.address, key.peer, false);
    DataPath::Prepare prepare{
        .call = std::move(work), .keys = {}, .route_table = gateway.route_table};
    if (!prepare.call.record.facts.obstacle.empty()) {
        prepare.route_table = 0;  // Its client is notified; no packet of it is carried here.
    }
    if (const auto led = lead_to(gateway, prepare.call); !led) {
        return refuse(gateway.id, key, prepare.call.ticket, led.error());
    }
    if (prepare.call.record.mppe != pptp::Mppe::none) {
        auto keys = open_keys(prepare.call.record);
        if (!keys) {
            return refuse(gateway.id, key, prepare.call.ticket, keys.error());
        }
        prepare.keys = std::move(*keys);
    }
    data_path_->post(std::move(prepare));
}

void Pptp::carry_out(node::RemoveCall& work) {
    lead_no_more(work.key);
    data_path_->post(std::move(work));
}

Result<void> Pptp::lead_to(const config::Gateway& gateway, const node::PrepareCall& call) {
    const pptp::CallRecord& record = call.record;
    Led led{gateway.id, call.ticket, {}};
    if (record.facts.obstacle.empty()) {
        led.networks = ppp::networks_outside(gateway.pools, record.facts.routes);
    }
    const Result<void> done = networks_.add(led.gateway, led.networks);
    lead_no_more(record.key);
    if (!led.networks.empty()) {
        led_.emplace(record.key, std::move(led));
    }
    return done;
}

void Pptp::lead_no_more(const pptp::CallKey& key) {
    if (const auto led = led_.extract(key)) {
        networks_.remove(led.mapped().gateway, led.mapped().networks);
    }
}

void Pptp::refuse(GatewayId gateway, const pptp::CallKey& key, std::uint64_t ticket, Error why) {
    lead_no_more(key);
    refused_.emplace_back(gateway, node::CallPrepared{key, ticket, tl::unexpected(std::move(why))});
    loop_.set_timer(kCallRefuseTimer, loop_.now(), [this] { report_refused(); });
}

void Pptp::report_refused() {
    for (const auto& [gateway, refused] : std::exchange(refused_, {})) {
        listener_.notify(gateway, refused);
    }
}

void Pptp::carry_out(node::DismissCall& work) {
    allow_end(work.key.local.address, work.key.peer, true);
    data_path_->post(work);
}

void Pptp::carry_out(node::WatchCalls& work) {
    const config::Gateway& gateway = *config_.find(work.gateway);
    watch_.watch(gateway.id, gateway.outside.interface, gateway.dialled_address());
}

// First the watched calls, then those of the data path, whose answer has the ticket.
void Pptp::carry_out(node::ReadCalls& work) {
    watch_.settle(work.gateway, [this, work](std::span<const pptp::CallState> calls) {
        listener_.notify(work.gateway, node::CallsRead{0, calls});
        data_path_->post(work);
    });
}

void Pptp::on_events() {
    for (const DataPath::Event& event : data_path_->take_events()) {
        std::visit([&](const auto& each) { handle(event.gateway, each); }, event.what);
    }
    if (const auto failure = data_path_->failure(); failure && !std::exchange(has_failed_, true)) {
        adapters::write_log(LogLevel::error, failure->detail + " event=pptp-path-failed");
        listener_.failed(*failure);
    }
}

void Pptp::handle(GatewayId gateway, const DataPath::NumbersRead& read) {
    listener_.notify(gateway, node::CallsRead{read.ticket, read.calls});
}

void Pptp::handle(GatewayId, const DataPath::MeantEnd& end) {
    allow_end(end.key.local.address, end.key.peer, true);
    data_path_->post(DataPath::MayEnd{end.key});
}

void Pptp::handle(GatewayId gateway, const node::CallPrepared& prepared) {
    if (prepared.result) {
        listener_.notify(gateway, node::DeviceReused{prepared.device, prepared.before});
    } else if (const auto led = led_.find(prepared.key);
               led != led_.end() && led->second.ticket == prepared.ticket) {
        lead_no_more(prepared.key);
    }
    listener_.notify(gateway, prepared);
}

void Pptp::handle(GatewayId gateway, const node::CallEnded& ended) {
    lead_no_more(ended.key);
    listener_.notify(gateway, ended);
}

void Pptp::allow_end(Ipv4Address vip, const Ipv4Endpoint& peer, bool meant) {
    if (const Result<void> notified = listener_.allow_end(vip, peer, meant); !notified) {
        adapters::write_log(LogLevel::warning, notified.error().detail);
    }
}

Result<Pptp::Session> Pptp::on_session_up(const Report& report) {
    const GatewayId gateway = report.gateway.id;
    VPNHA_TRY(const pptp::PluginIds ids,
              pptp::parse_plugin_ids(report.ids, {report.gateway.dialled_address(), kControlPort}));
    const pptp::CallKey& key = ids.key;
    const auto options = watch_.options_of(gateway, key.peer);
    const Result<Bytes> sealed =
        ids.keys.empty() ? Bytes{} : box_.seal(pptp::seal_context(key), ids.keys);
    node::StockCall call{.record = {.key = key,
                                    .tcp = options.value_or(pptp::TcpOptions{}),
                                    .mppe = ids.mppe,
                                    .sealed_keys = sealed.value_or(Bytes{}),
                                    .facts = report.facts},
                         .numbers = {}};
    std::string not_resumable;
    if (!options) {
        not_resumable = "the begin of its control connection was not seen";
    } else if (!sealed) {
        not_resumable = sealed.error().detail;
    } else if (const Result<void> sane = pptp::validate(call.record); !sane) {
        not_resumable = sane.error().detail;
    }
    if (const auto known = stock_.find(report.plugin);
        known != stock_.end() && known->second.key != key) {
        on_pppd_gone(report.plugin, false);
    }
    stock_[report.plugin] = {gateway, key};
    call.numbers = watch_.follow(gateway, key);
    return Session{node::stock_session(std::move(call)), std::move(not_resumable)};
}

void Pptp::on_pppd_gone(PluginToken plugin, bool announced) {
    const auto found = stock_.find(plugin);
    if (found == stock_.end()) {
        return;
    }
    const auto& [gateway, key] = found->second;
    if (announced) {
        allow_end(key.local.address, key.peer, true);
    }
    watch_.forget(gateway, key);
    stock_.erase(found);
}

}  // namespace vpnha::runtime

vpnha::ports::OpenedBackend vpnha::pptp::open_backend(const ports::BackendHost& host) {
    return runtime::Pptp::open(host.config, host.loop, host.key_file,
                               {.notify = host.notify,
                                .allow_end = host.allow_end,
                                .on_networks = host.set_networks,
                                .failed = host.failed});
}
