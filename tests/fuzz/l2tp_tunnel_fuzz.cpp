// SPDX-License-Identifier: GPL-2.0-or-later
// A resumed tunnel under a hostile peer. The input is a list of steps: kind (1 octet), length (2),
// that many octets. Kinds: 0 datagram, 1 frame of session 1, 2 frame of session 2, 3 time passes
// (the first two octets, in ms), 4 the operator ends session 1, 5 datagram of a second source,
// which is hostile and does not know the ids that the peer assigned. Nothing may abort, nothing may
// come after TunnelEnded, and no effect may name a session that has ended. What the second source
// sends ends no session; and while it alone sends and the links answer echoes, nothing ends, ever.
#include <algorithm>
#include <vector>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "protocols/l2tp/model/control_message.hpp"
#include "protocols/l2tp/model/resumed_tunnel.hpp"
#include "protocols/l2tp/work.hpp"

using namespace vpnha;
using namespace vpnha::l2tp;

namespace {

const TunnelKey kTunnel{{Ipv4Address{0xc0000264}, 1701},
                        {Ipv4Address{0xc0000233}, 1701},
                        TunnelId{0x1111},
                        TunnelId{0x2222}};

SessionRecord record(std::uint16_t id) {
    SessionRecord record;
    record.key = {kTunnel, SessionId{id}, SessionId{static_cast<std::uint16_t>(id + 0x100)}};
    record.facts.ours.magic = 0x0a0a0a0a;
    record.facts.theirs.magic = 0x0b0b0b0b;
    record.facts.echo_interval_s = 5;
    record.facts.echo_failures = 3;
    return record;
}

// It carries an id by which a message ends something.
bool knows_the_ids(ByteView datagram) {
    const Result<ControlMessage> message = parse_control(datagram);
    if (!message) {
        return false;
    }
    const auto session = message->u16(AvpType::assigned_session_id);
    return message->u16(AvpType::assigned_tunnel_id) == kTunnel.peer_id.value || session == 0x101 ||
           session == 0x102;
}

// What a link that lives answers to a frame; empty: nothing.
Bytes answer_to(const Bytes& frame) {
    constexpr std::uint8_t kEchoRequest = 9;
    if (frame.size() < 4 || frame[0] != 0xc0 || frame[1] != 0x21 || frame[2] != kEchoRequest) {
        return {};
    }
    return {0xc0, 0x21, 10, frame[3], 0, 8, 0x0b, 0x0b, 0x0b, 0x0b};
}

class Observer {
  public:
    [[nodiscard]] bool has_seen_an_end() const { return !ended_.empty() || tunnel_ended_; }
    [[nodiscard]] std::size_t sessions_ended() const { return ended_.size(); }

    void on_effects(const TunnelEffects& effects) {
        for (const TunnelEffect& effect : effects) {
            VPNHA_ASSERT(!tunnel_ended_);
            if (const auto* frame = std::get_if<SendFrame>(&effect)) {
                VPNHA_ASSERT(!ended(frame->session));
                VPNHA_ASSERT(frame->frame.size() <= limits::kPppFrameBytesMax);
            } else if (const auto* over = std::get_if<SessionEnded>(&effect)) {
                VPNHA_ASSERT(!ended(over->session));
                ended_.push_back(over->session);
            } else if (std::holds_alternative<TunnelEnded>(effect)) {
                VPNHA_ASSERT(ended_.size() == 2);
                tunnel_ended_ = true;
            }
        }
    }

  private:
    [[nodiscard]] bool ended(const SessionKey& session) const {
        return std::find(ended_.begin(), ended_.end(), session) != ended_.end();
    }

    std::vector<SessionKey> ended_;
    bool tunnel_ended_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ResumedTunnel tunnel(kTunnel);
    const std::vector<SessionRecord> records{record(1), record(2)};
    for (const SessionRecord& session : records) {
        tunnel.add_session(session);
    }
    Observer observer;
    TimePoint now{};
    bool forged_only = true;
    // The links answer as long as nobody else has spoken.
    const auto take = [&](const TunnelEffects& effects) {
        observer.on_effects(effects);
        for (const TunnelEffect& effect : effects) {
            const auto* const frame = std::get_if<SendFrame>(&effect);
            if (const Bytes answer = frame != nullptr ? answer_to(frame->frame) : Bytes{};
                forged_only && !answer.empty()) {
                observer.on_effects(tunnel.on_frame(frame->session, answer, now));
            }
            if (const auto* const asked = std::get_if<CallAsked>(&effect)) {
                observer.on_effects(
                    asked->call.peer_id.value % 2 == 0
                        ? tunnel.accept_call(asked->call, now)
                        : tunnel.end_call(asked->call, CdnResult::administrative, "refused", now));
            }
        }
        VPNHA_ASSERT(!forged_only || !observer.has_seen_an_end());
    };
    take(tunnel.on_promoted(now));
    ByteReader steps(ByteView{data, size});
    while (steps.remaining() != 0) {
        const std::uint8_t kind = steps.u8();
        const ByteView bytes = steps.take_prefixed(0xffff);
        forged_only = forged_only && (kind == 3 || kind >= 5);
        switch (kind) {
            case 0:
                take(tunnel.on_datagram(bytes, now));
                break;
            case 1:
                take(tunnel.on_frame(records[0].key, bytes, now));
                break;
            case 2:
                take(tunnel.on_frame(records[1].key, bytes, now));
                break;
            case 3:
                now += std::chrono::milliseconds(ByteReader(bytes).u16());
                take(tunnel.on_time(now));
                break;
            case 4:
                take(tunnel.end_session(records[0].key, "its time is over",
                                        EndCause::session_timeout, now));
                break;
            case 5:
                if (!knows_the_ids(bytes)) {
                    const std::size_t before = observer.sessions_ended();
                    take(tunnel.on_datagram(bytes, now));
                    VPNHA_ASSERT(observer.sessions_ended() == before);
                }
                break;
            default:
                break;
        }
        VPNHA_ASSERT(!tunnel.next_deadline() || *tunnel.next_deadline() >= TimePoint{});
    }
    return 0;
}
