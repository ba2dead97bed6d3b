// SPDX-License-Identifier: GPL-2.0-or-later
// What one core does with packets of PPTP calls, 1 396 octets each, MPPE-128; without a kernel, but
// for what it costs to hand one over.
//
// Beside the call stands RC4 alone with one key: the floor, because stateless MPPE makes a key of
// its own for each packet (RFC 3078 7).
#include <benchmark/benchmark.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <thread>
#include <utility>

#include "host/os/unique_fd.hpp"
#include "protocols/pptp/backend/call_observer.hpp"
#include "unit/protocols/pptp/model/call_world.hpp"

namespace vpnha::bench {

namespace {

constexpr std::size_t kPacketBytes = 1396;  // The MTU of the call.
constexpr std::uint32_t kBatch = 1000;
constexpr TimePoint kNow{std::chrono::hours(1)};

void set_rates(benchmark::State& state, std::uint32_t batch) {
    state.SetItemsProcessed(state.iterations() * batch);
    state.SetBytesProcessed(state.items_processed() * static_cast<std::int64_t>(kPacketBytes));
}

// Takes what a call sends, and forgets it.
class Nowhere final : public pptp::CallOutput {
  public:
    void probe(const pptp::ProbeSegment&) override {}
    void connect(const pptp::ControlSocket&) override {}
    void emit(ByteView) override {}
    void send(ByteView gre) override { octets += gre.size(); }
    void deliver(ByteView packet) override { octets += packet.size(); }
    void resumed(const std::string&) override {}
    void ended(const std::string&, EndCause) override {}

    std::uint64_t octets = 0;
};

// A call that continues with final numbers.
struct Call {
    Call()
        : engine(pptp::test::call_with(pptp::Mppe::bits128),
                 pptp::test::keys_of(pptp::Mppe::bits128), counters) {
        engine.set_numbers({.snd_nxt = 1000, .rcv_nxt = 2000, .snd_wnd = 65536}, kNow);
        static_cast<void>(engine.catch_up(1));
        engine.resume(true, 0, kNow, output);
    }
    pptp::CallCounters counters;
    Nowhere output;
    pptp::ResumedCall engine;
};

// Of what its client sends.
class Frames {
  public:
    // GRE packets as they come to the gateway.
    std::vector<Bytes> next() {
        std::vector<Bytes> frames;
        for (std::uint32_t i = 0; i < kBatch; ++i) {
            ByteWriter payload;
            payload.u32(0xff0300fd).bytes(mppe::test::seal(sender_, packet_));
            ByteWriter frame;
            frame.bytes(pptp::encode_gre_header(pptp::test::sample_call().key.id, ++number_,
                                                std::nullopt, payload.size())
                            .view());
            frame.bytes(payload.view());
            frames.push_back(std::move(frame).take());
        }
        return frames;
    }

  private:
    Bytes packet_ = mppe::test::ip_packet(1, kPacketBytes);
    mppe::Sender sender_{mppe::KeyChain(mppe::Strength::bits128, mppe::test::kStartKey)};
    std::uint32_t number_ = 0;
};

void rc4_alone(benchmark::State& state) {
    mppe::KeyChain chain(mppe::Strength::bits128, mppe::test::kStartKey);
    chain.step();
    Bytes packet(kPacketBytes);
    for (auto _ : state) {
        chain.crypt(chain.key(), packet, packet.data());
        benchmark::DoNotOptimize(packet.data());
    }
    set_rates(state, 1);
}
BENCHMARK(rc4_alone);

// From the TUN device to the client.
void to_client(benchmark::State& state) {
    Call call;
    const Bytes packet = mppe::test::ip_packet(1, kPacketBytes);
    for (auto _ : state) {
        call.engine.on_packet(packet, call.output);
    }
    if (call.output.octets <= static_cast<std::uint64_t>(state.iterations()) * kPacketBytes) {
        state.SkipWithError("the call did not send");
    }
    set_rates(state, 1);
}
BENCHMARK(to_client);

// From the client to the TUN device.
void from_client(benchmark::State& state) {
    Call call;
    Frames frames;
    for (auto _ : state) {
        state.PauseTiming();
        const std::vector<Bytes> batch = frames.next();
        call.output.octets = 0;
        state.ResumeTiming();
        for (const Bytes& frame : batch) {
            call.engine.on_gre(frame, kNow, call.output);
        }
        if (call.output.octets != std::uint64_t{kBatch} * kPacketBytes) {
            state.SkipWithError("the call did not deliver");
        }
    }
    set_rates(state, kBatch);
}
BENCHMARK(from_client);

// What the promoted node looks at of a stock call; the ring's own work is the kernel's.
void observed(benchmark::State& state) {
    const pptp::CallKey key = pptp::test::sample_call().key;
    adapters::CallObserver observer(key.local.address);
    observer.follow(key);
    std::vector<Bytes> packets;
    for (const Bytes& frame : Frames().next()) {
        ByteWriter packet;
        packet.u16(0x4500).u16(static_cast<std::uint16_t>(20 + frame.size())).u32(0);
        packet.u8(64).u8(47).u16(0).u32(key.peer.address.value).u32(key.local.address.value);
        // What the ring keeps of a packet is shorter than the packet.
        packet.bytes(ByteView(frame).first(44));
        packets.push_back(std::move(packet).take());
    }
    for (auto _ : state) {
        for (const Bytes& packet : packets) {
            if (const auto parsed = adapters::parse_observed(packet)) {
                observer.on_packet(*parsed, adapters::Way::in, kNow);
            } else {
                state.SkipWithError("it is no packet of PPTP");
            }
        }
    }
    set_rates(state, kBatch);
}
BENCHMARK(observed);

// A packet that one process reads and another one parses: what the two ends of a socket cost. Both
// are threads here, which share their memory map, so two processes cost more.
void handed_over(benchmark::State& state) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        state.SkipWithError("there is no socket");
        return;
    }
    adapters::UniqueFd writer(ends[0]);
    std::thread parser([reader = adapters::UniqueFd(ends[1])] {
        Bytes packet(kPacketBytes);
        while (::recv(reader.get(), packet.data(), packet.size(), 0) > 0) {
        }
    });
    const Bytes packet(kPacketBytes, std::uint8_t{0x55});
    for (auto _ : state) {
        if (::send(writer.get(), packet.data(), packet.size(), 0) < 0) {
            state.SkipWithError("it is not taken");
        }
    }
    writer.reset();
    parser.join();
    set_rates(state, 1);
}
BENCHMARK(handed_over)->MeasureProcessCPUTime();

}  // namespace

}  // namespace vpnha::bench

BENCHMARK_MAIN();
