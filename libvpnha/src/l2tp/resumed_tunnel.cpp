// SPDX-License-Identifier: GPL-2.0-or-later
#include "l2tp/resumed_tunnel.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "l2tp/control_message.hpp"

namespace vpnha::l2tp {

namespace {

enum class Phase { waiting, live, closing, ended };

constexpr SessionId kNoSession{0};

ppp::LinkSettings link_settings(const SessionRecord& record) {
    return {.ours = record.ours,
            .theirs = record.theirs,
            .echo_interval = std::chrono::seconds(record.echo_interval_s),
            .echo_failures = record.echo_failures,
            .echo_is_adaptive = record.echo_is_adaptive,
            .ipv6 = record.ipv6.has_value()};
}

void say(const SessionKey& session, ppp::LinkKeeper::Effects& link, TunnelEffects& effects) {
    for (Bytes& frame : link.frames) {
        effects.emplace_back(SendFrame{session, std::move(frame)});
    }
}

}  // namespace

struct ResumedTunnel::State {
    using Sessions = std::map<SessionKey, ppp::LinkKeeper>;

    struct Doubt {
        std::string reason;
        TimePoint next_echo;
        TimePoint deadline;
    };

    State(const TunnelKey& tunnel, const ChannelOptions& options)
        : key(tunnel), channel(tunnel.peer_id, options) {}

    TunnelKey key;
    ControlChannel channel;
    TunnelCounters counters;
    Sessions sessions;
    Phase phase = Phase::waiting;
    TimePoint latest{};  // The time last given.
    std::optional<Doubt> doubt;
    std::optional<TimePoint> next_doubt;  // Not before.
    TimePoint closed_by{};                // While closing.

    Sessions::iterator find_own(SessionId id);
    Sessions::iterator find_peers(SessionId peer_id);
    void on_control(const ControlMessage& message, TunnelEffects& effects);
    void on_stopccn(const ControlMessage& message, TunnelEffects& effects);
    void on_cdn(const ControlMessage& message, TunnelEffects& effects);
    void on_request(const ControlMessage& message);
    void on_call_connected(const ControlMessage& message);
    void on_sccrq(TunnelEffects& effects);
    void apply(Sessions::iterator session, ppp::LinkKeeper::Effects link, CdnResult result,
               TunnelEffects& effects);
    void end_session(Sessions::iterator session, std::string reason, EndCause cause,
                     TunnelEffects& effects);
    void stop(const std::string& reason, TunnelEffects& effects);
    void end_all(const std::string& reason, EndCause cause, TunnelEffects& effects);
    void raise_doubt(std::string reason, TunnelEffects& effects);
    void ask_all(TunnelEffects& effects);
    void on_doubt_time(TunnelEffects& effects);
    void drain(TunnelEffects& effects);
    void settle(TunnelEffects& effects);
};

ResumedTunnel::State::Sessions::iterator ResumedTunnel::State::find_own(SessionId id) {
    auto session = sessions.begin();
    while (session != sessions.end() && session->first.id != id) {
        ++session;
    }
    return session;
}

ResumedTunnel::State::Sessions::iterator ResumedTunnel::State::find_peers(SessionId peer_id) {
    auto session = sessions.begin();
    while (session != sessions.end() && session->first.peer_id != peer_id) {
        ++session;
    }
    return session;
}

void ResumedTunnel::State::on_control(const ControlMessage& message, TunnelEffects& effects) {
    switch (message.type()) {
        case MessageType::stopccn:
            on_stopccn(message, effects);
            break;
        case MessageType::cdn:
            on_cdn(message, effects);
            break;
        case MessageType::icrq:
        case MessageType::ocrq:
            on_request(message);
            break;
        case MessageType::iccn:
        case MessageType::occn:
            on_call_connected(message);
            break;
        case MessageType::hello:
        case MessageType::wen:
        case MessageType::sli:
            counters.unproven += message.has_unknown_mandatory() ? 1 : 0;
            break;
        default:
            ++counters.unexpected;
            break;
    }
}

void ResumedTunnel::State::on_stopccn(const ControlMessage& message, TunnelEffects& effects) {
    if (message.u16(AvpType::assigned_tunnel_id) != key.peer_id.value) {
        ++counters.unproven;
        return;
    }
    end_all(
        fmt::format("peer sent StopCCN (result {})", message.u16(AvpType::result_code).value_or(0)),
        EndCause::user_request, effects);
}

void ResumedTunnel::State::on_cdn(const ControlMessage& message, TunnelEffects& effects) {
    const SessionId peers{message.u16(AvpType::assigned_session_id).value_or(0)};
    // A peer that does not know our id yet writes 0 and names the call by its own (RFC 2661 4.4.4).
    const auto session =
        message.header.session != kNoSession ? find_own(message.header.session) : find_peers(peers);
    if (session == sessions.end()) {
        ++counters.unexpected;
        return;
    }
    if (session->first.peer_id != peers) {
        ++counters.unproven;
        return;
    }
    end_session(
        session,
        fmt::format("peer sent CDN (result {})", message.u16(AvpType::result_code).value_or(0)),
        EndCause::user_request, effects);
}

// Another call in this tunnel: only the stock daemon could set it up, and it does not know the
// tunnel. A refusal makes a client dial again, with a tunnel of its own.
void ResumedTunnel::State::on_request(const ControlMessage& message) {
    const auto peers = message.u16(AvpType::assigned_session_id);
    // A late duplicate of the request that set up a living session must not end it.
    if (!peers || *peers == 0 || find_peers(SessionId{*peers}) != sessions.end() ||
        channel.crowded()) {
        ++counters.unexpected;
        return;
    }
    channel.send(SessionId{*peers}, encode_cdn(CdnResult::no_facilities_now, kNoSession), latest);
}

// The end of a set-up that the dead node began: its id is all that names the call.
void ResumedTunnel::State::on_call_connected(const ControlMessage& message) {
    const SessionId own = message.header.session;
    if (own == kNoSession || find_own(own) != sessions.end() || channel.crowded()) {
        ++counters.unexpected;
        return;
    }
    channel.send(kNoSession, encode_cdn(CdnResult::no_facilities_now, own), latest);
}

void ResumedTunnel::State::on_sccrq(TunnelEffects& effects) {
    if (phase == Phase::closing) {
        end_all("peer dialled anew", EndCause::lost_carrier, effects);
    } else if (doubt || (next_doubt && latest < *next_doubt)) {
        ++counters.unexpected;
    } else {
        raise_doubt("peer dialled anew and answers no LCP echo", effects);
    }
}

void ResumedTunnel::State::apply(Sessions::iterator session, ppp::LinkKeeper::Effects link,
                                 CdnResult result, TunnelEffects& effects) {
    say(session->first, link, effects);
    if (link.end_reason) {
        channel.send(session->first.peer_id, encode_cdn(result, session->first.id), latest);
        end_session(session, std::move(*link.end_reason), link.cause, effects);
    }
}

void ResumedTunnel::State::end_session(Sessions::iterator session, std::string reason,
                                       EndCause cause, TunnelEffects& effects) {
    drain(effects);
    effects.emplace_back(SessionEnded{session->first, std::move(reason), cause});
    sessions.erase(session);
    if (sessions.empty() && phase == Phase::live) {
        stop("its last session ended", effects);
    }
}

void ResumedTunnel::State::stop(const std::string& reason, TunnelEffects& effects) {
    if (phase != Phase::live) {
        return;
    }
    phase = Phase::closing;
    closed_by = latest + ControlChannel::kGiveUp;
    doubt.reset();
    channel.send(kNoSession, encode_stopccn(key.id), latest);
    drain(effects);
    for (const auto& [session, link] : sessions) {
        effects.emplace_back(SessionEnded{session, reason, EndCause::nas_error});
    }
    sessions.clear();
}

void ResumedTunnel::State::end_all(const std::string& reason, EndCause cause,
                                   TunnelEffects& effects) {
    drain(effects);
    for (const auto& [session, link] : sessions) {
        effects.emplace_back(SessionEnded{session, reason, cause});
    }
    sessions.clear();
    doubt.reset();
    phase = Phase::ended;
    effects.emplace_back(TunnelEnded{reason});
}

void ResumedTunnel::State::raise_doubt(std::string reason, TunnelEffects& effects) {
    if (doubt) {
        return;
    }
    doubt = Doubt{std::move(reason), latest, latest + limits::kL2tpDoubtMax};
    next_doubt = latest + limits::kL2tpDoubtPause;
    for (auto& [session, link] : sessions) {
        link.forget_answer();
    }
    ask_all(effects);
}

void ResumedTunnel::State::ask_all(TunnelEffects& effects) {
    doubt->next_echo = latest + limits::kL2tpDoubtEchoInterval;
    for (auto& [session, link] : sessions) {
        ppp::LinkKeeper::Effects echo = link.probe();
        say(session, echo, effects);
    }
}

void ResumedTunnel::State::on_doubt_time(TunnelEffects& effects) {
    if (doubt && latest >= doubt->deadline) {
        end_all(std::string(doubt->reason), EndCause::lost_carrier, effects);
    } else if (doubt && latest >= doubt->next_echo) {
        ask_all(effects);
    }
}

void ResumedTunnel::State::drain(TunnelEffects& effects) {
    for (Bytes& datagram : channel.take_datagrams()) {
        effects.emplace_back(SendDatagram{std::move(datagram)});
    }
    counters.out_of_window = channel.counters().out_of_window;
    counters.duplicates = channel.counters().duplicates;
    counters.retransmissions = channel.counters().retransmissions;
}

// What the channel's state means to the tunnel, at the end of every call.
void ResumedTunnel::State::settle(TunnelEffects& effects) {
    drain(effects);
    if (phase != Phase::live && phase != Phase::closing) {
        return;
    }
    const bool unanswered = channel.went_unanswered();
    if (phase == Phase::closing && (channel.idle() || latest >= closed_by)) {
        end_all(channel.idle() ? "closed" : "peer answers no L2TP control message",
                EndCause::lost_carrier, effects);
    } else if (phase == Phase::live && unanswered) {
        raise_doubt("peer answers neither L2TP control messages nor LCP echoes", effects);
    }
}

ResumedTunnel::ResumedTunnel(const TunnelKey& key, const ChannelOptions& options)
    : state_(std::make_unique<State>(key, options)) {}
ResumedTunnel::~ResumedTunnel() = default;
ResumedTunnel::ResumedTunnel(ResumedTunnel&&) noexcept = default;
ResumedTunnel& ResumedTunnel::operator=(ResumedTunnel&&) noexcept = default;

void ResumedTunnel::add_session(const SessionRecord& record) {
    VPNHA_ASSERT(record.key.tunnel == state_->key);
    const auto [session, added] =
        state_->sessions.try_emplace(record.key, link_settings(record), state_->counters.links);
    if (added && state_->phase == Phase::live) {
        session->second.start(state_->latest);
    }
}

TunnelEffects ResumedTunnel::on_promoted(TimePoint now) {
    VPNHA_ASSERT(state_->phase == Phase::waiting);
    TunnelEffects effects;
    state_->latest = now;
    state_->phase = Phase::live;
    state_->channel.start(now);
    for (auto& [session, link] : state_->sessions) {
        link.start(now);
        ppp::LinkKeeper::Effects greeting = link.greet();
        say(session, greeting, effects);
    }
    if (state_->sessions.empty()) {
        state_->stop("it has no session", effects);
    }
    state_->settle(effects);
    return effects;
}

TunnelEffects ResumedTunnel::on_datagram(ByteView datagram, TimePoint now) {
    TunnelEffects effects;
    state_->latest = now;
    if (state_->phase == Phase::waiting || state_->phase == Phase::ended) {
        return effects;
    }
    TunnelCounters& counters = state_->counters;
    if (is_data(datagram)) {
        ++counters.data;
        return effects;
    }
    const Result<ControlMessage> message = parse_control(datagram);
    if (!message) {
        ++counters.malformed;
        return effects;
    }
    if (message->header.tunnel == state_->key.id) {
        if (state_->channel.on_message(message->header, message->is_zlb(), now)) {
            state_->on_control(*message, effects);
        }
    } else if (message->header.tunnel == TunnelId{0} && !message->is_zlb() &&
               message->type() == MessageType::sccrq) {
        state_->on_sccrq(effects);
    } else {
        ++counters.foreign_tunnel;
    }
    state_->settle(effects);
    return effects;
}

TunnelEffects ResumedTunnel::on_frame(const SessionKey& session, ByteView frame, TimePoint now) {
    TunnelEffects effects;
    state_->latest = now;
    if (state_->phase == Phase::waiting || state_->phase == Phase::ended) {
        return effects;
    }
    const auto found = state_->sessions.find(session);
    if (found == state_->sessions.end()) {
        ++state_->counters.unexpected;
        return effects;
    }
    ppp::LinkKeeper::Effects link = found->second.on_frame(frame, now);
    if (state_->doubt && found->second.answered()) {
        state_->doubt.reset();
    }
    state_->apply(found, std::move(link), CdnResult::carrier_lost, effects);
    state_->settle(effects);
    return effects;
}

void ResumedTunnel::on_traffic(const SessionKey& session) {
    if (const auto found = state_->sessions.find(session); found != state_->sessions.end()) {
        found->second.on_traffic();
    }
}

TunnelEffects ResumedTunnel::end_session(const SessionKey& session, std::string reason,
                                         EndCause cause, TimePoint now) {
    TunnelEffects effects;
    state_->latest = now;
    const auto found = state_->sessions.find(session);
    if (state_->phase == Phase::live && found != state_->sessions.end()) {
        ppp::LinkKeeper::Effects closed = found->second.close(std::move(reason));
        closed.cause = cause;
        state_->apply(found, std::move(closed), CdnResult::administrative, effects);
        state_->settle(effects);
    }
    return effects;
}

TunnelEffects ResumedTunnel::yield_session(const SessionKey& session) {
    TunnelEffects effects;
    if (state_->sessions.erase(session) != 0 && state_->sessions.empty()) {
        state_->end_all("its last session is the stock daemon's", EndCause::nas_request, effects);
    }
    return effects;
}

TunnelEffects ResumedTunnel::on_time(TimePoint now) {
    TunnelEffects effects;
    state_->latest = now;
    if (state_->phase == Phase::waiting || state_->phase == Phase::ended) {
        return effects;
    }
    for (auto session = state_->sessions.begin(); session != state_->sessions.end();) {
        const auto next = std::next(session);
        state_->apply(session, session->second.on_time(now), CdnResult::carrier_lost, effects);
        session = next;
    }
    state_->channel.on_time(now);
    state_->settle(effects);
    state_->on_doubt_time(effects);
    return effects;
}

std::optional<TimePoint> ResumedTunnel::next_deadline() const {
    if (state_->phase == Phase::waiting || state_->phase == Phase::ended) {
        return std::nullopt;
    }
    std::optional<TimePoint> deadline = state_->channel.next_deadline();
    for (const auto& [session, link] : state_->sessions) {
        deadline = earliest(deadline, link.next_deadline());
    }
    if (state_->phase == Phase::closing) {
        deadline = earliest(deadline, state_->closed_by);
    }
    if (state_->doubt) {
        deadline = earliest(deadline, earliest(state_->doubt->next_echo, state_->doubt->deadline));
    }
    return deadline;
}

const TunnelKey& ResumedTunnel::key() const {
    return state_->key;
}
bool ResumedTunnel::has_sessions() const {
    return !state_->sessions.empty();
}
TunnelCounters& TunnelCounters::operator+=(const TunnelCounters& other) {
    malformed += other.malformed;
    data += other.data;
    foreign_tunnel += other.foreign_tunnel;
    out_of_window += other.out_of_window;
    duplicates += other.duplicates;
    unexpected += other.unexpected;
    unproven += other.unproven;
    retransmissions += other.retransmissions;
    links.malformed += other.links.malformed;
    links.looped += other.links.looped;
    links.unexpected += other.links.unexpected;
    links.rejects_withheld += other.links.rejects_withheld;
    return *this;
}

const TunnelCounters& ResumedTunnel::counters() const {
    return state_->counters;
}

}  // namespace vpnha::l2tp
