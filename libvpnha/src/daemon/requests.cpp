// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/requests.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "daemon/order_event.hpp"
#include "daemon/views/events_view.hpp"
#include "daemon/views/move_view.hpp"
#include "daemon/views/nodes_view.hpp"
#include "daemon/views/plan_view.hpp"
#include "host/corosync/cluster_nodes.hpp"
#include "host/os/log.hpp"

namespace vpnha::runtime {

using nlohmann::json;

namespace {

constexpr std::chrono::milliseconds kFencePatience{5'000};
constexpr std::chrono::milliseconds kFencePatienceMax{60'000};
// Digits of a session's id.
constexpr std::size_t kSessionIdMin = 4;

std::uint64_t unix_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

void Requests::on_request(const adapters::ControlRequest& request, adapters::ControlReply reply,
                          TimePoint now) {
    const json& arguments = request.arguments;
    const bool is_roots = request.uid == 0;
    if (is_order(request)) {
        adapters::write_log(LogLevel::info, order_line(request, caller_of(request), config_));
    }
    if (request.verb == "status") {
        answer_status(is_roots, std::move(reply));
        return;
    }
    if (request.verb == "sessions") {
        answer_sessions(arguments, is_roots, std::move(reply));
        return;
    }
    if (request.verb == "peers") {
        reply.ok({{"members", peers_view(node_)}, {"differences", differences_view(node_)}});
        return;
    }
    if (request.verb == "gate") {
        const Result<json> gate = daemon_.gate();
        if (gate) {
            reply.ok(*gate);
        } else {
            reply.error(gate.error());
        }
        return;
    }
    if (request.verb == "events") {
        reply.ok(events_view(node_.settings().instance,
                             adapters::events_after(arguments.value("after", std::uint64_t{0}))));
        return;
    }
    if (request.verb == "plan") {
        answer_plan(arguments, std::move(reply));
        return;
    }
    if (request.verb == "confirm_dead") {
        confirm_dead(arguments, std::move(reply), now);
        return;
    }
    if (request.verb == "vote_without") {
        vote_without(arguments, std::move(reply), now);
        return;
    }
    if (request.verb == "fence") {
        fence(arguments, std::move(reply), now);
        return;
    }
    if (request.verb == "switchover") {
        switch_over(arguments, std::move(reply), now);
        return;
    }
    if (request.verb == "session_end") {
        find_session(arguments, std::move(reply));
        return;
    }
    if (request.verb == "nodes") {
        reply.ok(nodes_view(node_, daemon_.nodes(), now));
        return;
    }
    const Verb verb = find_verb(request.verb);
    if (verb == nullptr && request.verb != "monitor") {
        reply.error({Errc::invalid_argument, fmt::format("unknown verb '{}'", request.verb)});
        return;
    }
    const Result<GatewayId> gateway = gateway_of(arguments);
    if (!gateway) {
        reply.error(gateway.error());
        return;
    }
    if (verb == nullptr) {
        answer_monitor(*gateway, arguments.value("probe", false), std::move(reply), now);
        return;
    }
    const bool takes_part = request.verb == "attach" || request.verb == "promote";
    if (takes_part && daemon_.restart.votes_only) {
        reply.error({Errc::limit,
                     fmt::format("vpnhad only votes on this node: it died several times one after "
                                 "the other, last of {}; its log has more. keep-vpnhad has it take "
                                 "part again ten minutes after the last death",
                                 daemon_.restart.death)});
        return;
    }
    if (request.verb == "attach" && makes_way(*gateway, arguments, reply, now)) {
        return;
    }
    const RequestToken token = next_token_++;
    effects::Effects effects = verb(node_, token, *gateway, arguments, now);
    waiting_.emplace(token, std::move(reply));
    if (request.verb == "attach") {
        attaching_.insert(token);
    }
    daemon_.run(std::move(effects));
}

Requests::Verb Requests::find_verb(const std::string& name) {
    static const std::map<std::string, Verb> kVerbs = {
        {"attach",
         [](node::Node& node, RequestToken token, GatewayId gateway, const json& arguments,
            TimePoint now) {
             return node.attach(token, gateway, arguments.value("resource", ""), now);
         }},
        {"detach", [](node::Node& node, RequestToken token, GatewayId gateway, const json&,
                      TimePoint now) { return node.detach(token, gateway, now); }},
        {"promote", [](node::Node& node, RequestToken token, GatewayId gateway, const json&,
                       TimePoint now) { return node.promote(token, gateway, now); }},
        {"demote", [](node::Node& node, RequestToken token, GatewayId gateway, const json&,
                      TimePoint now) { return node.demote(token, gateway, now); }},
        {"release", [](node::Node& node, RequestToken token, GatewayId gateway, const json&,
                       TimePoint now) { return node.stop_standing_in(token, gateway, now); }},
        {"drain", [](node::Node& node, RequestToken token, GatewayId gateway, const json&,
                     TimePoint now) { return node.drain(token, gateway, unix_ms(), now); }},
        {"undrain", [](node::Node& node, RequestToken token, GatewayId gateway, const json&,
                       TimePoint now) { return node.drain(token, gateway, std::nullopt, now); }},
        {"resync", [](node::Node& node, RequestToken token, GatewayId gateway, const json&,
                      TimePoint now) { return node.resync(token, gateway, now); }}};
    const auto found = kVerbs.find(name);
    return found == kVerbs.end() ? nullptr : found->second;
}

bool Requests::makes_way(GatewayId gateway, const json& arguments, adapters::ControlReply& reply,
                         TimePoint now) {
    const node::GatewayNode& state = *node_.find(gateway);
    if (!state.cores().attachment.leaving()) {
        return false;
    }
    const std::vector<std::string> differences = daemon_.differences(
        {arguments.value("config", std::string()), arguments.value("log_file", std::string())});
    if (differences.empty()) {
        return false;
    }
    const auto has_to_stay = [](const auto& each) {
        const node::GatewayNode& other = each.second;
        return other.cores().attachment.attached() &&
               !(other.cores().attachment.kept_until() && other.view().others_have_records());
    };
    if (std::ranges::any_of(node_.gateways(), has_to_stay)) {
        adapters::write_log(
            LogLevel::warning,
            fmt::format("this vpnhad keeps running as it was started event=old-start gateway={}: "
                        "other nodes do not have all its sessions. Since its start: {}. Have it "
                        "start anew later, one node after the other",
                        state.cores().settings.name, fmt::join(differences, ", ")));
        return false;
    }
    // The agent repeats its request until a new one answers.
    reply.error({Errc::busy, fmt::format("vpnhad starts anew: {}", fmt::join(differences, ", "))});
    daemon_.run(node_.end_stopped(now));
    return true;
}

void Requests::answer_monitor(GatewayId gateway, bool probe, adapters::ControlReply reply,
                              TimePoint now) {
    const auto answer = [this, gateway](adapters::ControlReply& to) {
        const node::GatewayNode* const state = node_.find(gateway);
        to.ok({{"attached",
                state->cores().attachment.attached() && !state->cores().attachment.leaving()},
               {"role", state->view().is_promoted() ? "promoted" : "unpromoted"},
               {"draining", state->view().state() == takeover::State::draining},
               {"kept", state->cores().attachment.kept_until().has_value()}});
    };
    if (!probe) {
        answer(reply);
        return;
    }
    // A Pacemaker that was restarted beside a live vpnhad has forgotten its score. After the answer
    // to the probe it decides which node is promoted.
    daemon_.run(node_.on_probe(gateway, now));
    daemon_.after_scores(
        [answer, to = std::make_shared<adapters::ControlReply>(std::move(reply))] { answer(*to); });
}

void Requests::find_session(const json& arguments, adapters::ControlReply reply) {
    const std::string id = arguments.value("id", "");
    if (id.size() < kSessionIdMin) {
        reply.error({Errc::invalid_argument,
                     fmt::format("'{}' is too short for the id of a session; `vpnha sessions` "
                                 "shows them, and {} digits are the fewest",
                                 id, kSessionIdMin)});
        return;
    }
    struct Search {
        adapters::ControlReply reply;
        std::vector<std::pair<GatewayId, wire::RecordKey>> found;
    };
    const auto search = std::make_shared<Search>(Search{std::move(reply), {}});
    walks_.add(
        {.is_roots = true,
         .only = std::nullopt,
         .is_wanted = [search] { return search->reply.is_wanted(); },
         .on_session =
             [search, id](const node::GatewayNode& gateway, const keepers::SessionView& session) {
                 if (keepers::session_id(session.record).starts_with(id)) {
                     search->found.emplace_back(gateway.cores().settings.id, session.record);
                 }
                 return search->found.size() < 2;
             },
         .on_end =
             [this, search, id] {
                 if (search->found.size() > 1) {
                     search->reply.error(
                         {Errc::invalid_argument,
                          fmt::format("more than one session has an id that begins with "
                                      "'{}'; give more of it",
                                      id)});
                 } else if (search->found.empty()) {
                     search->reply.error(
                         {Errc::not_found, fmt::format("this node knows no session '{}'", id)});
                 } else {
                     const auto& [gateway, session] = search->found.front();
                     end_session(gateway, session, std::move(search->reply));
                 }
             }});
}

void Requests::end_session(GatewayId gateway, const wire::RecordKey& session,
                           adapters::ControlReply reply) {
    const RequestToken token = next_token_++;
    effects::Effects effects = node_.end_session(token, gateway, session, daemon_.loop.now());
    waiting_.emplace(token, std::move(reply));
    daemon_.run(std::move(effects));
}

Result<NodeId> Requests::node_of(const json& arguments) const {
    const std::string name = arguments.value("node", "");
    const std::optional<NodeId> node = find_node(daemon_.nodes(), name, node_.announced_names());
    if (!node) {
        return fail(
            Errc::not_found,
            fmt::format("corosync.conf and the lists of voters have no node '{}'; if "
                        "corosync.conf gives the node no name, or no longer lists it, use its "
                        "nodeid",
                        name));
    }
    return *node;
}

void Requests::confirm_dead(const json& arguments, adapters::ControlReply reply, TimePoint now) {
    const Result<NodeId> victim = node_of(arguments);
    if (!victim) {
        reply.error(victim.error());
        return;
    }
    if (node_.members().contains(*victim)) {
        reply.error({Errc::busy, fmt::format("node {} lives: its vpnhad is a member of the group",
                                             arguments.value("node", ""))});
        return;
    }
    const auto by = arguments.value("by", "operator") == "device" ? lease::Confirmed::by_device
                                                                  : lease::Confirmed::by_operator;
    const RequestToken token = next_token_++;
    waiting_.emplace(token, std::move(reply));
    daemon_.run(node_.confirm_dead(token, *victim, by, now));
}

void Requests::vote_without(const json& arguments, adapters::ControlReply reply, TimePoint now) {
    const Result<NodeId> node = node_of(arguments);
    if (!node) {
        reply.error(node.error());
        return;
    }
    const RequestToken token = next_token_++;
    waiting_.emplace(token, std::move(reply));
    daemon_.run(node_.vote_without(token, *node, now));
}

void Requests::fence(const json& arguments, adapters::ControlReply reply, TimePoint now) {
    const Result<NodeId> victim = node_of(arguments);
    if (!victim) {
        reply.error(victim.error());
        return;
    }
    if (const std::string model = daemon_.quorum_device();
        !model.empty() && node_.voters().size() < lease::kVotersToStandIn) {
        reply.error({Errc::unsupported,
                     fmt::format("the cluster has a quorum device ({}), which makes no promises: "
                                 "of the nodes alone no majority could fence one; fence it by its "
                                 "power",
                                 model)});
        return;
    }
    const auto patience = std::chrono::milliseconds(std::clamp<std::int64_t>(
        arguments.value("timeout_ms", kFencePatience.count()), 1, kFencePatienceMax.count()));
    const RequestToken token = next_token_++;
    waiting_.emplace(token, std::move(reply));
    daemon_.run(node_.fence(token, *victim, patience, now));
}

void Requests::switch_over(const json& arguments, adapters::ControlReply reply, TimePoint now) {
    const Result<GatewayId> gateway = gateway_of(arguments);
    if (!gateway) {
        reply.error(gateway.error());
        return;
    }
    const Result<std::optional<NodeId>> to = parse_member(node_, arguments.value("to", ""));
    if (!to) {
        reply.error(to.error());
        return;
    }
    const node::GatewayNode& state = *node_.find(*gateway);
    const std::string epoch = arguments.value("epoch", "");
    const bool continues = !epoch.empty() && *to;
    if (continues && epoch != to_string(state.cores().replica.epoch())) {
        reply.ok(moved_view(state, epoch));
        return;
    }
    // During the move no node may be promoted for a moment: plan_move() is called only once.
    const Result<node::MovePlan> plan = continues
                                            ? node::MovePlan{state.cores().replica.epoch().node,
                                                             **to, state.cores().replica.epoch()}
                                            : state.moves().plan(*to);
    if (!plan) {
        reply.error(plan.error());
        return;
    }
    const bool dry_run = arguments.value("dry_run", false);
    if (!dry_run) {
        daemon_.run(node_.ask_move(*gateway, *plan, now));
    }
    reply.ok(move_view(state, *plan, dry_run ? "possible" : continues ? "moving" : "asked"));
}

void Requests::answer_status(bool is_roots, adapters::ControlReply reply) {
    struct Status {
        adapters::ControlReply reply;
        std::map<GatewayId, SessionCounts> counts;
    };
    const auto status = std::make_shared<Status>(Status{std::move(reply), {}});
    walks_.add(
        {.is_roots = is_roots,
         .only = std::nullopt,
         .is_wanted = [status] { return status->reply.is_wanted(); },
         .on_session =
             [status](const node::GatewayNode& gateway, const keepers::SessionView& session) {
                 status->counts[gateway.cores().settings.id].add(session);
                 return true;
             },
         .on_end = [this,
                    status] { status->reply.ok(daemon_.status(std::move(status->counts))); }});
}

void Requests::answer_sessions(const json& arguments, bool is_roots, adapters::ControlReply reply) {
    const Result<std::optional<GatewayId>> only = only_gateway(arguments);
    if (!only) {
        reply.error(only.error());
        return;
    }
    struct List {
        adapters::ControlReply reply;
        SessionList sessions;
    };
    const auto list = std::make_shared<List>(List{std::move(reply), {}});
    walks_.add(
        {.is_roots = is_roots,
         .only = *only,
         .is_wanted = [list] { return list->reply.is_wanted(); },
         .on_session =
             [this, list](const node::GatewayNode& gateway, const keepers::SessionView& session) {
                 return list->sessions.add(session_row(node_, gateway, session));
             },
         .on_end =
             [this, list, only = *only] {
                 add_strays(only, list->sessions);
                 if (list->sessions.is_too_large()) {
                     list->reply.error({Errc::limit,
                                        "the list of all sessions is larger than an answer "
                                        "may be; ask for one gateway"});
                 } else {
                     list->reply.ok_text(std::move(list->sessions).take());
                 }
             }});
}

void Requests::add_strays(std::optional<GatewayId> only, SessionList& list) const {
    for (const StraySession& stray : daemon_.strays()) {
        if (!only || stray.gateway == node_.find(*only)->cores().settings.name) {
            list.add(stray_row(node_, stray));
        }
    }
}

void Requests::answer_plan(const json& arguments, adapters::ControlReply reply) const {
    const Result<std::optional<GatewayId>> only = only_gateway(arguments);
    if (!only) {
        reply.error(only.error());
        return;
    }
    const Result<std::optional<NodeId>> without =
        parse_member(node_, arguments.value("without", ""));
    if (without) {
        reply.ok(plan_view(node_, *only, *without));
    } else {
        reply.error(without.error());
    }
}

void Requests::on_answer(const effects::AnswerRequest& answer) {
    if (attaching_.erase(answer.request) == 0 || !answer.result) {
        finish(answer, json::object());
        return;
    }
    has_attached_ = true;
    // Pacemaker may still remember a better score of the earlier life; once the start has ended it
    // may promote by it.
    daemon_.after_scores([this, answer] {
        finish(answer,
               {{"process", ::getpid()}, {"instance", std::to_string(node_.settings().instance)}});
    });
}

void Requests::finish(const effects::AnswerRequest& answer, const json& result) {
    const auto waiting = waiting_.find(answer.request);
    if (waiting == waiting_.end()) {
        return;
    }
    if (answer.result) {
        waiting->second.ok(result);
    } else {
        waiting->second.error(answer.result.error());
    }
    waiting_.erase(waiting);
}

Result<std::optional<GatewayId>> Requests::only_gateway(const json& arguments) const {
    if (!arguments.contains("gateway")) {
        return std::nullopt;
    }
    VPNHA_TRY(const GatewayId gateway, gateway_of(arguments));
    return gateway;
}

Result<GatewayId> Requests::gateway_of(const json& arguments) const {
    const std::string name = arguments.value("gateway", "");
    const config::Gateway* const gateway = name.empty() && config_.gateways.size() == 1
                                               ? &config_.gateways.front()
                                               : config_.find(name);
    if (gateway != nullptr) {
        return gateway->id;
    }
    std::string names;
    for (const config::Gateway& each : config_.gateways) {
        names += (names.empty() ? "" : ", ") + each.name;
    }
    return fail(Errc::not_found,
                fmt::format("no gateway '{}' in the configuration; name one of: {}", name, names));
}

}  // namespace vpnha::runtime
