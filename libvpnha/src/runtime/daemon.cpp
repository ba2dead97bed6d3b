// SPDX-License-Identifier: GPL-2.0-or-later
#include "vpnha/daemon.hpp"

#include <fmt/format.h>
#include <sodium.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>

#include "adapters/control_server.hpp"
#include "adapters/gate.hpp"
#include "adapters/log.hpp"
#include "adapters/network.hpp"
#include "adapters/plugin_server.hpp"
#include "adapters/pppol2tp.hpp"
#include "adapters/xl2tpd_services.hpp"
#include "config/config.hpp"
#include "runtime/executor.hpp"
#include "runtime/score_writer.hpp"
#include "runtime/timers.hpp"
#include "runtime/views.hpp"
#include "vpnha/version.hpp"

namespace vpnha {

namespace {

using adapters::write_log;
using nlohmann::json;

std::string host_name() {
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    return name.data();
}

node::Settings settings_of(const config::Config& config, NodeId self) {
    node::Settings settings;
    settings.self = self;
    settings.name = host_name();
    randombytes_buf(&settings.instance, sizeof settings.instance);
    settings.confirm_wait = config.confirm_wait;
    for (const config::Gateway& gateway : config.gateways) {
        settings.gateways.push_back({gateway.id, gateway.name, gateway.l2tp.hello_interval});
    }
    return settings;
}

// Session keys must never reach a disk: no core file, and nobody else's debugger.
void forbid_core_files() {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
}

class Daemon {
  public:
    explicit Daemon(config::Config config) : config_(std::move(config)), scores_(loop_) {}

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
        VPNHA_CHECK(open_kernel());
        VPNHA_CHECK(join_group());
        VPNHA_CHECK(open_plugin_socket());
        loop_.on_signal(SIGTERM, [this] { end({}); });
        loop_.on_signal(SIGINT, [this] { end({}); });
        return {};
    }

    Result<void> run() {
        loop_.run();
        shut_all_gates();
        return ended_;
    }

  private:
    Result<void> open_control_socket() {
        VPNHA_TRY(control_,
                  adapters::ControlServer::open(loop_, {.path = config_.control_socket},
                                                [this](const adapters::ControlRequest& request,
                                                       adapters::ControlReply reply) {
                                                    on_request(request, std::move(reply));
                                                }));
        return {};
    }

    // Whatever an earlier vpnhad left is silent before anything else happens.
    Result<void> open_kernel() {
        VPNHA_TRY(auto gate, adapters::BpfGate::create(config_));
        gate_.emplace(std::move(gate));
        VPNHA_TRY(auto network, adapters::LinuxNetwork::create(config_));
        network_.emplace(std::move(network));
        for (const config::Gateway& gateway : config_.gateways) {
            VPNHA_CHECK(gate_->attach(gateway.id));
            VPNHA_CHECK(gate_->shut(gateway.id));
            VPNHA_CHECK(network_->flush(gateway.id));
        }
        services_.emplace(config_);
        VPNHA_TRY(
            kernel_,
            adapters::PppoL2tpKernel::create(
                config_, loop_,
                {.on_datagram =
                     [this](GatewayId gateway, const l2tp::TunnelKey& tunnel, ByteView bytes) {
                         run(node_->on_datagram(gateway, tunnel, bytes, loop_.now()));
                     },
                 .on_frame =
                     [this](GatewayId gateway, const l2tp::SessionKey& session, ByteView frame) {
                         run(node_->on_frame(gateway, session, frame, loop_.now()));
                     }}));
        return {};
    }

    Result<void> join_group() {
        VPNHA_TRY(group_, adapters::CorosyncGroup::join(
                              loop_, config_.cluster_group,
                              {.on_members =
                                   [this](const std::set<NodeId>& members) {
                                       run(node_->on_members(members, loop_.now()));
                                   },
                               .on_message =
                                   [this](NodeId sender, ByteView bytes) {
                                       run(node_->on_group_message(sender, bytes, loop_.now()));
                                   },
                               .on_lost =
                                   [this] {
                                       end(fail(Errc::unreachable,
                                                "corosync is gone; without it nobody may speak "
                                                "for a gateway"));
                                   }}));
        node_.emplace(settings_of(config_, group_->self()));
        executor_.emplace(
            loop_, *node_, runtime::Ports{*gate_, *network_, *services_, *kernel_},
            runtime::Executor::Answers{.request = [this](const auto& answer) { on_answer(answer); },
                                       .plugin =
                                           [this](const node::AnswerPlugin& answer) {
                                               plugins_->answer({answer.plugin}, answer.reason);
                                           },
                                       .score =
                                           [this](const node::WriteScore& score) {
                                               scores_.write(score.resource, score.score);
                                           },
                                       .idle = [this] { end({}); }});
        executor_->set_group(group_.get());
        return {};
    }

    Result<void> open_plugin_socket() {
        adapters::PluginListener listener{
            .on_up = [this](adapters::PluginClientId client,
                            const adapters::PluginSessionUp& up) { on_plugin_up(client, up); },
            .on_down =
                [this](adapters::PluginClientId client) {
                    run(node_->on_plugin_down(client.value, loop_.now()));
                },
            .on_gone = [this](adapters::PluginClientId client,
                              bool) { run(node_->on_plugin_down(client.value, loop_.now())); }};
        VPNHA_TRY(plugins_,
                  adapters::PluginServer::open(loop_, config_.plugin_socket, std::move(listener)));
        return {};
    }

    void on_plugin_up(adapters::PluginClientId client, const adapters::PluginSessionUp& up) {
        l2tp::SessionRecord record = up.record;
        if (const config::Gateway* gateway = config_.find(up.gateway)) {
            // What pppd cannot know: xl2tpd listens on the gateway's first VIP.
            record.key.tunnel.local = {gateway->outside.addresses.front().address,
                                       gateway->l2tp.port};
        }
        run(node_->on_plugin_up(client.value, up.gateway, record,
                                fmt::format("{}", fmt::join(up.not_resumable, "; ")), loop_.now()));
    }

    void on_request(const adapters::ControlRequest& request, adapters::ControlReply reply) {
        const json& arguments = request.arguments;
        if (request.verb == "ping") {
            reply.ok({{"version", version()}});
        } else if (!node_) {
            reply.error({Errc::busy, "vpnhad is starting; try again"});
        } else if (request.verb == "status") {
            json status = runtime::status_view(*node_, *gate_);
            status["counters"]["plugin_malformed"] = plugins_->counters().malformed;
            status["counters"]["control_malformed"] = control_->counters().malformed;
            reply.ok(status);
        } else if (request.verb == "sessions") {
            reply.ok(runtime::sessions_view(*node_, arguments.value("gateway", "")));
        } else if (request.verb == "peers") {
            reply.ok({{"members", runtime::peers_view(*node_)}});
        } else {
            on_gateway_request(request, std::move(reply));
        }
    }

    // The agents' verbs: each is about one gateway, the only one when none is named.
    void on_gateway_request(const adapters::ControlRequest& request, adapters::ControlReply reply) {
        const std::string name = request.arguments.value("gateway", "");
        const config::Gateway* gateway = name.empty() && config_.gateways.size() == 1
                                             ? &config_.gateways.front()
                                             : config_.find(name);
        if (gateway == nullptr) {
            reply.error({Errc::not_found,
                         fmt::format("no gateway '{}' in the configuration; name one of: {}", name,
                                     gateway_names())});
            return;
        }
        const TimePoint now = loop_.now();
        if (request.verb == "monitor") {
            const node::GatewayNode* state = node_->find(gateway->id);
            reply.ok({{"attached", state->attached()},
                      {"role",
                       state->state() == takeover::State::promoted ? "promoted" : "unpromoted"}});
            return;
        }
        const node::RequestToken token = next_token_++;
        waiting_.emplace(token, std::move(reply));
        if (request.verb == "attach") {
            run(node_->attach(token, gateway->id, request.arguments.value("resource", ""), now));
        } else if (request.verb == "detach") {
            run(node_->detach(token, gateway->id, now));
        } else if (request.verb == "promote") {
            run(node_->promote(token, gateway->id, now));
        } else if (request.verb == "demote") {
            run(node_->demote(token, gateway->id, now));
        } else {
            on_answer({token, fail(Errc::invalid_argument,
                                   fmt::format("unknown verb '{}'", request.verb))});
        }
    }

    void on_answer(const node::AnswerRequest& answer) {
        const auto waiting = waiting_.find(answer.request);
        if (waiting == waiting_.end()) {
            return;
        }
        if (answer.result) {
            waiting->second.ok(json::object());
        } else {
            waiting->second.error(answer.result.error());
        }
        waiting_.erase(waiting);
    }

    [[nodiscard]] std::string gateway_names() const {
        std::string names;
        for (const config::Gateway& gateway : config_.gateways) {
            names += (names.empty() ? "" : ", ") + gateway.name;
        }
        return names;
    }

    void run(node::Effects effects) { executor_->run(std::move(effects)); }

    // At the loop's next turn, so that answers under way are written first.
    void end(Result<void> result) {
        ended_ = std::move(result);
        loop_.set_timer(runtime::kEndTimer, loop_.now(), [this] { loop_.stop(); });
    }

    void shut_all_gates() {
        for (const config::Gateway& gateway : config_.gateways) {
            for (const Result<void>& result :
                 {gate_->shut(gateway.id), network_->remove_addresses(gateway.id)}) {
                if (!result) {
                    write_log(node::Level::error, result.error().detail);
                }
            }
        }
    }

    // Members are destroyed from the last to the first: the loop is the last to go.
    config::Config config_;
    adapters::QbLoop loop_;
    runtime::ScoreWriter scores_;
    std::optional<adapters::BpfGate> gate_;
    std::optional<adapters::LinuxNetwork> network_;
    std::optional<adapters::Xl2tpdServices> services_;
    std::unique_ptr<adapters::PppoL2tpKernel> kernel_;
    std::unique_ptr<adapters::CorosyncGroup> group_;
    std::optional<node::Node> node_;
    std::optional<runtime::Executor> executor_;
    std::unique_ptr<adapters::PluginServer> plugins_;
    std::unique_ptr<adapters::ControlServer> control_;
    std::map<node::RequestToken, adapters::ControlReply> waiting_;
    node::RequestToken next_token_ = 1;
    Result<void> ended_;
};

}  // namespace

Result<void> check_config(const std::string& config_file) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    static_cast<void>(config);
    return {};
}

Result<void> run_daemon(const DaemonOptions& options) {
    VPNHA_TRY(config::Config config, config::load(options.config_file));
    VPNHA_CHECK(adapters::open_log(config.log_level, options.log_file));
    forbid_core_files();
    if (sodium_init() < 0) {
        return fail(Errc::unsupported, "libsodium cannot be initialised");
    }
    Daemon daemon(std::move(config));
    Result<void> result = daemon.start();
    if (result) {
        write_log(node::Level::info, fmt::format("vpnhad {} runs event=started", version()));
        result = daemon.run();
    }
    if (result) {
        write_log(node::Level::info, "vpnhad ends event=ended");
    } else {
        write_log(node::Level::error,
                  fmt::format("vpnhad ends event=ended: {}", result.error().detail));
    }
    adapters::close_log();
    return result;
}

}  // namespace vpnha
