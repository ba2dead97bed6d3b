// SPDX-License-Identifier: GPL-2.0-or-later
// A resumed PPTP call and what a peer may send it. An octet says with which numbers it goes on (bit
// 0: final, bit 1: with MPPE, bit 2: the peer had hung up, bit 3: its Stop-Request is open); then
// events, an octet each that says which: GRE, control messages, packets of the TUN device,
// segments, time; and their octets with a length in front.
#include <algorithm>

#include "base/assert.hpp"
#include "pptp/resumed_call.hpp"

using namespace vpnha;
using namespace vpnha::pptp;

namespace {

class Output final : public CallOutput {
  public:
    void probe(const ProbeSegment&) override { VPNHA_ASSERT(!ended_); }
    void connect(const ControlSocket&) override {
        VPNHA_ASSERT(!ended_ && !connected_);
        connected_ = true;
    }
    void say(ByteView message) override {
        std::size_t size = 0;
        const auto parsed = parse_control_message(message, size);
        VPNHA_ASSERT(connected_ && !ended_ && parsed && *parsed && size == message.size());
    }
    void send(ByteView gre) override { VPNHA_ASSERT(!ended_ && parse_gre(gre)); }
    void deliver(ByteView packet) override { VPNHA_ASSERT(!ended_ && !packet.empty()); }
    void resumed(const std::string&) override { VPNHA_ASSERT(!ended_); }
    void ended(const std::string&, EndCause) override {
        VPNHA_ASSERT(!ended_);
        ended_ = true;
    }

  private:
    bool connected_ = false;
    bool ended_ = false;
};

CallRecord record_of(bool encrypted) {
    CallRecord record;
    record.key = {{{0xc0000201}, 1723}, {{0xc0000233}, 40123}, CallId{128}, CallId{7}};
    record.ours.magic = 0x11111111;
    record.echo_interval_s = 20;
    record.echo_failures = 3;
    record.mppe = encrypted ? Mppe::bits128 : Mppe::none;
    return record;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in(ByteView{data, size});
    const std::uint8_t how = in.u8();
    const bool encrypted = (how & 2) != 0;
    CallCounters counters;
    ResumedCall call(record_of(encrypted), encrypted ? std::optional(StartKeys{}) : std::nullopt,
                     counters);
    TimePoint now{std::chrono::hours(1)};
    call.set_numbers({.snd_nxt = 1000,
                      .rcv_nxt = 2000,
                      .hung_up = (how & 4) != 0,
                      .stop_open = (how & 8) != 0,
                      .gre_out = 99,
                      .gre_in = 50},
                     now);
    Output out;
    call.resume((how & 1) != 0, 0, now, out);
    std::uint64_t index = 0;
    while (in.remaining() != 0) {
        const std::uint8_t event = in.u8();
        const ByteView octets = in.take(std::min<std::size_t>(in.u16(), in.remaining()));
        ByteReader reader(octets);
        switch (event) {
            case 0:
                call.on_gre(octets, now, out);
                break;
            case 1:
                call.on_control(octets, out);
                break;
            case 2:
                call.on_packet(octets, out);
                break;
            case 3: {
                PeerSegment segment;
                segment.sequence = reader.u32();
                segment.acknowledgement = reader.u32();
                segment.rst = reader.u8() != 0;
                call.on_segment(segment, now, out);
                break;
            }
            case 4:
                call.pause(now);
                call.resume(false, 0, now, out);
                break;
            default:
                now += std::chrono::milliseconds(reader.u16());
                call.on_time(now, out);
                break;
        }
        const CallNumbers numbers = call.numbers(now);
        VPNHA_ASSERT(numbers.mppe_out >= index);
        index = numbers.mppe_out;
    }
    return 0;
}
