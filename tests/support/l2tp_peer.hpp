// SPDX-License-Identifier: GPL-2.0-or-later
// The client's side of a tunnel as a correct LAC keeps it (RFC 2661 5.8): strict order, duplicates
// acknowledged again, retransmission after 1, 2, 4, 8, 8 s. It knows nothing of the takeover. Its
// links answer LCP echoes and are gone when the session is.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "support/l2tp_builder.hpp"
#include "support/ppp_builder.hpp"

namespace vpnha::test {

class L2tpPeer {
  public:
    // `next_ns` and `expected`: where the tunnel stands when the gateway dies.
    L2tpPeer(std::uint16_t next_ns, std::uint16_t expected) : ns_{next_ns}, expected_{expected} {}

    void add_session(const l2tp::SessionKey& key) { sessions_[key.peer_id] = key.id; }

    // Its own doings.
    void emit_hello(TimePoint now) { send(L2tpPacket(l2tp::MessageType::hello), now); }
    void hang_up(SessionId id, TimePoint now) {
        const auto session = sessions_.find(id);
        if (session == sessions_.end()) {
            return;
        }
        L2tpPacket packet(l2tp::MessageType::cdn);
        packet.to(kTunnel.id.value, session->second.value).u16(1, 1).u16(14, id.value);
        sessions_.erase(session);
        send(packet, now);
    }
    void close(TimePoint now) {
        sessions_.clear();
        send(L2tpPacket(l2tp::MessageType::stopccn).u16(9, kTunnel.peer_id.value).u16(1, 1), now);
        closing_ = true;
    }
    void call_again(std::uint16_t id, TimePoint now) {
        calls_.push_back(SessionId{id});
        send(L2tpPacket(l2tp::MessageType::icrq).u16(14, id), now);
    }

    void on_datagram(const Bytes& bytes, TimePoint now) {
        const L2tpSent message = open_datagram(bytes);
        if (gone_ || message.header.tunnel != kTunnel.peer_id) {
            return;
        }
        acknowledge(message.header.nr);
        if (!message.type) {
            return;
        }
        const int ahead = distance(message.header.ns, expected_);
        if (ahead == 0) {
            accepted_[message.header.ns.value] = message.avps;
            expected_ = advance(expected_, 1);
            received_ = now;
            act(message);
        } else if (ahead < 0) {
            check_duplicate(message);
        }
        if (ahead <= 0) {
            outbox_.push_back(
                L2tpPacket().to(kTunnel.id.value).numbers(ns_.value, expected_.value).bytes());
        }
    }

    // The answer of a link to a frame, if it has one.
    std::optional<Bytes> on_frame(SessionId id, const Bytes& bytes) {
        const Frame frame = open_frame(bytes);
        if (gone_ || !sessions_.contains(id)) {
            return std::nullopt;
        }
        if (frame.code == ppp::Code::echo_request) {
            return lcp(ppp::Code::echo_reply, frame.id, {0x0b, 0x0b, 0x0b, 0x0b});
        }
        if (frame.code == ppp::Code::terminate_request) {
            sessions_.erase(id);
            return lcp(ppp::Code::terminate_ack, frame.id);
        }
        return std::nullopt;
    }

    void on_time(TimePoint now) {
        for (Outgoing& message : queue_) {
            if (now < message.due || gone_) {
                continue;
            }
            if (message.transmissions == 6) {
                disappear();
                return;
            }
            transmit(message, now);
        }
        if (!gone_ && queue_.empty() && now >= received_ + std::chrono::seconds(60)) {
            received_ = now;
            emit_hello(now);
        }
    }

    void forget_calls() { calls_.clear(); }

    // As after a crash: whatever comes, nobody answers.
    void disappear() {
        gone_ = true;
        sessions_.clear();
        queue_.clear();
    }

    std::vector<Bytes> take_datagrams() { return std::exchange(outbox_, {}); }
    [[nodiscard]] const std::map<SessionId, SessionId>& sessions() const { return sessions_; }
    // A CDN has named the session.
    [[nodiscard]] bool was_notified(SessionId id) const { return notified_.contains(id); }
    [[nodiscard]] bool gone() const { return gone_; }
    [[nodiscard]] bool has_open_calls() const { return !calls_.empty(); }
    [[nodiscard]] bool is_settled() const { return gone_ || queue_.empty(); }
    [[nodiscard]] l2tp::Seq16 expected() const { return expected_; }
    [[nodiscard]] l2tp::Seq16 next_ns() const { return ns_; }
    // What it dropped as a duplicate though it never saw the content: a reused Ns.
    [[nodiscard]] const std::vector<std::string>& reused() const { return reused_; }

  private:
    struct Outgoing {
        L2tpPacket packet;
        l2tp::Seq16 ns;
        TimePoint due;
        int transmissions = 0;
    };

    void send(L2tpPacket packet, TimePoint now) {
        if (gone_ || closing_) {
            return;
        }
        packet.to(kTunnel.id.value, open_datagram(packet.bytes()).header.session.value);
        queue_.push_back({packet, ns_, now, 0});
        ns_ = advance(ns_, 1);
        transmit(queue_.back(), now);
    }

    void transmit(Outgoing& message, TimePoint now) {
        static constexpr int kPauses[] = {1, 2, 4, 8, 8, 8};
        message.due = now + std::chrono::seconds(kPauses[message.transmissions++]);
        outbox_.push_back(message.packet.numbers(message.ns.value, expected_.value).bytes());
    }

    void acknowledge(l2tp::Seq16 nr) {
        while (!queue_.empty() && distance(nr, queue_.front().ns) > 0 && distance(nr, ns_) <= 0) {
            queue_.pop_front();
        }
        if (closing_ && queue_.empty()) {
            disappear();
        }
    }

    void act(const L2tpSent& message) {
        if (message.type == l2tp::MessageType::stopccn) {
            // Acknowledged below, and forgotten.
            sessions_.clear();
            calls_.clear();
            queue_.clear();
            closing_ = true;
        } else if (message.type == l2tp::MessageType::cdn) {
            sessions_.erase(message.header.session);
            notified_.insert(message.header.session);
            std::erase(calls_, message.header.session);
        }
    }

    void check_duplicate(const L2tpSent& message) {
        const auto accepted = accepted_.find(message.header.ns.value);
        const bool known = accepted != accepted_.end() && accepted->second == message.avps;
        if (!known && message.type != l2tp::MessageType::hello) {
            reused_.push_back(to_string(*message.type) + " at " +
                              std::to_string(message.header.ns.value));
        }
    }

    l2tp::Seq16 ns_;
    l2tp::Seq16 expected_;
    TimePoint received_{};
    bool gone_ = false;
    bool closing_ = false;
    std::deque<Outgoing> queue_;
    std::map<SessionId, SessionId> sessions_;  // Its id → the gateway's.
    std::set<SessionId> notified_;
    std::vector<SessionId> calls_;  // ICRQs without an answer.
    std::map<std::uint16_t, Bytes> accepted_;
    std::vector<std::string> reused_;
    std::vector<Bytes> outbox_;
};

}  // namespace vpnha::test
