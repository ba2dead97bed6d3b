// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/model/control_channel.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "protocols/l2tp/model/limits.hpp"

namespace vpnha::l2tp {

namespace {

constexpr SessionId kTunnelItself{0};
// Between two series of unanswered probes: a usual HELLO interval of peers.
constexpr std::chrono::seconds kProbePause{60};
constexpr int kHalfOfTheNumbers = 0x8000;

// The pause after the n-th transmission, n from 1.
Duration pause_after(std::size_t transmissions) {
    Duration pause = limits::kL2tpRetransmitFirst;
    for (std::size_t n = 1; n < transmissions && pause < limits::kL2tpRetransmitMax; ++n) {
        pause *= 2;
    }
    return std::min<Duration>(pause, limits::kL2tpRetransmitMax);
}

}  // namespace

void ControlChannel::start(TimePoint now) {
    VPNHA_ASSERT(state_ == State::silent);
    last_received_ = now;
    series_end_ = now + kGiveUp;
    learn_anew(now);
}

void ControlChannel::learn_anew(TimePoint now) {
    take_back();
    received_ = false;
    probe(old_ns_, now);
}

// It is not known whether the peer has received messages in flight: they are sent again.
void ControlChannel::take_back() {
    const auto first_new = queue_.begin() + static_cast<std::ptrdiff_t>(in_flight_);
    queue_.erase(std::remove_if(queue_.begin(), first_new, is_hello), first_new);
    in_flight_ = 0;
}

void ControlChannel::probe(Seq16 ns, TimePoint now) {
    state_ = State::probing;
    contradicted_ = false;
    probe_ =
        Outgoing{.content = used_.at(ns).value_or(ControlContent{kTunnelItself, encode_hello()})};
    begin(probe_, ns, now);
}

void ControlChannel::give_up(TimePoint now) {
    if (state_ == State::probing && !received_) {
        old_ns_ = advance(old_ns_, kHalfOfTheNumbers);
    }
    take_back();
    state_ = State::unanswered;
    went_unanswered_ = true;
    received_ = false;
    next_probes_ = now + kProbePause;
}

bool ControlChannel::on_message(const ControlHeader& header, bool is_zlb, TimePoint now) {
    if (state_ == State::silent) {
        return false;
    }
    const Acknowledgement acknowledgement = on_acknowledgement(header.nr, now);
    counters_.out_of_window += acknowledgement == Acknowledgement::misfit ? 1 : 0;
    last_received_ = now;
    bool handle = false;
    if (is_zlb) {
        peer_.learn(header.ns, acknowledgement == Acknowledgement::fresh);
    } else {
        handle = receive(header.ns, now);
    }
    flush(now);
    return handle;
}

ControlChannel::Acknowledgement ControlChannel::on_acknowledgement(Seq16 nr, TimePoint now) {
    if (state_ != State::synced) {
        return on_answer(nr, now);
    }
    const Seq16 oldest = in_flight_ == 0 ? next_ns_ : queue_.front().ns;
    const int acknowledged = distance(nr, oldest);
    if (acknowledged < 0 || acknowledged > static_cast<int>(in_flight_)) {
        series_end_ = now + kGiveUp;
        learn_anew(now);
        return Acknowledgement::misfit;
    }
    for (int n = 0; n < acknowledged; ++n) {
        queue_.pop_front();
        --in_flight_;
    }
    return acknowledged > 0 ? Acknowledgement::fresh : Acknowledgement::none;
}

ControlChannel::Acknowledgement ControlChannel::on_answer(Seq16 nr, TimePoint now) {
    const int ahead = distance(nr, probe_.ns);
    if (state_ == State::probing && received_ && ahead == 1) {
        state_ = State::synced;
        next_ns_ = nr;
        if (is_next(probe_.content)) {
            queue_.pop_front();
        }
        return Acknowledgement::fresh;
    }
    if (received_ && ahead <= 1) {
        contradicted_ = contradicted_ || ahead < 0;
        return Acknowledgement::none;
    }
    if (state_ == State::unanswered) {
        series_end_ = now + kGiveUp;
    }
    received_ = true;
    probe(nr, now);
    return Acknowledgement::none;
}

bool ControlChannel::receive(Seq16 ns, TimePoint now) {
    using Verdict = PeerNumbers::Verdict;
    Verdict verdict = peer_.receive(ns);
    if (verdict == Verdict::misfit && state_ != State::synced) {
        peer_.forget();
        verdict = peer_.receive(ns);
    }
    const Seq16 own_ns = state_ == State::synced ? next_ns_ : probe_.ns;
    if (verdict == Verdict::handle) {
        emit(kTunnelItself, own_ns, peer_.nr(), {});
    } else if (verdict == Verdict::duplicate) {
        ++counters_.duplicates;
        // Acknowledges this message alone: a later one may have been forged, and a peer may ignore
        // the acknowledgement of a message that it has not sent.
        emit(kTunnelItself, own_ns, advance(ns, 1), {});
    } else {
        ++counters_.out_of_window;
    }
    if (verdict == Verdict::duplicate || verdict == Verdict::misfit) {
        ask(now);
    }
    return verdict == Verdict::handle;
}

// Queries the peer's Ns, at most once per retransmission time: anyone can provoke it.
void ControlChannel::ask(TimePoint now) {
    if (idle() && now >= asked_ + limits::kL2tpRetransmitFirst) {
        asked_ = now;
        send(kTunnelItself, encode_hello(), now);
    }
}

bool ControlChannel::crowded(TimePoint now) const {
    return queue_.size() >= limits::kL2tpUnackedMax || used_.full(now);
}

void ControlChannel::send(SessionId session, Bytes avps, TimePoint now) {
    VPNHA_ASSERT(!avps.empty());
    queue_.push_back(Outgoing{.content = {session, std::move(avps)}});
    flush(now);
}

void ControlChannel::flush(TimePoint now) {
    while (state_ == State::synced && in_flight_ < limits::kL2tpSendWindow) {
        std::optional<ControlContent> used = used_.at(next_ns_);
        if (used && !is_next(*used)) {
            queue_.insert(queue_.begin() + static_cast<std::ptrdiff_t>(in_flight_),
                          Outgoing{.content = std::move(*used)});
        } else if (in_flight_ == queue_.size()) {
            return;
        }
        begin(queue_[in_flight_++], next_ns_, now);
        next_ns_ = advance(next_ns_, 1);
    }
}

void ControlChannel::begin(Outgoing& message, Seq16 ns, TimePoint now) {
    message.ns = ns;
    message.transmissions = 0;
    used_.note(ns, message.content, now);
    transmit(message, now);
}

void ControlChannel::transmit(Outgoing& message, TimePoint now) {
    ++message.transmissions;
    message.due = now + pause_after(message.transmissions);
    emit(message.content.session, message.ns, peer_.nr(), message.content.avps);
}

// Nr is the current one at every transmission (RFC 2661 5.8); the content never changes.
void ControlChannel::emit(SessionId session, Seq16 ns, Seq16 nr, ByteView avps) {
    outbox_.push_back(
        encode_control({.tunnel = peer_id_, .session = session, .ns = ns, .nr = nr}, avps));
}

bool ControlChannel::is_hello(const Outgoing& message) {
    return message.content == hello_content();
}

// Whether the queue sends it next.
bool ControlChannel::is_next(const ControlContent& content) const {
    return in_flight_ < queue_.size() && queue_[in_flight_].content == content;
}

bool ControlChannel::spent(const Outgoing& message) {
    return message.transmissions > limits::kL2tpRetransmissionsMax;
}

void ControlChannel::on_time(TimePoint now) {
    if (state_ == State::probing && now >= series_end_) {
        give_up(now);
    } else if (state_ == State::probing && now >= probe_.due) {
        ++counters_.retransmissions;
        if (contradicted_) {
            peer_.forget();
            learn_anew(now);
        } else {
            transmit(probe_, now);
        }
    } else if (state_ == State::unanswered && now >= next_probes_) {
        series_end_ = now + kGiveUp;
        peer_.forget();
        learn_anew(now);
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
            give_up(now);
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
    return last_received_ + options_.hello_interval;
}

std::optional<TimePoint> ControlChannel::next_deadline() const {
    switch (state_) {
        case State::silent:
            return std::nullopt;
        case State::probing:
            return std::min(probe_.due, series_end_);
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
