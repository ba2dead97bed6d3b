// SPDX-License-Identifier: GPL-2.0-or-later
// The observer of stock PPTP calls and what a device's tap may show it, while time goes by. Events,
// an octet each that says which: a packet that came, one that went, a call that is followed or
// forgotten (an octet: which of four), time; packets and times have a length in front.
// What comes changes no number of what goes; no number of a call goes back but by our own word; the
// table is bounded, and empty again some time after its calls have gone.
#include <algorithm>

#include "base/assert.hpp"
#include "protocols/pptp/backend/call_observer.hpp"

using namespace vpnha;
using adapters::CallObserver;

namespace {

constexpr Ipv4Address kVip{0xc0000201};

pptp::CallKey key_of(std::uint8_t which) {
    return {{kVip, CallObserver::kPptpPort},
            {{0xc0000233}, static_cast<std::uint16_t>(40'123 + which % 2)},
            pptp::CallId{static_cast<std::uint16_t>(128 + which % 4 / 2)},
            pptp::CallId{7}};
}

class Watched {
  public:
    void see(ByteView bytes, adapters::Way way) {
        const auto packet = adapters::parse_observed(bytes);
        if (!packet) {
            return;
        }
        const auto before = observer_.all(now_);
        static_cast<void>(observer_.on_packet(*packet, way, now_));
        const auto after = observer_.all(now_);
        VPNHA_ASSERT(before.size() == after.size());
        for (std::size_t i = 0; i < before.size(); ++i) {
            check(before[i].numbers, after[i].numbers, way);
        }
        VPNHA_ASSERT(observer_.connections() <= CallObserver::kConnectionsMax);
    }
    void follow(std::uint8_t which) { observer_.follow(key_of(which)); }
    void forget(std::uint8_t which) { observer_.forget(key_of(which), now_); }
    void pass(Duration time) {
        now_ += time;
        static_cast<void>(observer_.take_changed(now_));
    }
    void end() {
        for (std::uint8_t which = 0; which < 4; ++which) {
            forget(which);
        }
        pass(CallObserver::kWithoutCallPause);
        VPNHA_ASSERT(observer_.connections() == 0);
        VPNHA_ASSERT(observer_.all(now_).empty());
    }

  private:
    static void check(const pptp::CallNumbers& before, const pptp::CallNumbers& after,
                      adapters::Way way) {
        VPNHA_ASSERT(after.mppe_out >= before.mppe_out && after.mppe_in >= before.mppe_in);
        if (way == adapters::Way::in) {
            VPNHA_ASSERT(after.gre_out == before.gre_out && after.mppe_out == before.mppe_out);
            VPNHA_ASSERT(after.snd_nxt == before.snd_nxt && after.rcv_nxt == before.rcv_nxt);
            // One turn of the coherency count, and what a successor makes keys for.
            VPNHA_ASSERT(after.mppe_in - before.mppe_in <= 131'072 + 4096);
        }
    }

    CallObserver observer_{kVip};
    TimePoint now_{std::chrono::hours(1)};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in(ByteView{data, size});
    Watched watched;
    while (in.remaining() != 0) {
        const std::uint8_t event = in.u8();
        switch (event) {
            case 0:
            case 1:
                watched.see(in.take(std::min<std::size_t>(in.u16(), in.remaining())),
                            event == 0 ? adapters::Way::in : adapters::Way::out);
                break;
            case 2:
                watched.follow(in.u8());
                break;
            case 3:
                watched.forget(in.u8());
                break;
            default:
                watched.pass(std::chrono::milliseconds(in.u16()));
                break;
        }
    }
    watched.end();
    return 0;
}
