// SPDX-License-Identifier: GPL-2.0-or-later
#include "l2tp/control_channel.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace vpnha::l2tp {

namespace {

constexpr SessionId kTunnelItself{0};
constexpr int kPeerWindow = static_cast<int>(limits::kL2tpPeerWindowMax);
// Between two series of unanswered probes: a peer's own HELLO interval, by custom.
constexpr std::chrono::seconds kProbePause{60};
constexpr int kHalfOfTheNumbers = 0x8000;
constexpr std::size_t kProbedMax = 16;

// The pause after the n-th transmission, n from 1.
Duration pause_after(std::size_t transmissions) {
    Duration pause = limits::kL2tpRetransmitFirst;
    for (std::size_t n = 1; n < transmissions && pause < limits::kL2tpRetransmitMax; ++n) {
        pause *= 2;
    }
    return std::min<Duration>(pause, limits::kL2tpRetransmitMax);
}

// A number that acknowledges nothing of a peer whose next message is `ns`. Not simply far back:
// some peers compare without wrapping.
Seq16 acknowledging_nothing(Seq16 ns) {
    return ns.value < kPeerWindow ? Seq16{0} : advance(ns, -kPeerWindow);
}

}  // namespace

void ControlChannel::start(TimePoint now) {
    VPNHA_ASSERT(state_ == State::silent);
    last_heard_ = now;
    probe_old_number(now);
}

void ControlChannel::probe_old_number(TimePoint now) {
    heard_ = false;
    probe(std::exchange(old_ns_, advance(old_ns_, kHalfOfTheNumbers)), now);
}

void ControlChannel::probe(Seq16 ns, TimePoint now) {
    state_ = State::probing;
    if (probed_.size() == kProbedMax) {
        probed_.pop_front();
    }
    probed_.push_back(ns);
    probe_ = Outgoing{.session = kTunnelItself, .avps = encode_hello(), .ns = ns};
    transmit(probe_, now);
}

bool ControlChannel::on_message(const ControlHeader& header, bool is_zlb, TimePoint now) {
    if (state_ == State::silent || state_ == State::dead) {
        return false;
    }
    if (!on_acknowledgement(header.nr, now)) {
        ++counters_.out_of_window;
        return false;
    }
    last_heard_ = now;
    bool handle = false;
    if (is_zlb) {
        learn_peer_next(header.ns);
    } else {
        handle = receive(header.ns, now);
    }
    flush(now);
    return handle;
}

// False: the peer acknowledges what was never sent.
bool ControlChannel::on_acknowledgement(Seq16 nr, TimePoint now) {
    if (state_ != State::synced) {
        const int ahead = distance(nr, probe_.ns);
        if (state_ == State::probing && heard_ && ahead == 1) {
            become_synced(nr);
        } else if (!heard_ || ahead > 1) {
            heard_ = true;
            probe(nr, now);
        }
        return true;
    }
    const Seq16 oldest = in_flight_ == 0 ? next_ns_ : queue_.front().ns;
    const int acknowledged = distance(nr, oldest);
    if (acknowledged > static_cast<int>(in_flight_)) {
        return false;
    }
    for (int n = 0; n < acknowledged; ++n) {
        queue_.pop_front();
        --in_flight_;
    }
    return true;
}

void ControlChannel::become_synced(Seq16 next) {
    state_ = State::synced;
    next_ns_ = next;
}

void ControlChannel::learn_peer_next(Seq16 ns) {
    if (!expected_ || (!proven_ && distance(ns, *expected_) > 0)) {
        expected_ = learned_ = ns;
    }
}

bool ControlChannel::receive(Seq16 ns, TimePoint now) {
    const int ahead = expected_ ? distance(ns, *expected_) : 0;
    if (ahead > 0) {
        ++counters_.out_of_window;
        if (!proven_ && state_ == State::synced && queue_.empty()) {
            send(kTunnelItself, encode_hello(), now);
        }
        return false;
    }
    const int below_learned = expected_ ? distance(learned_, ns) : 0;
    const bool unknown = !proven_ && below_learned > 0 && below_learned <= kPeerWindow;
    const bool handle = ahead == 0 || unknown;
    if (ahead == 0) {
        proven_ = expected_.has_value();
        learned_ = proven_ ? learned_ : ns;
        expected_ = advance(ns, 1);
    }
    if (!handle) {
        ++counters_.duplicates;
    } else if (!acknowledged_ || distance(advance(ns, 1), *acknowledged_) > 0) {
        acknowledged_ = advance(ns, 1);
    }
    emit(kTunnelItself, state_ == State::synced ? next_ns_ : probe_.ns, {});
    return handle;
}

bool ControlChannel::crowded() const {
    return queue_.size() >= limits::kL2tpUnackedMax;
}

void ControlChannel::send(SessionId session, Bytes avps, TimePoint now) {
    VPNHA_ASSERT(!avps.empty());
    if (state_ == State::dead) {
        return;
    }
    queue_.push_back(Outgoing{.session = session, .avps = std::move(avps)});
    flush(now);
}

void ControlChannel::flush(TimePoint now) {
    while (state_ == State::synced && in_flight_ < limits::kL2tpSendWindow) {
        const auto probed = std::find(probed_.begin(), probed_.end(), next_ns_);
        if (probed != probed_.end()) {
            probed_.erase(probed);
            queue_.insert(queue_.begin() + static_cast<std::ptrdiff_t>(in_flight_),
                          Outgoing{.session = kTunnelItself, .avps = encode_hello()});
        } else if (in_flight_ == queue_.size()) {
            return;
        }
        Outgoing& message = queue_[in_flight_++];
        message.ns = next_ns_;
        next_ns_ = advance(next_ns_, 1);
        transmit(message, now);
    }
}

void ControlChannel::transmit(Outgoing& message, TimePoint now) {
    ++message.transmissions;
    message.due = now + pause_after(message.transmissions);
    emit(message.session, message.ns, message.avps);
}

// Nr is the current one at every transmission (RFC 2661 5.8); the content never changes.
void ControlChannel::emit(SessionId session, Seq16 ns, ByteView avps) {
    outbox_.push_back(encode_control(
        {.tunnel = peer_id_, .session = session, .ns = ns, .nr = current_nr()}, avps));
}

Seq16 ControlChannel::current_nr() const {
    if (acknowledged_) {
        return *acknowledged_;
    }
    return expected_ ? acknowledging_nothing(*expected_) : Seq16{0};
}

bool ControlChannel::spent(const Outgoing& message) {
    return message.transmissions > limits::kL2tpRetransmissionsMax;
}

void ControlChannel::on_time(TimePoint now) {
    if (state_ == State::probing && now >= probe_.due) {
        if (spent(probe_)) {
            state_ = State::unanswered;
            went_unanswered_ = true;
            heard_ = false;
            next_probes_ = now + kProbePause;
        } else {
            ++counters_.retransmissions;
            transmit(probe_, now);
        }
    } else if (state_ == State::unanswered && now >= next_probes_) {
        probe_old_number(now);
    } else if (state_ == State::synced) {
        retransmit(now);
    }
}

void ControlChannel::retransmit(TimePoint now) {
    for (std::size_t n = 0; n < in_flight_; ++n) {
        Outgoing& message = queue_[n];
        if (now < message.due) {
            continue;
        }
        if (spent(message)) {
            state_ = State::dead;
            return;
        }
        ++counters_.retransmissions;
        transmit(message, now);
    }
    const std::optional<TimePoint> hello = hello_due();
    if (hello && now >= *hello) {
        send(kTunnelItself, encode_hello(), now);
    }
}

std::optional<TimePoint> ControlChannel::hello_due() const {
    if (state_ != State::synced || !queue_.empty() || options_.hello_interval <= Duration::zero()) {
        return std::nullopt;
    }
    return last_heard_ + options_.hello_interval;
}

std::optional<TimePoint> ControlChannel::next_deadline() const {
    switch (state_) {
        case State::silent:
        case State::dead:
            return std::nullopt;
        case State::probing:
            return probe_.due;
        case State::unanswered:
            return next_probes_;
        case State::synced:
            break;
    }
    std::optional<TimePoint> deadline = hello_due();
    for (std::size_t n = 0; n < in_flight_; ++n) {
        deadline = earliest(deadline, queue_[n].due);
    }
    return deadline;
}

std::vector<Bytes> ControlChannel::take_datagrams() {
    return std::exchange(outbox_, {});
}

bool ControlChannel::went_unanswered() {
    return std::exchange(went_unanswered_, false);
}

}  // namespace vpnha::l2tp
