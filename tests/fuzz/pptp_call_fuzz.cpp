// SPDX-License-Identifier: GPL-2.0-or-later
// A resumed PPTP call and what a peer may send it. The first octet gives the numbers with which it
// continues (bit 0: final, bit 1: with MPPE, bit 2: the peer had hung up, bit 3: its Stop-Request
// is open, bit 5: with IPv6CP). Events follow, each with an octet of its kind: GRE, control
// messages, packets of the TUN device, segments, time; and their octets with a length in front.
//
// Bit 4: the peer is an honest one with MPPE, and the events are those of a second source, which
// knows the peer's address and the id of the call. None of its numbers is near the peer's. The call
// continues, and has each packet of the peer.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "protocols/pptp/model/resumed_call.hpp"
#include "protocols/pptp/mppe/sender.hpp"

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
    void emit(ByteView message) override {
        std::size_t size = 0;
        const auto parsed = parse_control_message(message, size);
        VPNHA_ASSERT(connected_ && !ended_ && parsed && *parsed && size == message.size());
    }
    void send(ByteView gre) override {
        VPNHA_ASSERT(!ended_ && parse_gre(gre));
        sent.emplace_back(gre.begin(), gre.end());
    }
    void deliver(ByteView packet) override {
        VPNHA_ASSERT(!ended_ && !packet.empty());
        ++delivered;
    }
    void resumed(const std::string&) override { VPNHA_ASSERT(!ended_); }
    void ended(const std::string&, EndCause) override {
        VPNHA_ASSERT(!ended_);
        ended_ = true;
    }
    [[nodiscard]] bool is_ended() const { return ended_; }

    std::vector<Bytes> sent;
    std::size_t delivered = 0;

  private:
    bool connected_ = false;
    bool ended_ = false;
};

CallRecord record_of(bool encrypted, bool with_ipv6) {
    CallRecord record;
    record.key = {{{0xc0000201}, 1723}, {{0xc0000233}, 40123}, CallId{128}, CallId{7}};
    record.facts.mtu = 1396;
    record.facts.ours.magic = 0x11111111;
    record.facts.echo_interval_s = 20;
    record.facts.echo_failures = 3;
    record.mppe = encrypted ? Mppe::bits128 : Mppe::none;
    if (with_ipv6) {
        record.facts.ipv6 = {1, 2};
    }
    return record;
}

// Of any packet: no input has more of them made.
constexpr std::uint64_t kKeysMax =
    mppe::Receiver::kLateKeysMax + mppe::Receiver::kFreeKeys + mppe::Receiver::kKeysMax;
constexpr CallNumbers kKnown{.snd_nxt = 1000, .rcv_nxt = 2000, .gre_out = 99, .gre_in = 50};

// A call whose peer answers LCP echoes and sends data, and somebody else who sends GRE.
class Contested {
  public:
    explicit Contested(bool with_ipv6) : call_(record_of(true, with_ipv6), StartKeys{}, counters_) {
        call_.set_numbers(kKnown, now_);
        call_.resume(false, 0, now_, out_);
        answer();
    }
    void on_forged(ByteView octets) {
        Bytes bytes(octets.begin(), octets.end());
        const auto packet = parse_gre(bytes);
        // The peer's numbers and ours are far below these.
        if (packet && packet->sequence) {
            bytes[8] |= 0x40;
        }
        if (packet && packet->acknowledged) {
            bytes[packet->sequence ? 12 : 8] |= 0x40;
        }
        step([&] { call_.on_gre(bytes, now_, out_); });
    }
    void on_forged_segment(ByteReader& reader) {
        PeerSegment segment;
        segment.sequence = reader.u32() | 0x4000'0000;
        segment.acknowledgement = reader.u32();
        segment.rst = reader.u8() != 0;
        segment.syn = reader.u8() != 0;
        step([&] { call_.on_segment(segment, now_, out_); });
    }
    void on_packet(ByteView packet) {
        step([&] { call_.on_packet(packet, out_); });
    }
    void pass(Duration time) {
        now_ += time;
        step([&] { call_.on_time(now_, out_); });
        send_data();
    }
    void send_data() {
        static constexpr std::array<std::uint8_t, 26> kPlain{
            0x00, 0x21, 0x45, 0, 0, 0x18, 0, 0, 0, 0, 0x40, 0x11, 0x66,
            0xd3, 0x0a, 0,    0, 1, 0x0a, 0, 0, 2, 0, 0,    0,    7};
        Bytes frame(kPlain.size() + mppe::kHeaderBytes);
        sender_.seal(kPlain, frame.data());
        ByteWriter payload;
        payload.u32(0xff0300fd).bytes(frame);
        const std::size_t before = out_.delivered;
        send(payload.view());
        VPNHA_ASSERT(out_.delivered == before + 1);
    }

  private:
    template <class Event>
    void step(const Event& event) {
        const std::uint64_t keys = counters_.mppe.keys;
        event();
        VPNHA_ASSERT(counters_.mppe.keys - keys <= kKeysMax);
        answer();
        VPNHA_ASSERT(!out_.is_ended());
    }
    void send(ByteView payload) {
        const auto header = encode_gre_header(CallId{128}, ++number_, last_, payload.size());
        ByteWriter packet;
        packet.bytes(header.view()).bytes(payload);
        call_.on_gre(packet.view(), now_, out_);
    }
    void answer() {
        for (const Bytes& bytes : std::exchange(out_.sent, {})) {
            const auto packet = parse_gre(bytes);
            if (!packet->sequence || ahead_of(*packet->sequence, last_) <= 0) {
                continue;
            }
            last_ = *packet->sequence;
            ByteReader reader(packet->payload);
            // LCP Echo-Request.
            if (reader.u32() == 0xff03c021 && reader.u8() == 9) {
                const std::uint8_t id = reader.u8();
                ByteWriter reply;
                reply.u32(0xff03c021).u8(10).u8(id).u16(8).u32(0x22222222);
                send(reply.view());
            }
        }
    }

    CallCounters counters_;
    Output out_;
    ResumedCall call_;
    TimePoint now_{std::chrono::hours(1)};
    mppe::Sender sender_{mppe::KeyChain(mppe::Strength::bits128, mppe::Key{})};
    std::uint32_t number_ = kKnown.gre_in;
    std::uint32_t last_ = kKnown.gre_out;
};

void contest(ByteReader& in, bool with_ipv6) {
    // The peer's control connection is silent, for less than it may be.
    constexpr Duration kTimeMax = std::chrono::seconds(80);
    Contested contested(with_ipv6);
    Duration gone{};
    while (in.remaining() != 0) {
        const std::uint8_t event = in.u8();
        const ByteView octets = in.take(std::min<std::size_t>(in.u16(), in.remaining()));
        ByteReader reader(octets);
        if (event == 0) {
            contested.on_forged(octets);
        } else if (event == 2) {
            contested.on_packet(octets);
        } else if (event == 3) {
            contested.on_forged_segment(reader);
        } else {
            const Duration time = std::chrono::milliseconds(reader.u16() % 4000);
            gone += time;
            if (gone > kTimeMax) {
                break;
            }
            contested.pass(time);
        }
    }
    contested.send_data();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in(ByteView{data, size});
    const std::uint8_t how = in.u8();
    const bool with_ipv6 = (how & 32) != 0;
    if ((how & 16) != 0) {
        contest(in, with_ipv6);
        return 0;
    }
    const bool encrypted = (how & 2) != 0;
    CallCounters counters;
    ResumedCall call(record_of(encrypted, with_ipv6),
                     encrypted ? std::optional(StartKeys{}) : std::nullopt, counters);
    TimePoint now{std::chrono::hours(1)};
    CallNumbers known = kKnown;
    known.hung_up = (how & 4) != 0;
    known.stop_open = (how & 8) != 0;
    call.set_numbers(known, now);
    Output out;
    call.resume((how & 1) != 0, 0, now, out);
    std::uint64_t index = 0;
    while (in.remaining() != 0) {
        const std::uint8_t event = in.u8();
        const ByteView octets = in.take(std::min<std::size_t>(in.u16(), in.remaining()));
        ByteReader reader(octets);
        const std::uint64_t keys = counters.mppe.keys;
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
        VPNHA_ASSERT(counters.mppe.keys - keys <= kKeysMax);
        const CallNumbers numbers = call.numbers(now);
        VPNHA_ASSERT(numbers.mppe_out >= index);
        index = numbers.mppe_out;
    }
    return 0;
}
