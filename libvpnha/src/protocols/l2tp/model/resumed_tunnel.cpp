// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/model/resumed_tunnel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "protocols/l2tp/model/control_message.hpp"
#include "protocols/l2tp/model/limits.hpp"
#include "protocols/l2tp/model/tunnel_calls.hpp"
#include "protocols/l2tp/model/tunnel_links.hpp"

namespace vpnha::l2tp {

namespace {

enum class Phase { waiting, live, closing, ended };

constexpr SessionId kNoSession{0};

void emit(const SessionKey& session, ppp::LinkEndpoint::Effects& link, TunnelEffects& effects) {
    for (Bytes& frame : link.frames) {
        effects.emplace_back(SendFrame{session, std::move(frame)});
    }
}

}  // namespace

struct ResumedTunnel::State {
    using Place = TunnelLinks::Place;

    struct Suspicion {
        std::string reason;
        bool by_dial = false;
        std::uint32_t number = 0;
        Duration echo_interval{};  // From the start of one round to the next.
        TimePoint deadline{};
        TimePoint round_began{};
        TimePoint next_echo{};
        SessionKey next{};  // The next link to probe; all 0: a round begins.
    };
    // A dial of the peer, or of a forger.
    struct Dial {
        std::uint16_t tunnel = 0;  // Its Assigned Tunnel ID.
        std::size_t sent = 0;
        TimePoint last{};
    };

    State(const TunnelKey& tunnel, const ChannelOptions& options)
        : key(tunnel), channel(tunnel.peer_id, options) {}

    TunnelKey key;
    ControlChannel channel;
    TunnelCounters counters;
    TunnelLinks links;
    TunnelCalls calls;
    SessionId last_id{};  // The last id of a new call; 0: none yet.
    Phase phase = Phase::waiting;
    TimePoint latest{};  // The time last given.
    std::optional<Suspicion> suspicion;
    std::optional<Dial> dial;
    std::uint32_t suspicions = 0;
    std::optional<TimePoint> next_suspicion;  // Not before.
    std::optional<TimePoint> refuted;         // The last suspicion that a dial had raised.
    TimePoint closed_by{};                    // While closing.

    void on_control(const ControlMessage& message, TunnelEffects& effects);
    void on_stopccn(const ControlMessage& message, TunnelEffects& effects);
    void on_cdn(const ControlMessage& message, TunnelEffects& effects);
    void on_request(const ControlMessage& message, TunnelEffects& effects);
    void on_call_connected(const ControlMessage& message, TunnelEffects& effects);
    void on_sccrq(const ControlMessage& message, TunnelEffects& effects);
    void note(std::uint16_t dialled);
    [[nodiscard]] bool is_empty() const { return links.empty() && calls.empty(); }
    [[nodiscard]] SessionId free_id();
    void forget_call(const SessionKey& call, std::string reason, TunnelEffects& effects);
    void end_call(const TunnelCalls::Call& call, CdnResult result, std::string reason,
                  TunnelEffects& effects);
    void apply(Place session, ppp::LinkEndpoint::Effects link, CdnResult result,
               TunnelEffects& effects);
    void end_session(Place session, std::string reason, EndCause cause, TunnelEffects& effects);
    void stop(const std::string& reason, TunnelEffects& effects);
    void report_ends(const std::string& reason, EndCause cause, TunnelEffects& effects);
    void end_all(const std::string& reason, EndCause cause, TunnelEffects& effects);
    void raise_suspicion(std::string reason, bool by_dial, TunnelEffects& effects);
    void refute_suspicion();
    void ask_some(TunnelEffects& effects);
    void on_links_time(TunnelEffects& effects);
    void on_calls_time(TunnelEffects& effects);
    void on_suspicion_time(TunnelEffects& effects);
    void drain(TunnelEffects& effects);
    void settle(TunnelEffects& effects);
};

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
            on_request(message, effects);
            break;
        case MessageType::iccn:
        case MessageType::occn:
            on_call_connected(message, effects);
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
    const SessionId own = message.header.session;
    const auto session = own != kNoSession ? links.find_own(key, own) : links.find_peers(peers);
    const TunnelCalls::Call* const call =
        own != kNoSession ? calls.find_own(own) : calls.find_peers(peers);
    if (session == links.end() && call == nullptr) {
        ++counters.unexpected;
        return;
    }
    const SessionKey named = call != nullptr ? call->key : session->first;
    if (named.peer_id != peers) {
        ++counters.unproven;
        return;
    }
    std::string reason =
        fmt::format("peer sent CDN (result {})", message.u16(AvpType::result_code).value_or(0));
    if (call != nullptr) {
        forget_call(named, std::move(reason), effects);
    } else {
        end_session(session, std::move(reason), EndCause::user_request, effects);
    }
}

// Another call in this tunnel. No stock daemon knows the tunnel, so this side is its LNS.
void ResumedTunnel::State::on_request(const ControlMessage& message, TunnelEffects& effects) {
    const SessionId peers{message.u16(AvpType::assigned_session_id).value_or(0)};
    // A late duplicate of the request that set up a living session must not end it.
    if (peers == kNoSession || links.find_peers(peers) != links.end() ||
        calls.find_peers(peers) != nullptr || channel.crowded(latest)) {
        ++counters.unexpected;
        return;
    }
    const bool is_unknown = message.has_unknown_mandatory();
    const SessionKey call{key, free_id(), peers};
    if (is_unknown || message.type() == MessageType::ocrq || phase != Phase::live ||
        call.id == kNoSession) {
        const CdnResult why = is_unknown ? CdnResult::unknown_avp : CdnResult::no_facilities_now;
        channel.send(peers, encode_cdn(why, kNoSession), latest);
        return;
    }
    calls.add(call, TunnelCalls::Stage::asked);
    drain(effects);
    effects.emplace_back(CallAsked{call});
}

// 0: all are taken. The first id depends on the time: an earlier node may have begun calls whose
// records this one never received, and their peers still send to them.
SessionId ResumedTunnel::State::free_id() {
    constexpr std::uint64_t kSpread = 0x9e37'79b9'7f4a'7c15;
    if (last_id == kNoSession) {
        const auto count = static_cast<std::uint64_t>(latest.time_since_epoch().count());
        last_id = SessionId{static_cast<std::uint16_t>(count * kSpread >> 48)};
    }
    for (int tries = 0; tries <= std::numeric_limits<std::uint16_t>::max(); ++tries) {
        last_id = SessionId{static_cast<std::uint16_t>(last_id.value + 1)};
        if (last_id != kNoSession && links.find_own(key, last_id) == links.end() &&
            calls.find_own(last_id) == nullptr) {
            return last_id;
        }
    }
    return kNoSession;
}

void ResumedTunnel::State::forget_call(const SessionKey& call, std::string reason,
                                       TunnelEffects& effects) {
    drain(effects);
    effects.emplace_back(CallEnded{call, std::move(reason)});
    calls.erase(call.id);
    if (is_empty()) {
        stop("its last session ended", effects);
    }
}

void ResumedTunnel::State::end_call(const TunnelCalls::Call& call, CdnResult result,
                                    std::string reason, TunnelEffects& effects) {
    const bool has_id = call.stage != TunnelCalls::Stage::asked;
    const SessionKey ended = call.key;
    channel.send(ended.peer_id, encode_cdn(result, has_id ? ended.id : kNoSession), latest);
    forget_call(ended, std::move(reason), effects);
}

void ResumedTunnel::State::on_call_connected(const ControlMessage& message,
                                             TunnelEffects& effects) {
    const SessionId own = message.header.session;
    const TunnelCalls::Call* const call = calls.find_own(own);
    if (call != nullptr && call->stage == TunnelCalls::Stage::offered) {
        if (message.has_unknown_mandatory()) {
            end_call(*call, CdnResult::unknown_avp, "peer sent an unknown request", effects);
            return;
        }
        calls.connect(own);
        drain(effects);
        effects.emplace_back(CallConnected{call->key});
        return;
    }
    // The end of a set-up that the dead node began: only the peer's id names the call.
    if (own == kNoSession || call != nullptr || links.find_own(key, own) != links.end() ||
        channel.crowded(latest)) {
        ++counters.unexpected;
        return;
    }
    channel.send(kNoSession, encode_cdn(CdnResult::no_facilities_now, own), latest);
}

// A client that starts anew repeats its SCCRQ after a second or two, with the same content (RFC
// 2661 5.8). A single one raises a suspicion, and ends nothing.
void ResumedTunnel::State::on_sccrq(const ControlMessage& message, TunnelEffects& effects) {
    if (phase == Phase::closing) {
        end_all("peer dialled anew", EndCause::lost_carrier, effects);
        return;
    }
    note(message.u16(AvpType::assigned_tunnel_id).value_or(0));
    const bool is_confirmed = dial->sent == limits::kL2tpDialsMin;
    if (suspicion || (next_suspicion && latest < *next_suspicion && !is_confirmed)) {
        ++counters.unexpected;
        return;
    }
    raise_suspicion("peer dialled anew and answers no LCP echo", true, effects);
}

void ResumedTunnel::State::note(std::uint16_t dialled) {
    if (!dial || dial->tunnel != dialled || latest - dial->last > limits::kL2tpRedialMax) {
        dial = Dial{dialled, 1, latest};
    } else if (latest - dial->last >= limits::kL2tpRedialMin) {
        ++dial->sent;
        dial->last = latest;
    }
}

void ResumedTunnel::State::apply(Place session, ppp::LinkEndpoint::Effects link, CdnResult result,
                                 TunnelEffects& effects) {
    emit(session->first, link, effects);
    if (link.end_reason) {
        channel.send(session->first.peer_id, encode_cdn(result, session->first.id), latest);
        end_session(session, std::move(*link.end_reason), link.cause, effects);
    }
}

void ResumedTunnel::State::end_session(Place session, std::string reason, EndCause cause,
                                       TunnelEffects& effects) {
    drain(effects);
    effects.emplace_back(SessionEnded{session->first, std::move(reason), cause});
    links.erase(session);
    if (is_empty()) {
        stop("its last session ended", effects);
    }
}

void ResumedTunnel::State::stop(const std::string& reason, TunnelEffects& effects) {
    if (phase != Phase::live) {
        return;
    }
    phase = Phase::closing;
    closed_by = latest + ControlChannel::kGiveUp;
    suspicion.reset();
    channel.send(kNoSession, encode_stopccn(key.id), latest);
    drain(effects);
    report_ends(reason, EndCause::nas_error, effects);
}

void ResumedTunnel::State::report_ends(const std::string& reason, EndCause cause,
                                       TunnelEffects& effects) {
    for (auto place = links.from({}); place != links.end(); place = links.next(place)) {
        effects.emplace_back(SessionEnded{place->first, reason, cause});
    }
    links.clear();
    for (const SessionKey& call : calls.clear()) {
        effects.emplace_back(CallEnded{call, reason});
    }
}

void ResumedTunnel::State::end_all(const std::string& reason, EndCause cause,
                                   TunnelEffects& effects) {
    drain(effects);
    report_ends(reason, cause, effects);
    suspicion.reset();
    phase = Phase::ended;
    effects.emplace_back(TunnelEnded{reason});
}

void ResumedTunnel::State::raise_suspicion(std::string reason, bool by_dial,
                                           TunnelEffects& effects) {
    if (suspicion) {
        return;
    }
    const bool was_lie = by_dial && refuted && latest - *refuted < limits::kL2tpLieMemory;
    const int slow = was_lie ? limits::kL2tpSuspicionSlower : 1;
    next_suspicion = latest + limits::kL2tpSuspicionPause;
    suspicion = Suspicion{.reason = std::move(reason),
                          .by_dial = by_dial,
                          .number = ++suspicions,
                          .echo_interval = limits::kL2tpSuspicionEchoInterval * slow,
                          .deadline = latest + limits::kL2tpSuspicionMax * slow};
    ask_some(effects);
}

void ResumedTunnel::State::refute_suspicion() {
    if (suspicion->by_dial) {
        refuted = latest;
        dial.reset();
    }
    suspicion.reset();
}

// A LAC's tunnel may have thousands of links: some in each turn.
void ResumedTunnel::State::ask_some(TunnelEffects& effects) {
    if (suspicion->next == SessionKey{}) {
        suspicion->round_began = latest;
    }
    auto place = links.from(suspicion->next);
    for (std::size_t n = 0; n < limits::kL2tpLinksPerTurn && place != links.end(); ++n) {
        TunnelLinks::Link& link = place->second;
        if (link.asked != suspicion->number) {
            link.asked = suspicion->number;
            link.endpoint.forget_answer();
        }
        ppp::LinkEndpoint::Effects echo = link.endpoint.probe();
        emit(place->first, echo, effects);
        place = links.next(place);
    }
    const bool is_last = place == links.end();
    suspicion->next = is_last ? SessionKey{} : place->first;
    suspicion->next_echo =
        is_last ? std::max<TimePoint>(latest, suspicion->round_began + suspicion->echo_interval)
                : latest + limits::kTunnelTurn;
}

void ResumedTunnel::State::on_suspicion_time(TunnelEffects& effects) {
    if (!suspicion) {
        return;
    }
    if (links.empty()) {
        suspicion.reset();  // There is no link to probe.
    } else if (latest < suspicion->deadline) {
        if (latest >= suspicion->next_echo) {
            ask_some(effects);
        }
    } else if (suspicion->by_dial && dial->sent < limits::kL2tpDialsMin) {
        suspicion.reset();
    } else {
        end_all(std::string(suspicion->reason), EndCause::lost_carrier, effects);
    }
}

void ResumedTunnel::State::on_links_time(TunnelEffects& effects) {
    for (std::size_t n = 0; n < limits::kL2tpLinksPerTurn; ++n) {
        const Place place = links.first_due(latest);
        if (place == links.end()) {
            return;
        }
        ppp::LinkEndpoint::Effects link = place->second.endpoint.on_time(latest);
        links.schedule(place);
        apply(place, std::move(link), CdnResult::carrier_lost, effects);
    }
}

void ResumedTunnel::State::on_calls_time(TunnelEffects& effects) {
    while (const TunnelCalls::Call* const call = calls.first_overdue(latest)) {
        end_call(*call, CdnResult::not_in_time, "peer did not connect it in time", effects);
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

// Applies the channel's state to the tunnel, at the end of every call.
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
        raise_suspicion("peer answers neither L2TP control messages nor LCP echoes", false,
                        effects);
    }
}

ResumedTunnel::ResumedTunnel(const TunnelKey& key, const ChannelOptions& options)
    : state_(std::make_unique<State>(key, options)) {}
ResumedTunnel::~ResumedTunnel() = default;
ResumedTunnel::ResumedTunnel(ResumedTunnel&&) noexcept = default;
ResumedTunnel& ResumedTunnel::operator=(ResumedTunnel&&) noexcept = default;

void ResumedTunnel::add_session(const SessionRecord& record) {
    VPNHA_ASSERT(record.key.tunnel == state_->key);
    const auto [place, added] = state_->links.add(
        record.key, ppp::LinkEndpoint(ppp::link_settings(record.facts), state_->counters.links));
    if (added && state_->phase == Phase::live) {
        place->second.endpoint.start(state_->latest);
        state_->links.schedule(place);
    }
}

TunnelEffects ResumedTunnel::on_promoted(TimePoint now) {
    VPNHA_ASSERT(state_->phase == Phase::waiting);
    TunnelEffects effects;
    state_->latest = now;
    state_->phase = Phase::live;
    state_->channel.start(now);
    TunnelLinks& links = state_->links;
    for (auto place = links.from({}); place != links.end(); place = links.next(place)) {
        place->second.endpoint.start(now);
        links.schedule(place);
        ppp::LinkEndpoint::Effects greeting = place->second.endpoint.greet();
        emit(place->first, greeting, effects);
    }
    if (state_->is_empty()) {
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
        state_->on_sccrq(*message, effects);
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
    const auto found = state_->links.find(session);
    if (found == state_->links.end()) {
        ++state_->counters.unexpected;
        return effects;
    }
    TunnelLinks::Link& asked = found->second;
    ppp::LinkEndpoint::Effects link = asked.endpoint.on_frame(frame, now);
    state_->links.schedule(found);
    if (state_->suspicion && asked.asked == state_->suspicion->number &&
        asked.endpoint.answered()) {
        state_->refute_suspicion();
    }
    state_->apply(found, std::move(link), CdnResult::carrier_lost, effects);
    state_->settle(effects);
    return effects;
}

void ResumedTunnel::on_traffic(const SessionKey& session) {
    if (const auto found = state_->links.find(session); found != state_->links.end()) {
        found->second.endpoint.on_traffic();
    }
}

TunnelEffects ResumedTunnel::end_session(const SessionKey& session, std::string reason,
                                         EndCause cause, TimePoint now) {
    TunnelEffects effects;
    state_->latest = now;
    const auto found = state_->links.find(session);
    if (state_->phase == Phase::live && found != state_->links.end()) {
        ppp::LinkEndpoint::Effects closed = found->second.endpoint.close(std::move(reason));
        closed.cause = cause;
        state_->apply(found, std::move(closed), CdnResult::administrative, effects);
        state_->settle(effects);
    }
    return effects;
}

TunnelEffects ResumedTunnel::accept_call(const SessionKey& call, TimePoint now) {
    TunnelEffects effects;
    state_->latest = now;
    if (state_->calls.find_own(call.id) != nullptr) {
        state_->calls.offer(call.id, now + limits::kL2tpCallMax);
        state_->channel.send(call.peer_id, encode_icrp(call.id), now);
        state_->settle(effects);
    }
    return effects;
}

TunnelEffects ResumedTunnel::end_call(const SessionKey& call, CdnResult result, std::string reason,
                                      TimePoint now) {
    TunnelEffects effects;
    state_->latest = now;
    if (const TunnelCalls::Call* const ended = state_->calls.find_own(call.id)) {
        state_->end_call(*ended, result, std::move(reason), effects);
        state_->settle(effects);
    }
    return effects;
}

void ResumedTunnel::add_call(const SessionKey& call) {
    state_->calls.add(call, TunnelCalls::Stage::connected);
}

TunnelEffects ResumedTunnel::yield_session(const SessionKey& session) {
    TunnelEffects effects;
    const auto found = state_->links.find(session);
    if (found == state_->links.end()) {
        return effects;
    }
    state_->links.erase(found);
    if (state_->is_empty()) {
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
    state_->on_links_time(effects);
    state_->on_calls_time(effects);
    state_->channel.on_time(now);
    state_->settle(effects);
    state_->on_suspicion_time(effects);
    return effects;
}

std::optional<TimePoint> ResumedTunnel::next_deadline() const {
    if (state_->phase == Phase::waiting || state_->phase == Phase::ended) {
        return std::nullopt;
    }
    std::optional<TimePoint> deadline = state_->channel.next_deadline();
    deadline = earliest(deadline, state_->links.next_deadline());
    deadline = earliest(deadline, state_->calls.next_deadline());
    if (state_->phase == Phase::closing) {
        deadline = earliest(deadline, state_->closed_by);
    }
    if (state_->suspicion) {
        deadline =
            earliest(deadline, earliest(state_->suspicion->next_echo, state_->suspicion->deadline));
    }
    return deadline;
}

const TunnelKey& ResumedTunnel::key() const {
    return state_->key;
}
bool ResumedTunnel::has_sessions() const {
    return !state_->is_empty();
}
std::uint64_t ResumedTunnel::link_visits() const {
    return state_->links.visits();
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
    links.echoes_sent += other.links.echoes_sent;
    links.echoes_answered += other.links.echoes_answered;
    links.echo_time += other.links.echo_time;
    return *this;
}

const TunnelCounters& ResumedTunnel::counters() const {
    return state_->counters;
}

}  // namespace vpnha::l2tp
