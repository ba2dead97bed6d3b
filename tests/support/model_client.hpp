// SPDX-License-Identifier: GPL-2.0-or-later
// A PPTP client's GRE, PPP and MPPE, as far as a gateway notices: pptp-linux 1.10, with its queue
// or with --nobuffer, or Linux' own PPTP, or Android's up to 11 (drivers/net/ppp/pppopns.c), which
// never acknowledges. It answers LCP echoes, and asks for a CCP reset where it cannot decrypt.
//
// The queue of pptp-linux 1.10 breaks when a number comes while a packet with it waits:
// pqueue_add() gives the waiting packet to the list of free ones, and what waits behind it is lost.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "base/time.hpp"
#include "protocols/pptp/model/gre.hpp"
#include "support/linux_peer.hpp"
#include "support/sample_call.hpp"

namespace vpnha::pptp::test {

class ModelClient {
  public:
    enum class Kind { pptp_linux, unbuffered, kernel, android };

    ModelClient(Kind kind, Mppe mppe, const CallKey& key = sample_call().key)
        : kind_(kind),
          mppe_(mppe),
          key_(key),
          sender_(mppe::KeyChain(mppe::Strength::bits128, mppe::test::kStartKey)) {}

    // Of the gateway.
    void on_gre(ByteView bytes, TimePoint now) {
        const auto packet = parse_gre(bytes);
        if (!packet || packet->call != key_.peer_id || !packet->sequence) {
            return;
        }
        const std::uint32_t number = *packet->sequence;
        const bool is_new = ahead_of(number, last_) > 0;
        if (kind_ == Kind::kernel || kind_ == Kind::unbuffered) {
            if (is_new) {
                take_number(number, now);
            }
            if (is_new || (kind_ == Kind::kernel && is_lcp_echo(packet->payload))) {
                on_frame(packet->payload, now);
            }
            return;
        }
        if (is_new && kind_ == Kind::pptp_linux && queue_.contains(number)) {
            ++queue_broken;
            queue_.erase(queue_.upper_bound(number), queue_.end());
        } else if (is_new) {
            queue_.try_emplace(number, Held{now, {packet->payload.begin(), packet->payload.end()}});
        }
        release(now);
        on_time(now);
    }

    void on_time(TimePoint now) {
        if (kind_ == Kind::android) {
            return;
        }
        release(now);
        if (last_ != acknowledged_ && now - emitted_at_ > std::chrono::milliseconds(100)) {
            acknowledge(now);
        }
    }

    // An IP packet with that number.
    void send_data(std::uint32_t number, TimePoint now) {
        send_packet(mppe::test::ip_packet(number), now);
    }
    void send_packet(const Bytes& packet, TimePoint now) {
        ByteWriter payload;
        payload.u16(0xff03);
        if (mppe_ == Mppe::none) {
            payload.bytes(mppe::test::with_protocol(packet));
        } else {
            payload.u16(0x00fd).bytes(mppe::test::seal(sender_, packet));
        }
        send(payload.view(), now);
    }

    void send(ByteView payload, TimePoint now) {
        std::optional<std::uint32_t> acknowledged;
        if (last_ != acknowledged_ && kind_ != Kind::android) {
            acknowledged = acknowledged_ = last_;
        }
        emitted_at_ = now;
        const auto header = encode_gre_header(key_.id, next_++, acknowledged, payload.size());
        Bytes packet(header.view().begin(), header.view().end());
        packet.insert(packet.end(), payload.begin(), payload.end());
        sent.push_back(std::move(packet));
    }

    [[nodiscard]] std::uint32_t last() const { return last_; }
    [[nodiscard]] std::uint32_t last_sent() const { return next_ - 1; }
    // Where this client begins: as if it had received and sent so many packets.
    void start_at(std::uint32_t received, std::uint32_t sent_before) {
        last_ = acknowledged_ = received;
        next_ = sent_before + 1;
    }

    std::vector<Bytes> sent;          // To the gateway; whoever takes them clears it.
    std::vector<std::uint32_t> data;  // Numbers of the packets that it has decrypted.
    std::uint64_t undecipherable = 0;
    std::vector<std::uint8_t> codes;  // Of LCP packets without echoes.
    bool is_deaf = false;             // To LCP.
    bool acknowledges_apart = false;  // At once, in a packet of its own, as pptp-linux may.
    int queue_broken = 0;

  private:
    void acknowledge(TimePoint now) {
        emitted_at_ = now;
        acknowledged_ = last_;
        const auto header = encode_gre_header(key_.id, std::nullopt, last_, 0);
        sent.emplace_back(header.view().begin(), header.view().end());
    }

    void take_number(std::uint32_t number, TimePoint now) {
        last_ = number;
        if (acknowledges_apart) {
            acknowledge(now);
        }
    }

    // What waits behind a gap waits until the gap is filled, or for so long; with Android longer,
    // and until the next packet comes.
    void release(TimePoint now) {
        const auto patience = std::chrono::milliseconds(kind_ == Kind::android ? 1000 : 300);
        while (!queue_.empty()) {
            const auto first = queue_.begin();
            if (first->first != last_ + 1 && now - first->second.since < patience) {
                break;
            }
            take_number(first->first, now);
            const Bytes payload = std::move(first->second.payload);
            queue_.erase(first);
            on_frame(payload, now);
        }
    }

    struct Held {
        TimePoint since;
        Bytes payload;
    };

    static bool is_lcp_echo(ByteView frame) {
        return frame.size() > 4 && frame[2] == 0xc0 && frame[3] == 0x21 &&
               (frame[4] == 9 || frame[4] == 10);
    }

    void on_frame(ByteView frame, TimePoint now) {
        ByteReader reader(frame);
        reader.u16();
        switch (reader.u16()) {
            case 0x0021:
            case 0x0057:
                data.push_back(mppe::test::number_in(reader.rest()));
                break;
            case 0x00fd:
                if (const auto packet = receiver_.open(reader.rest())) {
                    data.push_back(mppe::test::number_in(*packet));
                } else {
                    ++undecipherable;
                    // CCP Reset-Request.
                    send(Bytes{0xff, 0x03, 0x80, 0xfd, 14, 9, 0, 4}, now);
                }
                break;
            case 0xc021:
                on_lcp(reader.rest(), now);
                break;
            default:
                break;
        }
    }

    void on_lcp(ByteView packet, TimePoint now) {
        if (packet[0] != 9) {
            codes.push_back(packet[0]);
        } else if (!is_deaf) {
            send(Bytes{0xff, 0x03, 0xc0, 0x21, 10, packet[1], 0, 8, 0x22, 0x22, 0x22, 0x22}, now);
        }
    }

    Kind kind_;
    Mppe mppe_;
    CallKey key_;
    mppe::Sender sender_;
    mppe::test::LinuxReceiver receiver_;
    std::uint32_t last_ = 0;
    std::uint32_t acknowledged_ = 0;
    std::uint32_t next_ = 1;
    TimePoint emitted_at_{};
    std::map<std::uint32_t, Held> queue_;
};

}  // namespace vpnha::pptp::test
