// SPDX-License-Identifier: GPL-2.0-or-later
#include "vpnha/daemon.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "config/config.hpp"
#include "daemon/checks/quorum_mode.hpp"
#include "daemon/daemon.hpp"
#include "daemon/encryption.hpp"
#include "daemon/executor.hpp"
#include "daemon/fencing.hpp"
#include "daemon/gateway_settings.hpp"
#include "daemon/origin.hpp"
#include "daemon/pacemaker/score_writer.hpp"
#include "daemon/preparation.hpp"
#include "daemon/requests.hpp"
#include "daemon/setup_events.hpp"
#include "daemon/setup_reader.hpp"
#include "daemon/stacks.hpp"
#include "daemon/stock_services.hpp"
#include "daemon/views/gate_view.hpp"
#include "daemon/views/views.hpp"
#include "host/control/control_server.hpp"
#include "host/corosync/cluster_map.hpp"
#include "host/corosync/cluster_nodes.hpp"
#include "host/lease/fenced_file.hpp"
#include "host/lease/lease_links.hpp"
#include "host/lease/lease_saver.hpp"
#include "host/os/boot_clock.hpp"
#include "host/os/linux_machine.hpp"
#include "host/os/log.hpp"
#include "host/os/network_descriptor.hpp"
#include "host/os/process.hpp"
#include "host/os/timers.hpp"
#include "host/systemd/watchdog.hpp"
#include "protocols/ppp/backend/plugins.hpp"
#include "vpnha/version.hpp"

namespace vpnha {

namespace {

using adapters::write_log;

// The pause between readings of the files that are compared with the other nodes': a file that was
// changed on one node only is found long before the next failover.
constexpr Duration kSetupInterval = std::chrono::seconds(60);

constexpr Duration kNodesSettle = std::chrono::milliseconds(200);

class Daemon {
  public:
    Daemon(config::Config config, const DaemonOptions& options, std::span<const wire::Codec> codecs)
        : config_(std::move(config)),
          options_(options),
          origin_({options.config_file, options.log_file}),
          codecs_(codecs),
          scores_(loop_, options_.restart.count > 0),
          encryption_(config_.replicate_secrets_unencrypted) {}

    Result<void> start() {
        for (const std::string& socket : {config_.control_socket, config_.plugin_socket}) {
            std::error_code error;
            std::filesystem::create_directories(std::filesystem::path(socket).parent_path(), error);
            if (error) {
                return tl::unexpected(
                    system_error("creating the folder of " + socket, error.value()));
            }
        }
        VPNHA_CHECK(open_control_socket());
        started_at_ = loop_.now();  // No earlier vpnhad has the state directory, or the socket.
        VPNHA_CHECK(open_kernel());
        VPNHA_CHECK(open_cluster_map());
        runtime::log_quorum_mode(*map_, config_.witness);
        VPNHA_CHECK(make_node());
        VPNHA_CHECK(watch_devices());
        look_at_macs();
        VPNHA_CHECK(plugins_->open());
        // After all that can fail: a vpnhad that cannot start here changes no membership.
        if (!options_.restart.votes_only) {
            VPNHA_CHECK(join_group());
        }
        compare_setups_later();
        loop_.on_signal(SIGTERM, [this] { end_when_drained(); });
        loop_.on_signal(SIGINT, [this] { end({}); });
        return {};
    }

    Result<void> run(const std::optional<adapters::Watchdog::Wish>& watched) {
        std::unique_ptr<adapters::Watchdog> watchdog;
        if (watched) {
            VPNHA_TRY(watchdog, adapters::Watchdog::start(loop_, *watched));
        }
        loop_.run();
        shut_all_gates();
        return ended_;
    }

    [[nodiscard]] bool has_failed() const { return has_failed_; }

  private:
    void handle(GatewayId gateway, const effects::KeeperEvent& event) {
        run(node_->on_event(gateway, event, loop_.now()));
    }

    Result<void> open_control_socket() {
        VPNHA_TRY(control_,
                  adapters::ControlServer::open(loop_, {.path = config_.control_socket},
                                                [this](const adapters::ControlRequest& request,
                                                       adapters::ControlReply reply) {
                                                    on_request(request, std::move(reply));
                                                }));
        return {};
    }

    // Every gate of an earlier vpnhad is silent before anything else happens.
    Result<void> open_kernel() {
        if (config_.has_namespaces()) {
            VPNHA_TRY(host_network_, adapters::NetworkNamespace::current());
        }
        VPNHA_TRY(stacks_, runtime::Stacks::open(
                               config_, loop_,
                               [this](GatewayId gateway, LinkSide side, const IpAddress& address) {
                                   run(node_->on_neighbour(gateway, side, address, loop_.now()));
                               }));
        using By = adapters::StockServices::By;
        services_.emplace(
            config_, loop_,
            [this](GatewayId gateway, const std::string& resource) {
                run(node_->on_service_died(gateway, resource, loop_.now()));
            },
            options_.services_by_systemd ? By::systemd : By::this_process);
        // The program that silenced an earlier vpnhad's gateway may still be working on it.
        return services_->wait_idle();
    }

    Result<void> watch_devices() {
        for (const auto& stack : stacks_->all()) {
            VPNHA_CHECK(stack->watch(
                *node_, [this](effects::Effects effects) { run(std::move(effects)); },
                [this](GatewayId id) { return !ending_ && node_->find(id)->view().serves(); },
                [this](const Error& error) { executor_->break_off(error); }));
        }
        return {};
    }

    Result<void> open_cluster_map() {
        VPNHA_TRY(map_,
                  adapters::ClusterMap::open(loop_, {.on_change = [this] { on_totem_changed(); },
                                                     .on_nodes = [this] { on_nodes_changed(); },
                                                     .on_lost = [this] { on_map_lost(); }}));
        return encryption_.check(map_->totem());
    }

    void on_totem_changed() {
        encryption_.check_again(map_->totem());
        run(node_->withhold_records(encryption_.forbids_records(), loop_.now()));
    }

    // Its group reports this as well, if this vpnhad has one.
    void on_map_lost() {
        if (!group_) {
            on_corosync_lost();
        }
    }

    void on_corosync_lost() {
        const auto is_kept = [](const auto& each) {
            return each.second.cores().attachment.kept_until().has_value();
        };
        const auto has_left = [&is_kept](const auto& each) {
            return is_kept(each) || !each.second.cores().attachment.attached();
        };
        if (node_ && std::ranges::any_of(node_->gateways(), is_kept) &&
            std::ranges::all_of(node_->gateways(), has_left)) {
            run(node_->end_stopped(loop_.now()));  // The whole cluster stops on this node.
            return end({});
        }
        end(fail(Errc::unreachable,
                 "the connection to corosync is lost; without it no node may "
                 "speak for a gateway"));
    }

    Result<node::Settings> read_settings() {
        VPNHA_TRY(auto leases, adapters::LeaseFiles::open(config_.state_directory));
        setup_reader_.emplace(config_, map_->key_file());
        setup_events_.emplace(loop_, config_);
        node::Settings settings;
        VPNHA_TRY(settings.self, map_->self());
        settings.name = runtime::own_name(map_->nodes(), settings.self, runtime::host_name());
        settings.confirm_wait = config_.confirm_wait;
        settings.codecs = codecs_;
        VPNHA_TRY(const lease::Setup lease,
                  runtime::lease_setup_of(config_, map_->nodes(), settings.self));
        settings.instance = lease.self.instance.value;
        for (const config::Gateway& gateway : config_.gateways) {
            VPNHA_TRY(auto durable, leases.load(gateway.id));
            if (const Result<void> reserved = leases.reserve(gateway.id); !reserved) {
                write_log(LogLevel::warning, reserved.error().detail);
            }
            node::GatewaySettings& each = settings.gateways.emplace_back(
                runtime::gateway_settings_of(gateway, config_.radius));
            each.keepers.flows.replicate &= stacks_->of(gateway.id).replicates_flows();
            each.lease = lease;
            each.witness_name = config_.witness.name;
            each.durable = std::move(durable);
            each.started_at = started_at_;
            if (!config_.lease_duration) {
                each.lease_watch = config_.lease_watch;
            }
        }
        settings.setups = read_setups();
        VPNHA_TRY(saver_, adapters::LeaseSaver::start(loop_, std::move(leases)));
        return settings;
    }

    Result<void> open_lease_links() {
        VPNHA_TRY(const auto key, runtime::cluster_key_of(map_->key_file()));
        nodes_ = map_->nodes();
        std::vector<GatewayId> gateways;
        adapters::WitnessOptions witness{config_.witness, {}};
        for (const config::Gateway& gateway : config_.gateways) {
            gateways.push_back(gateway.id);
            for (const config::Covered& each : gateway.covered()) {
                witness.covered.push_back(each.net);
            }
        }
        VPNHA_TRY(lease_links_,
                  adapters::LeaseLinks::open(
                      loop_,
                      {.self = node_->gateways().begin()->second.cores().settings.lease.self,
                       .port = config_.lease_port,
                       .nodes = nodes_,
                       .name_address = map_->name_address(),
                       .voters = node_->voters(),
                       .cluster_key = key.content(),
                       .gateways = std::move(gateways),
                       .witness = std::move(witness)},
                      [this](GatewayId gateway, const lease::Sender& sender,
                             const lease::Message& message) {
                          run(node_->on_lease_message(gateway, sender, message, loop_.now()));
                      },
                      [this](NodeId node) { run(node_->on_echo(node, loop_.now())); }));
        return {};
    }

    // A change of corosync.conf writes many keys, one after the other.
    void on_nodes_changed() {
        loop_.set_timer(runtime::kNodesTimer, loop_.now() + kNodesSettle, [this] {
            if (!lease_links_) {
                return;
            }
            const std::vector<adapters::ClusterNode> nodes = map_->nodes();
            const auto voters = runtime::voters_of(nodes, config_.witness);
            if (!voters) {
                return write_log(LogLevel::error, voters.error().detail);
            }
            nodes_ = runtime::with_removed_voters(nodes, nodes_, node_->voters());
            lease_links_->set_nodes(nodes, [this, voters = *voters](const Result<void>& set) {
                if (set) {
                    run(node_->set_voters(voters, loop_.now()));
                } else {
                    write_log(LogLevel::error, set.error().detail);
                }
            });
        });
    }

    // A device's own address changes without an event.
    void look_at_macs() {
        for (const config::Gateway& gateway : config_.gateways) {
            run(node_->set_macs(gateway.id, stacks_->macs(gateway.id), loop_.now()));
        }
    }

    std::vector<wire::Setup> read_setups() {
        std::vector<wire::Setup> setups = setup_reader_->read();
        setup_events_->handle(setups, setup_reader_->key_mark());
        return setups;
    }

    void compare_setups_later() {
        loop_.set_timer(runtime::kSetupTimer, loop_.now() + kSetupInterval, [this] {
            look_at_macs();
            run(node_->set_setups(read_setups(), loop_.now()));
            compare_setups_later();
        });
    }

    Result<void> join_group() {
        VPNHA_TRY(
            group_,
            adapters::CorosyncGroup::join(
                loop_, config_.cluster_group,
                {.on_members =
                     [this](const std::set<NodeId>& members, bool quorate) {
                         scores_.on_members(members);
                         run(node_->on_members(members, quorate, loop_.now()));
                     },
                 .on_message =
                     [this](NodeId sender, ByteView bytes) {
                         run(node_->on_group_message(sender, bytes, loop_.now()));
                     },
                 .on_process_died =
                     [this](NodeId member) { run(node_->on_process_died(member, loop_.now())); },
                 .on_lost = [this] { on_corosync_lost(); }}));
        executor_->set_group(group_.get());
        return {};
    }

    Result<void> make_node() {
        VPNHA_TRY(node::Settings settings, read_settings());
        node_.emplace(std::move(settings));
        node_->set_wall(adapters::wall_offset());
        if (node_->fenced() || adapters::is_fenced(config_.control_socket)) {
            return end_fenced_life();
        }
        VPNHA_CHECK(open_lease_links());
        const auto run_all = [this](effects::Effects effects) { run(std::move(effects)); };
        VPNHA_CHECK(stacks_->open_backends(
            {.node = *node_,
             .key_file = map_->key_file(),
             .notify = [this](GatewayId id,
                              const effects::KeeperEvent& event) { handle(id, event); },
             .run = run_all,
             .failed = [this](const Error& error) { executor_->break_off(error); }}));
        runtime::Requests::Daemon self;
        self.run = run_all;
        self.status = [this](std::map<GatewayId, runtime::SessionCounts> sessions) {
            return status(std::move(sessions));
        };
        self.gate = [this] { return runtime::gate_view(*stacks_, loop_.now()); };
        self.after_scores = [this](std::function<void()> callback) {
            scores_.after_attempts(std::move(callback));
        };
        self.nodes = [this] {
            return runtime::with_removed_voters(map_->nodes(), nodes_, node_->voters());
        };
        self.quorum_device = [this] { return map_->quorum().device; };
        self.strays = [this] { return plugins_->strays(); };
        self.differences = [this](const runtime::StartParameters& wanted) {
            return origin_.differences(wanted);
        };
        self.restart = options_.restart;
        self.loop = {.now = [this] { return loop_.now(); },
                     .run_at =
                         [this](TimePoint at, std::function<void()> then) {
                             loop_.set_timer(runtime::kViewTimer, at, std::move(then));
                         }};
        requests_.emplace(config_, *node_, std::move(self));
        executor_.emplace(
            loop_, *node_,
            runtime::Ports{*stacks_, *stacks_, *stacks_, *services_, *saver_, *lease_links_,
                           stacks_->backends()},
            runtime::Executor::Answers{
                .request =
                    [this](const effects::AnswerRequest& answer) { requests_->on_answer(answer); },
                .plugin = [this](const effects::AnswerPlugin& answer) { plugins_->answer(answer); },
                .end_plugin = [this](PluginToken plugin) { plugins_->end(plugin); },
                .change_plugin =
                    [this](const effects::ChangePlugin& change) { plugins_->change(change); },
                .address =
                    [this](const effects::AnswerAddress& answer) { plugins_->answer(answer); },
                .score =
                    [this](const effects::WriteScore& score) {
                        scores_.write(score.resource, score.score);
                    },
                .idle = [this] { on_idle(); },
                .fenced = [this] { end(end_fenced_life()); },
                .broken =
                    [this](const Error& error) {
                        shut_all_gates();
                        has_failed_ = true;
                        end(tl::unexpected(error));
                    }});
        plugins_.emplace(config_, loop_, *node_, nodes_, stacks_->ppp_protocols(), run_all);
        return {};
    }

    void on_request(const adapters::ControlRequest& request, adapters::ControlReply reply) {
        if (request.verb == "ping") {
            reply.ok({{"version", version()}, {"restarts", options_.restart.count}});
        } else if (!requests_) {
            reply.error({Errc::busy, "vpnhad is starting; try again"});
        } else {
            requests_->on_request(request, std::move(reply), loop_.now());
        }
    }

    [[nodiscard]] nlohmann::json status(
        std::map<GatewayId, runtime::SessionCounts> sessions) const {
        return runtime::status_view(
            *node_, {.version = version(),
                     .gate = *stacks_,
                     .now = loop_.now(),
                     .quorum = runtime::quorum_mode_of(*map_, config_.witness),
                     .sessions = std::move(sessions),
                     .unencrypted_because = encryption_.off_because(),
                     .unencrypted_allowed = encryption_.may_be_off(),
                     .restart = options_.restart,
                     .admissions = stacks_->admissions(),
                     .devices = stacks_->device_warnings(),
                     .strays = plugins_->strays(),
                     .routing =
                         [this](GatewayId gateway) {
                             return stacks_->of(gateway).routing().conflicts(gateway);
                         },
                     .backends = stacks_->backends(),
                     .authorizations = stacks_->authorizations(),
                     .lease = lease_links_->counters(),
                     .plugin_malformed = plugins_->counters().malformed,
                     .control_malformed = control_->counters().malformed});
    }

    // From any network namespace in which an event came.
    void run(effects::Effects effects) {
        const adapters::InNetwork within(host_network_);
        executor_->run(std::move(effects));
    }

    // A vpnhad that was restarted after a death serves the other nodes' leases until Pacemaker has
    // started its gateways again. A stop that only cleans up after the death does not end it.
    void on_idle() {
        if (options_.restart.count != 0 && !requests_->has_attached() && !ordered_to_end_) {
            return;
        }
        stacks_->complete_scripts([this] {
            if (!node_->any_attached()) {
                end({});
            }
        });
    }

    // The shutdown of a machine ends vpnhad right after Pacemaker has stopped its gateways. One
    // that drains serves until its successor claims the lease, 2 s at most. on_idle() follows.
    void end_when_drained() {
        if (node_) {
            run(node_->end_stopped(loop_.now()));
        }
        const auto drains = [](const auto& each) {
            return each.second.cores().attachment.leaving() && each.second.view().serves();
        };
        if (!node_ || std::ranges::none_of(node_->gateways(), drains)) {
            return end({});
        }
        ordered_to_end_ = true;
    }

    // At the loop's next turn, so that pending answers are written first.
    void end(Result<void> result) {
        ended_ = std::move(result);
        ending_ = true;
        loop_.set_timer(runtime::kEndTimer, loop_.now(), [this] {
            if (node_) {
                run(node_->release_leases(loop_.now()));
            }
            loop_.stop();
        });
    }

    Result<void> end_fenced_life() {
        shut_all_gates();
        adapters::LinuxMachine machine;
        return tl::unexpected(runtime::end_fenced_life(config_, *services_, machine));
    }

    void shut_all_gates() {
        for (const config::Gateway& gateway : config_.gateways) {
            for (const Result<void>& result :
                 {stacks_->shut(gateway.id), stacks_->remove_addresses(gateway.id)}) {
                if (!result) {
                    write_log(LogLevel::error, result.error().detail);
                }
            }
        }
    }

    // Members are destroyed from the last to the first: the loop is last.
    config::Config config_;
    DaemonOptions options_;
    runtime::Origin origin_;
    std::span<const wire::Codec> codecs_;
    TimePoint started_at_{};
    adapters::QbLoop loop_;
    runtime::ScoreWriter scores_;
    adapters::NetworkNamespace host_network_;  // Set if gateways are in others too; else none.
    std::optional<adapters::StockServices> services_;
    std::unique_ptr<adapters::LeaseSaver> saver_;
    std::unique_ptr<adapters::LeaseLinks> lease_links_;
    std::unique_ptr<adapters::ClusterMap> map_;
    // As Corosync last listed them, and voters that it no longer lists.
    std::vector<adapters::ClusterNode> nodes_;
    runtime::Encryption encryption_;
    std::unique_ptr<adapters::CorosyncGroup> group_;
    std::optional<runtime::SetupReader> setup_reader_;
    std::optional<runtime::SetupEvents> setup_events_;
    std::optional<node::Node> node_;
    std::optional<runtime::Requests> requests_;
    std::unique_ptr<runtime::Stacks> stacks_;
    std::optional<runtime::Executor> executor_;
    std::optional<runtime::Plugins> plugins_;
    std::unique_ptr<adapters::ControlServer> control_;
    bool ending_ = false;
    bool ordered_to_end_ = false;  // When nothing drains any more.
    bool has_failed_ = false;
    Result<void> ended_;
};

}  // namespace

DaemonEnd run_daemon(const DaemonOptions& options) {
    return runtime::run_daemon(options, wire::released_codecs());
}

int exit_code(const DaemonEnd& end) {
    return end.result ? 0 : end.is_death ? 1 : 3;
}

namespace runtime {

DaemonEnd run_daemon(const DaemonOptions& options, std::span<const wire::Codec> codecs) {
    const auto watched = adapters::Watchdog::take_wish();
    const auto prepared = prepare(options);
    if (!prepared) {
        return {.result = tl::unexpected(prepared.error())};
    }
    Daemon daemon(prepared->config, options, codecs);
    DaemonEnd end{.result = daemon.start()};
    if (end.result) {
        write_log(LogLevel::info, fmt::format("vpnhad {} runs event=started", version()));
        end = {daemon.run(watched), daemon.has_failed()};
    }
    if (end.result) {
        write_log(LogLevel::info, "vpnhad ends event=ended");
    } else {
        write_log(LogLevel::error,
                  fmt::format("vpnhad ends event=ended: {}", end.result.error().detail));
    }
    adapters::close_log();
    return end;
}

}  // namespace runtime

}  // namespace vpnha
