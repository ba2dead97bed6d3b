// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/gateway_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::node {

namespace {

using takeover::Step;

// Repeats of the gratuitous ARP after the one within the promotion: a switch or host that missed it
// (link just up, queue full) learns soon.
constexpr std::array<Duration, 4> kAnnounceAgain{std::chrono::milliseconds(100),
                                                 std::chrono::seconds(1), std::chrono::seconds(3),
                                                 std::chrono::seconds(10)};

wire::RecordKey record_key(const l2tp::SessionKey& key) {
    return wire::RecordKey{wire::RecordType::l2tp_session, l2tp::encode_key(key)};
}

int score_of(wire::Level level) {
    switch (level) {
        case wire::Level::complete:
            return kScoreComplete;
        case wire::Level::partial:
            return kScorePartial;
        case wire::Level::empty:
            return kScoreEmpty;
    }
    return kScoreEmpty;
}

}  // namespace

GatewayNode::GatewayNode(GatewaySettings settings, NodeId self, Duration confirm_wait)
    : settings_(std::move(settings)),
      self_(self),
      confirm_wait_(confirm_wait),
      replica_(settings_.id, self) {}

std::string GatewayNode::tag() const {
    return fmt::format("gateway={} epoch={}", settings_.name, to_string(replica_.epoch()));
}

void GatewayNode::attach(const std::string& resource, const std::set<NodeId>& members,
                         TimePoint now, Effects& effects) {
    resource_ = resource;
    if (!attached_) {
        attached_ = true;
        replica_.on_members(members, now);
        effects.emplace_back(Log{Level::info, fmt::format("attached event=attached {}", tag())});
    }
    // Pacemaker forgets transient attributes with the node; a repeated start writes it again.
    written_score_.reset();
    write_score(effects);
}

void GatewayNode::detach(RequestToken request, TimePoint now, Effects& effects) {
    if (!attached_) {
        effects.emplace_back(AnswerRequest{request, {}});
        return;
    }
    detaching_ = true;
    demote(request, now, effects);
}

void GatewayNode::promote(RequestToken request, TimePoint now, Effects& effects) {
    if (!attached_ || detaching_ || takeover_.busy()) {
        effects.emplace_back(AnswerRequest{
            request, fail(Errc::busy,
                          fmt::format("gateway {} is {}; try again", settings_.name,
                                      attached_ ? to_string(takeover_.state()) : "not attached"))});
        return;
    }
    waiting_requests_.push_back(request);
    follow(takeover_.promote(), now, effects);
}

void GatewayNode::demote(RequestToken request, TimePoint now, Effects& effects) {
    waiting_requests_.push_back(request);
    follow(takeover_.demote(), now, effects);
}

void GatewayNode::follow(const takeover::Next& next, TimePoint now, Effects& effects) {
    if (next.finished) {
        finish(next.succeeded, effects);
        return;
    }
    if (!next.step) {
        return;
    }
    switch (*next.step) {
        case Step::claim:
        case Step::resume_sessions:
        case Step::mute_sessions:
        case Step::install_hot:
            run_inner_step(*next.step, now, effects);
            return;
        case Step::add_addresses:
        case Step::open_gate:
        case Step::announce:
        case Step::shut_gate:
        case Step::remove_addresses:
        case Step::reset_services:
            effects.emplace_back(RunStep{settings_.id, *next.step});
            return;
    }
}

void GatewayNode::run_inner_step(Step step, TimePoint now, Effects& effects) {
    switch (step) {
        case Step::claim:
            claim(effects);
            break;
        case Step::resume_sessions:
            resume_sessions(now, effects);
            break;
        case Step::mute_sessions:
            // Without a word: the next promoted node goes on with them.
            for (const auto& [key, resumed] : std::exchange(resumed_, {})) {
                for (const l2tp::SessionKey& ended : resumed.ended) {
                    effects.emplace_back(RemoveSession{settings_.id, ended});
                }
            }
            resumed_sessions_.clear();
            stock_.clear();
            waiting_plugins_.clear();
            announcements_.clear();
            if (replica_.promoted()) {
                replica_.end_epoch();
            }
            break;
        case Step::install_hot:
            if (!detaching_) {
                take(replica_.install_missing(), now, effects);
            }
            break;
        default:
            VPNHA_ASSERT(false);
    }
    follow(takeover_.on_step(true), now, effects);
}

void GatewayNode::on_step_done(Step step, const Result<void>& result, TimePoint now,
                               Effects& effects) {
    if (!result) {
        effects.emplace_back(Log{Level::error, fmt::format("step {} failed {}: {}", to_string(step),
                                                           tag(), result.error().detail)});
        if (failure_.empty()) {
            failure_ = fmt::format("{}: {}", to_string(step), result.error().detail);
        }
    } else if (step == Step::open_gate) {
        effects.emplace_back(
            Log{Level::info, fmt::format("gate opened event=gate-open {}", tag())});
    } else if (step == Step::announce) {
        announcements_.clear();
        for (const Duration later : kAnnounceAgain) {
            announcements_.push_back(now + later);
        }
    }
    follow(takeover_.on_step(result.has_value()), now, effects);
}

void GatewayNode::finish(bool succeeded, Effects& effects) {
    const bool promoted = takeover_.state() == takeover::State::promoted;
    Result<void> result;
    if (!succeeded) {
        result = fail(Errc::system, failure_.empty() ? "the transition was overtaken" : failure_);
    } else {
        effects.emplace_back(
            Log{Level::info,
                fmt::format("now {} event={} {} sessions={}", promoted ? "promoted" : "unpromoted",
                            promoted ? "promoted" : "demoted", tag(), replica_.store().count())});
    }
    failure_.clear();
    for (const RequestToken request : std::exchange(waiting_requests_, {})) {
        effects.emplace_back(AnswerRequest{request, result});
    }
    if (detaching_ && !promoted) {
        remove_everything(effects);
        effects.emplace_back(Detached{settings_.id});
    }
}

void GatewayNode::remove_everything(Effects& effects) {
    for (const auto& [key, record] : replica_.store().records()) {
        if (const auto session = l2tp::parse_key(key.id)) {
            effects.emplace_back(RemoveSession{settings_.id, *session});
        }
    }
    replica_ = replica::Replica(settings_.id, self_);
    refusals_.clear();
    attached_ = false;
    detaching_ = false;
    written_score_.reset();
}

void GatewayNode::claim(Effects& effects) {
    const Epoch epoch{replica_.epoch().number + 1, self_};
    for (replica::Effect& effect : replica_.begin_epoch(epoch)) {
        effects.emplace_back(SendToGroup{wire::encode(std::get<replica::Send>(effect).message)});
    }
    effects.emplace_back(Log{Level::info, fmt::format("epoch claimed event=claimed {}", tag())});
}

void GatewayNode::resume_sessions(TimePoint now, Effects& effects) {
    std::vector<wire::RecordKey> lost;
    for (const auto& [key, record] : replica_.store().records()) {
        const Result<l2tp::SessionRecord> session = l2tp::parse_record(record.payload);
        if (!session || !replica_.is_installed(key)) {
            lost.push_back(key);
            continue;
        }
        const l2tp::TunnelKey& tunnel = session->key.tunnel;
        auto place = resumed_.find(tunnel);
        if (place == resumed_.end()) {
            l2tp::ResumedTunnel resumed(tunnel, {.hello_interval = settings_.hello_interval});
            place = resumed_.emplace(tunnel, Resumed{std::move(resumed), {}}).first;
        }
        place->second.tunnel.add_session(*session);
        resumed_sessions_.insert(session->key);
    }
    for (const wire::RecordKey& key : lost) {
        effects.emplace_back(Log{Level::error, fmt::format("session lost, this node's kernel does "
                                                           "not have it event=lost {} record={}",
                                                           tag(), to_hex(key.id))});
        replica_.erase(key);
    }
    std::vector<l2tp::TunnelKey> tunnels;
    for (const auto& [key, resumed] : resumed_) {
        tunnels.push_back(key);
    }
    for (const l2tp::TunnelKey& key : tunnels) {
        take(key, resumed_.at(key).tunnel.on_promoted(now), effects);
    }
}

void GatewayNode::on_members(const std::set<NodeId>& members, TimePoint now, Effects& effects) {
    if (attached_) {
        replica_.on_members(members, now);
        answer_protected(now, effects);
    }
}

void GatewayNode::on_message(NodeId sender, const wire::Message& message, TimePoint now,
                             Effects& effects) {
    if (attached_) {
        take(replica_.on_message(sender, message, now), now, effects);
        answer_protected(now, effects);
    }
}

void GatewayNode::take(replica::Effects&& from, TimePoint now, Effects& effects) {
    for (replica::Effect& effect : from) {
        if (auto* send = std::get_if<replica::Send>(&effect)) {
            effects.emplace_back(SendToGroup{wire::encode(send->message)});
        } else if (auto* wanted = std::get_if<replica::Install>(&effect)) {
            install(wanted->key, wanted->payload, effects);
        } else if (auto* remove = std::get_if<replica::Remove>(&effect)) {
            refusals_.erase(remove->key);
            if (const auto session = l2tp::parse_key(remove->key.id)) {
                effects.emplace_back(RemoveSession{settings_.id, *session});
            }
        } else if (auto* superseded = std::get_if<replica::Superseded>(&effect)) {
            effects.emplace_back(
                Log{Level::error, fmt::format("another node claimed epoch {}; this one falls "
                                              "silent event=superseded {}",
                                              to_string(superseded->epoch), tag())});
            follow(takeover_.demote(), now, effects);
        }
    }
}

void GatewayNode::install(const wire::RecordKey& key, const Bytes& payload, Effects& effects) {
    const Result<l2tp::SessionRecord> record =
        key.type == wire::RecordType::l2tp_session
            ? l2tp::parse_record(payload)
            : fail(Errc::unsupported, fmt::format("record type {}", static_cast<int>(key.type)));
    if (!record) {
        // Identical bytes must never bring down all nodes at once: this one record is set aside.
        refusals_[key] = record.error().detail;
        replica_.on_installed(key, false);
        effects.emplace_back(
            Log{Level::error, fmt::format("record set aside event=quarantined {} "
                                          "record={}: {}",
                                          tag(), to_hex(key.id), record.error().detail)});
        return;
    }
    effects.emplace_back(InstallSession{settings_.id, *record});
}

void GatewayNode::on_installed(const l2tp::SessionKey& key, const Result<void>& result,
                               Effects& effects) {
    const wire::RecordKey record = record_key(key);
    replica_.on_installed(record, result.has_value());
    if (result) {
        refusals_.erase(record);
        return;
    }
    refusals_[record] = result.error().detail;
    effects.emplace_back(
        Log{Level::error, fmt::format("the kernel refused a session event=quarantined {} {}: {}",
                                      tag(), l2tp::to_string(key), result.error().detail)});
}

void GatewayNode::on_plugin_up(PluginToken plugin, const l2tp::SessionRecord& record,
                               const std::string& not_resumable, TimePoint now, Effects& effects) {
    if (takeover_.state() != takeover::State::promoted) {
        effects.emplace_back(
            AnswerPlugin{plugin, false, "this node is not promoted for the gateway"});
        return;
    }
    stock_[plugin] = StockSession{record, not_resumable};
    if (!not_resumable.empty()) {
        effects.emplace_back(AnswerPlugin{plugin, false, not_resumable});
        effects.emplace_back(Log{
            Level::warning, fmt::format("session will not survive this node event=unprotected {} "
                                        "{}: {}",
                                        tag(), l2tp::to_string(record.key), not_resumable)});
        return;
    }
    const wire::RecordKey key = record_key(record.key);
    replica_.publish(key, l2tp::encode_record(record));
    waiting_plugins_[plugin] = Waiting{key, now + confirm_wait_};
    effects.emplace_back(Log{Level::info, fmt::format("session up event=session-up {} {}", tag(),
                                                      l2tp::to_string(record.key))});
}

void GatewayNode::on_plugin_down(PluginToken plugin, Effects& effects) {
    waiting_plugins_.erase(plugin);
    const auto found = stock_.find(plugin);
    if (found == stock_.end()) {
        return;  // Ended by a demotion: the session lives on elsewhere.
    }
    const l2tp::SessionKey key = found->second.record.key;
    stock_.erase(found);
    if (replica_.promoted()) {
        replica_.erase(record_key(key));
        effects.emplace_back(Log{Level::info, fmt::format("session down event=session-down {} {}",
                                                          tag(), l2tp::to_string(key))});
    }
}

void GatewayNode::answer_protected(TimePoint now, Effects& effects) {
    std::erase_if(waiting_plugins_, [&](const auto& waiting) {
        const auto& [plugin, wait] = waiting;
        const bool is_protected = replica_.is_protected(wait.key);
        if (!is_protected && now < wait.until) {
            return false;
        }
        effects.emplace_back(AnswerPlugin{
            plugin, is_protected, is_protected ? "" : "no standby has confirmed it in time"});
        return true;
    });
}

void GatewayNode::on_datagram(const l2tp::TunnelKey& tunnel, ByteView bytes, TimePoint now,
                              Effects& effects) {
    const auto found = resumed_.find(tunnel);
    if (found != resumed_.end()) {
        take(tunnel, found->second.tunnel.on_datagram(bytes, now), effects);
    }
}

void GatewayNode::on_frame(const l2tp::SessionKey& session, ByteView frame, TimePoint now,
                           Effects& effects) {
    const auto found = resumed_.find(session.tunnel);
    if (found != resumed_.end()) {
        take(session.tunnel, found->second.tunnel.on_frame(session, frame, now), effects);
    }
}

void GatewayNode::take(const l2tp::TunnelKey& key, l2tp::TunnelEffects&& from, Effects& effects) {
    for (l2tp::TunnelEffect& effect : from) {
        if (auto* datagram = std::get_if<l2tp::SendDatagram>(&effect)) {
            effects.emplace_back(SendDatagram{settings_.id, key, std::move(datagram->bytes)});
        } else if (auto* frame = std::get_if<l2tp::SendFrame>(&effect)) {
            effects.emplace_back(SendFrame{settings_.id, frame->session, std::move(frame->frame)});
        } else if (auto* session = std::get_if<l2tp::SessionEnded>(&effect)) {
            end_session(key, session->session, session->reason, effects);
        } else if (auto* ended = std::get_if<l2tp::TunnelEnded>(&effect)) {
            end_tunnel(key, ended->reason, effects);
            return;
        }
    }
}

void GatewayNode::end_session(const l2tp::TunnelKey& tunnel, const l2tp::SessionKey& session,
                              const std::string& reason, Effects& effects) {
    replica_.erase(record_key(session));
    resumed_sessions_.erase(session);
    Resumed& resumed = resumed_.at(tunnel);
    if (resumed.tunnel.has_sessions()) {
        effects.emplace_back(RemoveSession{settings_.id, session});
    } else {
        // The tunnel's socket goes with its last session, and the tunnel has still to say goodbye.
        resumed.ended.push_back(session);
    }
    effects.emplace_back(Log{Level::info, fmt::format("session ended event=session-down {} {}: {}",
                                                      tag(), l2tp::to_string(session), reason)});
}

void GatewayNode::end_tunnel(const l2tp::TunnelKey& key, const std::string& reason,
                             Effects& effects) {
    Resumed& resumed = resumed_.at(key);
    for (const l2tp::SessionKey& session : resumed.ended) {
        effects.emplace_back(RemoveSession{settings_.id, session});
    }
    past_tunnels_ += resumed.tunnel.counters();
    resumed_.erase(key);
    effects.emplace_back(Log{Level::info, fmt::format("tunnel ended {} peer={}: {}", tag(),
                                                      to_string(key.peer), reason)});
}

void GatewayNode::on_time(TimePoint now, Effects& effects) {
    std::vector<l2tp::TunnelKey> due;
    for (const auto& [key, resumed] : resumed_) {
        const auto at = resumed.tunnel.next_deadline();
        if (at && *at <= now) {
            due.push_back(key);
        }
    }
    for (const l2tp::TunnelKey& key : due) {
        take(key, resumed_.at(key).tunnel.on_time(now), effects);
    }
    if (std::erase_if(announcements_, [now](TimePoint at) { return at <= now; }) != 0) {
        effects.emplace_back(Announce{settings_.id});
    }
    answer_protected(now, effects);
}

void GatewayNode::flush(TimePoint now, Effects& effects) {
    if (attached_) {
        take(replica_.flush(now), now, effects);
        write_score(effects);
    }
}

void GatewayNode::write_score(Effects& effects) {
    // A write while a failure is being handled aborts Pacemaker's transition: hold it back from the
    // loss of a holder until the next one serves.
    const bool holder_lost = replica_.epoch().number != 0 && !replica_.holder();
    const int score = score_of(replica_.level());
    if (resource_.empty() || written_score_ == score || (written_score_ && holder_lost)) {
        return;
    }
    written_score_ = score;
    effects.emplace_back(WriteScore{settings_.id, resource_, score});
}

std::optional<TimePoint> GatewayNode::next_deadline() const {
    if (!attached_) {
        return std::nullopt;
    }
    std::optional<TimePoint> at = replica_.next_deadline();
    for (const auto& [key, resumed] : resumed_) {
        at = earliest(at, resumed.tunnel.next_deadline());
    }
    for (const auto& [plugin, waiting] : waiting_plugins_) {
        at = earliest(at, waiting.until);
    }
    for (const TimePoint announcement : announcements_) {
        at = earliest(at, announcement);
    }
    return at;
}

}  // namespace vpnha::node
