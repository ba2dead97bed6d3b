// SPDX-License-Identifier: GPL-2.0-or-later
// A resumed tunnel under a hostile peer. The input is a list of steps: kind (1 octet), length (2),
// that many octets. Kinds: 0 datagram, 1 frame of session 1, 2 frame of session 2, 3 time passes
// (the first two octets, in ms), 4 the operator ends session 1. Nothing may abort, nothing may come
// after TunnelEnded, and no effect may name a session that has ended.
#include <algorithm>
#include <vector>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "l2tp/resumed_tunnel.hpp"

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
    record.ours.magic = 0x0a0a0a0a;
    record.theirs.magic = 0x0b0b0b0b;
    record.echo_interval_s = 5;
    record.echo_failures = 3;
    return record;
}

class Observer {
  public:
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
    observer.on_effects(tunnel.on_promoted(now));
    ByteReader steps(ByteView{data, size});
    while (steps.remaining() != 0) {
        const std::uint8_t kind = steps.u8();
        const ByteView bytes = steps.take_prefixed(0xffff);
        switch (kind) {
            case 0:
                observer.on_effects(tunnel.on_datagram(bytes, now));
                break;
            case 1:
                observer.on_effects(tunnel.on_frame(records[0].key, bytes, now));
                break;
            case 2:
                observer.on_effects(tunnel.on_frame(records[1].key, bytes, now));
                break;
            case 3:
                now += std::chrono::milliseconds(ByteReader(bytes).u16());
                observer.on_effects(tunnel.on_time(now));
                break;
            case 4:
                observer.on_effects(tunnel.end_session(records[0].key, "its time is over",
                                                       EndCause::session_timeout, now));
                break;
            default:
                break;
        }
        VPNHA_ASSERT(!tunnel.next_deadline() || *tunnel.next_deadline() >= TimePoint{});
    }
    return 0;
}
