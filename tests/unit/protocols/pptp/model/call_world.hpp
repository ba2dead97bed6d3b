// SPDX-License-Identifier: GPL-2.0-or-later
// A call that its node has lost, a resumed one, its client, and a path between them that delays,
// holds, reorders, repeats and loses packets. Time is virtual, and goes by milliseconds.
#pragma once

#include <algorithm>
#include <memory>
#include <random>
#include <set>

#include "protocols/pptp/model/resumed_call.hpp"
#include "support/model_client.hpp"

namespace vpnha::pptp::test {

using std::chrono::milliseconds;

inline CallRecord call_with(Mppe mppe, bool with_ipv6 = false) {
    CallRecord record = sample_call();
    record.mppe = mppe;
    if (with_ipv6) {
        record.facts.ipv6 = {1, 2};
    }
    if (mppe == Mppe::none) {
        record.sealed_keys.clear();
    }
    return record;
}

inline std::optional<StartKeys> keys_of(Mppe mppe) {
    return mppe == Mppe::none
               ? std::nullopt
               : std::optional(StartKeys{mppe::test::kStartKey, mppe::test::kStartKey});
}

class CallWorld final : public CallOutput {
  public:
    CallWorld(ModelClient::Kind kind, Mppe mppe, std::uint32_t seed = 1, bool with_ipv6 = false)
        : client(kind, mppe),
          call(std::make_unique<ResumedCall>(call_with(mppe, with_ipv6), keys_of(mppe), counters)),
          mppe_(mppe),
          random_(seed),
          stock_(mppe::KeyChain(mppe::Strength::bits128, mppe::test::kStartKey)) {
        known = {.snd_nxt = 1000, .rcv_nxt = 2000, .snd_wnd = 65536, .tsval = 5000, .echo_id = 7};
        client_seq = known.rcv_nxt;
        client_ack = known.snd_nxt;
    }

    [[nodiscard]] static CallId id() { return sample_call().key.id; }

    // The stock gateway sends data to the client, and loses it with that probability.
    void stock_sends(int packets, double lost = 0) {
        for (int i = 0; i < packets; ++i) {
            ByteWriter payload;
            payload.u16(0xff03);
            if (mppe_ == Mppe::none) {
                payload.u16(0x0021).bytes(mppe::test::ip_packet(0));
            } else {
                indexes.insert(stock_.index());
                payload.u16(0x00fd).bytes(mppe::test::seal(stock_, mppe::test::ip_packet(0)));
            }
            ++stock_number;
            const auto header = encode_gre_header(sample_call().key.peer_id, stock_number,
                                                  std::nullopt, payload.size());
            Bytes packet(header.view().begin(), header.view().end());
            packet.insert(packet.end(), payload.view().begin(), payload.view().end());
            if (!happens(lost)) {
                arrive(packet);
                // Nothing of the time before is in the client's queue, or is acknowledged.
                now += milliseconds(1);
            }
        }
        now += milliseconds(400);
        client.on_time(now);
    }
    // The numbers of the stock gateway become known.
    void checkpoint() {
        known.gre_out = stock_number;
        known.mppe_out = stock_.index();
        call->set_numbers(known, now);
    }
    // The client's last packets were heard by the stock gateway; their acknowledgements, too.
    void forget_sent() {
        now += milliseconds(200);
        client.on_time(now);
        client.sent.clear();
    }

    // The call is at another node, which knows these numbers; they were right at that time.
    void move_on(const CallNumbers& numbers, TimePoint at) {
        call = std::make_unique<ResumedCall>(call_with(mppe_), keys_of(mppe_), counters);
        call->set_numbers(numbers, at);
    }

    void run(Duration duration) {
        const TimePoint end = now + duration;
        while (now < end) {
            now += milliseconds(1);
            step();
        }
    }
    // Until data may go out, or so long.
    bool run_until_resumed(Duration duration) {
        const TimePoint end = now + duration;
        while (now < end && how.empty() && ended_by.empty()) {
            now += milliseconds(1);
            step();
        }
        return !how.empty();
    }

    // Twenty packets of the TUN device, and a second for them to arrive; their numbers. What the
    // client got before is forgotten.
    std::vector<std::uint32_t> send_twenty() {
        client.data.clear();
        std::vector<std::uint32_t> sent;
        for (int i = 0; i < 20; ++i) {
            sent.push_back(send_data());
            run(milliseconds(10));
        }
        run(std::chrono::seconds(1));
        return sent;
    }
    // A packet of the TUN device; its number.
    std::uint32_t send_data() {
        while (!call->catch_up(500)) {
        }
        const std::uint64_t before = call->numbers(now).mppe_out;
        call->on_packet(mppe::test::ip_packet(++data_sent), *this);
        if (mppe_ != Mppe::none && !indexes.insert(before).second) {
            ++indexes_reused;
        }
        return data_sent;
    }

    void probe(const ProbeSegment& segment) override {
        probes.push_back(segment);
        if (answers_probes) {
            insert(answers_, std::max(now, held_until) + later() + later(),
                   PeerSegment{client_seq, client_ack, 256, std::optional(77U), segment.tsval});
        }
    }
    void connect(const ControlSocket& socket) override { sockets.push_back(socket); }
    void emit(ByteView message) override { emitted.emplace_back(message.begin(), message.end()); }
    void send(ByteView gre) override {
        sent_when_over += ended_by.empty() ? 0 : 1;
        const auto packet = parse_gre(gre);
        if (packet && packet->sequence) {
            numbers_sent.push_back(*packet->sequence);
        }
        if (!happens(loss)) {
            insert(to_client_, std::max(now, held_until) + later(), Bytes(gre.begin(), gre.end()));
        }
        if (happens(twice_to_client)) {
            insert(to_client_, std::max(now, held_until) + later(), Bytes(gre.begin(), gre.end()));
        }
    }
    void deliver(ByteView packet) override { delivered.push_back(mppe::test::number_in(packet)); }
    void resumed(const std::string& text) override {
        how = text;
        resumed_at = now;
    }
    void ended(const std::string& reason, EndCause why) override {
        ended_by.push_back(reason);
        cause = why;
    }

    TimePoint now{TimePoint{} + std::chrono::hours(1)};
    Duration delay = milliseconds(5);
    Duration jitter{};  // So much more or less, of each packet: another order.
    double loss = 0;
    double twice_to_client = 0;  // The network sends a packet again.
    double twice_to_call = 0;
    // What the call sends waits until then, as behind a question for an address in the link layer.
    TimePoint held_until{};
    bool answers_probes = true;
    ModelClient client;
    CallCounters counters;
    std::unique_ptr<ResumedCall> call;
    CallNumbers known;
    std::uint32_t client_seq = 0;
    std::uint32_t client_ack = 0;
    std::uint32_t stock_number = 0;

    std::vector<ProbeSegment> probes;
    std::vector<ControlSocket> sockets;
    std::vector<Bytes> emitted;
    std::vector<std::uint32_t> numbers_sent;
    // Of what has reached the client, from any gateway.
    std::set<std::uint32_t> data_numbers;
    int data_numbers_reused = 0;
    std::vector<std::uint32_t> delivered;
    std::string how;
    TimePoint resumed_at{};
    std::vector<std::string> ended_by;
    EndCause cause{};  // Of the last.
    int sent_when_over = 0;
    std::set<std::uint64_t> indexes;  // Of MPPE, of both gateways.
    int indexes_reused = 0;
    std::uint32_t data_sent = 0;

  private:
    template <class Queue, class Item>
    static void insert(Queue& queue, TimePoint at, Item&& item) {
        const auto later = std::ranges::upper_bound(queue, at, {}, &Queue::value_type::first);
        queue.emplace(later, at, std::forward<Item>(item));
    }

    Duration later() {
        return delay + Duration(std::uniform_int_distribution<Duration::rep>(
                           -jitter.count(), jitter.count())(random_));
    }

    bool happens(double probability) {
        return std::uniform_real_distribution<>(0, 1)(random_) < probability;
    }

    void arrive(const Bytes& bytes) {
        const auto packet = parse_gre(bytes);
        const bool is_data = packet && packet->payload.size() > 4 && packet->payload[2] == 0;
        if (is_data && !data_numbers.insert(*packet->sequence).second) {
            ++data_numbers_reused;
        }
        client.on_gre(bytes, now);
    }

    void step() {
        const auto take_due = [this](auto& queue, const auto& take) {
            while (!queue.empty() && queue.front().first <= now) {
                const auto due = std::move(queue.front().second);
                queue.pop_front();
                take(due);
            }
        };
        take_due(to_client_, [this](const Bytes& packet) { arrive(packet); });
        client.on_time(now);
        for (Bytes& packet : std::exchange(client.sent, {})) {
            if (happens(twice_to_call)) {
                insert(to_call_, now + later(), packet);
            }
            if (!happens(loss)) {
                insert(to_call_, now + later(), std::move(packet));
            }
        }
        take_due(to_call_, [this](const Bytes& packet) { call->on_gre(packet, now, *this); });
        take_due(answers_,
                 [this](const PeerSegment& segment) { call->on_segment(segment, now, *this); });
        const auto due = call->next_deadline();
        if (due && *due <= now) {
            call->on_time(now, *this);
        }
    }

    Mppe mppe_;
    std::mt19937 random_;
    mppe::Sender stock_;
    std::deque<std::pair<TimePoint, Bytes>> to_client_;
    std::deque<std::pair<TimePoint, Bytes>> to_call_;
    std::deque<std::pair<TimePoint, PeerSegment>> answers_;
};

}  // namespace vpnha::pptp::test
