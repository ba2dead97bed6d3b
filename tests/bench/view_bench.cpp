// SPDX-License-Identifier: GPL-2.0-or-later
// What readers of the control socket cost the rounds of a lease: a node with 100 000 sessions
// answers `sessions` to eight clients that ask again at once, while its loop has a round each
// 100 ms. In slices, as vpnhad answers, and in one piece, as it did before. The clients are a
// process of their own. A line of JSON.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "base/assert.hpp"
#include "cluster/node/node.hpp"
#include "config/config.hpp"
#include "daemon/requests.hpp"
#include "host/control/control_server.hpp"
#include "host/os/process.hpp"
#include "host/os/qb_loop.hpp"
#include "latencies.hpp"
#include "protocols/l2tp/work.hpp"
#include "session_records.hpp"
#include "vpnha/control.hpp"

namespace vpnha::bench {

namespace {

constexpr std::uint32_t kSessions = 100'000;
constexpr int kReaders = 8;
constexpr Duration kPeriod = std::chrono::milliseconds(100);
constexpr Duration kMeasured = std::chrono::seconds(20);
constexpr int kRoundTimer = 1'000;

// Promoted and alone: it counts its own vote, and nobody delays its sessions.
class Gateway {
  public:
    Gateway() {
        node::Settings settings;
        settings.self = NodeId{1};
        settings.name = "gw1";
        settings.instance = 1;
        node::GatewaySettings gateway;
        gateway.id = kGateway;
        gateway.name = "l2tp";
        gateway.lease = {{NodeId{1}, {}, lease::Instance{1}}, {}, {NodeId{1}}};
        gateway.started_at = now_ - 2 * gateway.lease.timing.abstention();
        settings.gateways = {gateway};
        node_ = std::make_unique<node::Node>(std::move(settings));
        execute(node_->on_members({NodeId{1}}, true, now_));
        execute(node_->attach(1, kGateway, "checkpoint", now_));
        execute(node_->promote(2, kGateway, now_));
        VPNHA_ASSERT(node_->find(kGateway)->view().state() == takeover::State::promoted);
        for (std::uint32_t number = 0; number < kSessions; ++number) {
            execute(node_->on_plugin_up(number, "l2tp",
                                        node::stock_session(session_record(number, 0)), "", now_));
            // No pppd waits for a standby for long.
            now_ += std::chrono::milliseconds(10);
            execute(node_->on_time(now_));
        }
        VPNHA_ASSERT(node_->find(kGateway)->cores().keepers.session_totals().all == kSessions);
    }
    [[nodiscard]] node::Node& node() { return *node_; }

  private:
    void execute(effects::Effects effects) {
        for (effects::Effect& effect : effects) {
            if (const auto* sent = std::get_if<effects::SendToGroup>(&effect)) {
                execute(node_->on_group_message(NodeId{1}, sent->message, now_));
            } else if (const auto* save = std::get_if<effects::SaveLease>(&effect)) {
                execute(node_->on_lease_saved(kGateway, save->ticket, {}, now_));
            } else if (const auto* step = std::get_if<effects::RunStep>(&effect)) {
                execute(node_->on_step_done(kGateway, step->step, {}, now_));
            }
        }
    }

    TimePoint now_{std::chrono::hours(1)};
    std::unique_ptr<node::Node> node_;
};

class Readers {
  public:
    Readers(const std::string& path, int count) {
        for (int reader = 0; reader < count; ++reader) {
            const pid_t child = fork();
            VPNHA_ASSERT(child >= 0);
            if (child == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                ask(path);
            }
            children_.push_back(child);
        }
    }
    ~Readers() {
        for (const pid_t child : children_) {
            kill(child, SIGKILL);
            waitpid(child, nullptr, 0);
        }
    }
    Readers(const Readers&) = delete;
    Readers& operator=(const Readers&) = delete;

  private:
    [[noreturn]] static void ask(const std::string& path) {
        while (true) {
            auto client = ControlClient::connect(path, std::chrono::minutes(1));
            while (client && client->request("sessions")) {
            }
        }
    }

    std::vector<pid_t> children_;
};

nlohmann::json measure(Gateway& gateway, bool in_slices, int readers) {
    const std::string path = fmt::format("/tmp/view_bench.{}.sock", getpid());
    adapters::QbLoop loop;
    config::Config config;
    config.gateways.emplace_back().id = kGateway;
    config.gateways.back().name = "l2tp";
    runtime::Requests::Daemon daemon;
    daemon.strays = [] { return std::vector<runtime::StraySession>{}; };
    const TimePoint begin = adapters::QbLoop::now();
    daemon.loop = {
        .now = [=] { return in_slices ? adapters::QbLoop::now() : begin; },
        .run_at = [&loop](TimePoint at,
                          std::function<void()> then) { loop.set_timer(1, at, std::move(then)); }};
    runtime::Requests requests(config, gateway.node(), daemon);
    std::uint64_t asked = 0;
    auto server = adapters::ControlServer::open(
        loop, {.path = path},
        [&](const adapters::ControlRequest& request, adapters::ControlReply reply) {
            ++asked;
            requests.on_request(request, std::move(reply), begin);
        });
    VPNHA_ASSERT(server.has_value());
    Latencies late;
    TimePoint due = begin;
    const std::function<void()> round = [&] {
        late.add(adapters::QbLoop::now() - due);
        due = std::max(due + kPeriod, adapters::QbLoop::now());
        if (due - begin > kMeasured) {
            loop.stop();
            return;
        }
        loop.set_timer(kRoundTimer, due, round);
    };
    loop.set_timer(kRoundTimer, due, round);
    {
        const Readers clients(path, readers);
        loop.run();
    }
    nlohmann::json line = late.json();
    line["asked"] = asked;
    return line;
}

int run() {
    Gateway gateway;
    // As vpnhad does; what it starts does not.
    VPNHA_ASSERT(adapters::run_in_real_time().has_value());
    fmt::print("{}\n", nlohmann::json{{"sessions", kSessions},
                                      {"readers", kReaders},
                                      {"alone", measure(gateway, true, 0)},
                                      {"slices", measure(gateway, true, kReaders)},
                                      {"one_piece", measure(gateway, false, kReaders)}}
                           .dump());
    return 0;
}

}  // namespace

}  // namespace vpnha::bench

int main() {
    return vpnha::bench::run();
}
