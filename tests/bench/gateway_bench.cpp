// SPDX-License-Identifier: GPL-2.0-or-later
// What gateways cost while nothing happens: one node of a cluster as vpnhad runs it, with the real
// loop, group, leases on all links and on the disk, and gate; tests/bench/run starts one in each of
// its nodes. There are no sessions, so that nothing of L2TP's kernel is asked for. Gateways are
// promoted by turns, one on each node. Says {"ready": N} when its own N are, and runs until
// SIGTERM.
#include <fmt/format.h>
#include <sodium.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <optional>
#include <set>

#include "cluster/node/node.hpp"
#include "daemon/executor.hpp"
#include "host/corosync/cluster_map.hpp"
#include "host/corosync/cluster_nodes.hpp"
#include "host/corosync/corosync_group.hpp"
#include "host/gate/gate.hpp"
#include "host/lease/lease_files.hpp"
#include "host/lease/lease_links.hpp"
#include "host/lease/lease_saver.hpp"
#include "host/lease/new_instance.hpp"
#include "host/secrets/secret_file.hpp"
#include "protocols/tables.hpp"
#include "support/no_ports.hpp"

namespace vpnha::bench {

namespace {

constexpr int kRetryTimer = 100;
constexpr Duration kRetry = std::chrono::milliseconds(500);
constexpr std::uint32_t kNodes = 3;

class IdleNode {
  public:
    explicit IdleNode(config::Config config) : config_(std::move(config)) {}

    Result<void> start() {
        VPNHA_TRY(auto gate, adapters::BpfGate::create(config_));
        gate_.emplace(std::move(gate));
        for (const config::Gateway& gateway : config_.gateways) {
            VPNHA_CHECK(gate_->attach(gateway.id));
            VPNHA_CHECK(gate_->shut(gateway.id));
        }
        VPNHA_TRY(map_, adapters::ClusterMap::open(
                            loop_, {.on_change = [] {}, .on_nodes = [] {}, .on_lost = [] {}}));
        VPNHA_CHECK(join());
        loop_.on_signal(SIGTERM, [this] { loop_.stop(); });
        for (const config::Gateway& gateway : config_.gateways) {
            run(node_->attach(0, gateway.id, "checkpoint", loop_.now()));
        }
        return {};
    }

    void serve() { loop_.run(); }

  private:
    Result<void> join() {
        VPNHA_TRY(group_, adapters::CorosyncGroup::join(
                              loop_, config_.cluster_group,
                              {.on_members =
                                   [this](const std::set<NodeId>& members, bool quorate) {
                                       run(node_->on_members(members, quorate, loop_.now()));
                                       promote_own(members);
                                   },
                               .on_message =
                                   [this](NodeId sender, ByteView bytes) {
                                       run(node_->on_group_message(sender, bytes, loop_.now()));
                                   },
                               .on_process_died = {},
                               .on_lost = [this] { loop_.stop(); }}));
        VPNHA_TRY(auto files, adapters::LeaseFiles::open(config_.state_directory));
        VPNHA_TRY(node::Settings settings, settings_of(group_->self()));
        VPNHA_TRY(saver_, adapters::LeaseSaver::start(loop_, std::move(files)));
        node_.emplace(std::move(settings));
        VPNHA_TRY(const auto key, adapters::SecretFile::read(map_->key_file()));
        adapters::LeaseLinksOptions options;
        options.self = node_->gateways().begin()->second.cores().settings.lease.self;
        options.port = config_.lease_port;
        options.nodes = map_->nodes();
        options.voters = node_->voters();
        options.cluster_key = key ? key->content() : std::string_view{};
        for (const config::Gateway& gateway : config_.gateways) {
            options.gateways.push_back(gateway.id);
        }
        VPNHA_TRY(links_,
                  adapters::LeaseLinks::open(
                      loop_, options,
                      [this](GatewayId gateway, const lease::Sender& sender,
                             const lease::Message& message) {
                          run(node_->on_lease_message(gateway, sender, message, loop_.now()));
                      },
                      [](NodeId) {}));
        runtime::Executor::Answers answers;
        answers.request = [this](const effects::AnswerRequest& answer) { on_answer(answer); };
        answers.score = [](const effects::WriteScore&) {};
        answers.idle = [this] { loop_.stop(); };
        answers.broken = [this](const Error& error) {
            fmt::print(stderr, "gateway_bench: {}\n", error.detail);
            loop_.stop();
        };
        executor_.emplace(
            loop_, *node_,
            runtime::Ports{*gate_, network_, neighbours_, services_, *saver_, *links_, {&backend_}},
            std::move(answers));
        executor_->set_group(group_.get());
        return {};
    }

    Result<node::Settings> settings_of(NodeId self) {
        lease::Setup lease;
        lease.self.node = self;
        VPNHA_TRY(lease.self.boot, adapters::read_boot_id());
        VPNHA_TRY(lease.self.instance, adapters::new_instance());
        lease.timing = runtime::timing_of(config_);
        VPNHA_TRY(lease.voters, runtime::voters_of(map_->nodes(), {}));
        node::Settings settings;
        settings.self = self;
        settings.name = fmt::format("n{}", self.value);
        settings.instance = lease.self.instance.value;
        for (const config::Gateway& gateway : config_.gateways) {
            settings.gateways.push_back({.id = gateway.id,
                                         .name = gateway.name,
                                         .links = {},
                                         .keepers = {},
                                         .lease = lease,
                                         .witness_name = {},
                                         .lease_watch = {},
                                         .durable = {},
                                         .started_at = loop_.now()});
        }
        return settings;
    }

    // Once all nodes are there; a voter that has just started abstains, so it may take some tries.
    void promote_own(const std::set<NodeId>& members) {
        if (asked_ || members.size() != kNodes) {
            return;
        }
        asked_ = true;
        for (const config::Gateway& gateway : config_.gateways) {
            if (gateway.id.value % kNodes + 1 == group_->self().value) {
                waiting_.insert(gateway.id);
                ++own_;
            }
        }
        if (own_ == 0) {
            emit_ready();
        } else {
            ask_again();
        }
    }

    void emit_ready() const {
        fmt::print("{{\"ready\": {}}}\n", own_);
        std::fflush(stdout);
    }

    void ask_again() {
        loop_.set_timer(kRetryTimer, loop_.now() + kRetry, [this] {
            for (const GatewayId gateway : std::set<GatewayId>(waiting_)) {
                run(node_->promote(gateway.value, gateway, loop_.now()));
            }
        });
    }

    void on_answer(const effects::AnswerRequest& answer) {
        if (answer.request == 0) {
            return;  // Of an attach.
        }
        if (!answer.result) {
            ask_again();
        } else if (waiting_.erase(GatewayId{static_cast<std::uint8_t>(answer.request)}) != 0 &&
                   waiting_.empty()) {
            emit_ready();
        }
    }

    void run(effects::Effects effects) { executor_->run(std::move(effects)); }

    config::Config config_;
    adapters::QbLoop loop_;
    test::NoNetwork network_;
    test::NoNeighbours neighbours_;
    test::NoServices services_;
    test::NoBackend backend_;
    std::optional<adapters::BpfGate> gate_;
    std::unique_ptr<adapters::LeaseSaver> saver_;
    std::unique_ptr<adapters::LeaseLinks> links_;
    std::unique_ptr<adapters::ClusterMap> map_;
    std::unique_ptr<adapters::CorosyncGroup> group_;
    std::optional<node::Node> node_;
    std::optional<runtime::Executor> executor_;
    std::set<GatewayId> waiting_;
    std::size_t own_ = 0;
    bool asked_ = false;
};

int serve(const std::string& file) {
    Result<config::Config> config = config::load(file);
    if (!config || sodium_init() < 0) {
        fmt::print(stderr, "gateway_bench: {}\n", config ? "no libsodium" : config.error().detail);
        return 1;
    }
    IdleNode node(std::move(*config));
    if (const Result<void> started = node.start(); !started) {
        fmt::print(stderr, "gateway_bench: {}\n", started.error().detail);
        return 1;
    }
    node.serve();
    return 0;
}

}  // namespace

}  // namespace vpnha::bench

int main(int argc, char** argv) {
    CLI::App app("One node of a cluster with gateways, without sessions");
    std::string file;
    app.add_option("--config", file, "vpnha.toml")->required();
    CLI11_PARSE(app, argc, argv);
    return vpnha::bench::serve(file);
}
