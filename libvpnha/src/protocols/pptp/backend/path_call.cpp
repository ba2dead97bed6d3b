// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/path_call.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "host/os/boot_clock.hpp"
#include "protocols/pptp/backend/repaired_socket.hpp"
#include "protocols/pptp/model/limits.hpp"

namespace vpnha::adapters {

namespace {

using namespace std::chrono_literals;

constexpr int kPacketsAtOnce = 64;  // Of one device, before the others have their turn.
// For vpnhad's answer: it may have devices for thousands of calls to make first.
constexpr Duration kConnectPatience = 30s;
// Replies and the end of a call: more cannot be due to an unreachable peer.
constexpr std::size_t kUnsentBytesMax = 1024;

// The next IP packet, in `room`; empty: there is none.
ByteView read_packet(int device, std::span<std::uint8_t> room) {
    const ssize_t got = ::read(device, room.data(), room.size());
    return got <= 0 ? ByteView{} : ByteView(room.data(), static_cast<std::size_t>(got));
}

}  // namespace

PathCall::PathCall(const PathPrepare& prepare, UniqueFd device, VipSockets& sockets, Ask ask,
                   pptp::CallCounters& counters, TimePoint now)
    : number_(prepare.call),
      gateway_(prepare.gateway),
      key_(prepare.record.key),
      timestamps_(prepare.record.tcp.timestamps),
      sockets_(&sockets),
      ask_(std::move(ask)),
      device_(std::move(device)),
      engine_(prepare.record, prepare.keys, counters) {
    engine_.set_numbers(prepare.numbers, now);
}

void PathCall::set_numbers(const pptp::CallNumbers& numbers, TimePoint now) {
    engine_.set_numbers(numbers, now);
}

void PathCall::resume(bool exact, std::uint8_t tenure, TimePoint now) {
    if (!is_ours_) {
        // Packets that were sent there while no node served are useless now.
        std::uint8_t octet = 0;
        while (!read_packet(device_.get(), {&octet, 1}).empty()) {
        }
    }
    is_ours_ = true;
    may_send_ = may_send_ || exact;
    engine_.resume(exact, tenure, now, *this);
    settle();
}

void PathCall::pause(TimePoint now) {
    engine_.pause(now);
}

void PathCall::close(const std::string& reason, EndCause cause) {
    engine_.close(reason, cause, *this);
    settle();
}

void PathCall::on_segment(const pptp::PeerSegment& segment, TimePoint now) {
    engine_.on_segment(segment, now, *this);
    settle();
}

void PathCall::on_gre(ByteView packet, TimePoint now) {
    ++packets_;
    engine_.on_gre(packet, now, *this);
    settle();
}

void PathCall::read_device(std::span<std::uint8_t> room, TimePoint) {
    for (int i = 0; i < kPacketsAtOnce && takes_packets(); ++i) {
        const ByteView packet = read_packet(device_.get(), room);
        if (packet.empty()) {
            break;
        }
        engine_.on_packet(packet, *this);
    }
    settle();
}

void PathCall::read_control(std::span<std::uint8_t> room, TimePoint) {
    const std::size_t share = std::min(room.size(), limits::kPptpControlOctetsAtOnce);
    const ssize_t got = ::recv(control_.get(), room.data(), share, MSG_DONTWAIT);
    if (got > 0) {
        engine_.on_control(ByteView(room.data(), static_cast<std::size_t>(got)), *this);
    } else if (got == 0) {
        engine_.on_control_closed("peer has closed the control connection", *this);
    } else if (errno != EAGAIN && errno != EINTR) {
        failure_ = system_error("control connection", errno).detail;
    }
    settle();
}

void PathCall::on_time(TimePoint now) {
    if (connecting_until_ && now >= *connecting_until_) {
        failure_ = "no control connection: vpnhad does not answer";
    }
    engine_.on_time(now, *this);
    settle();
}

void PathCall::on_connected(Result<UniqueFd> connection) {
    if (!connecting_until_) {
        return;  // It is over.
    }
    connecting_until_.reset();
    const Bytes unsent = std::exchange(unsent_, {});
    if (connection) {
        control_ = std::move(*connection);
        if (!unsent.empty()) {
            emit(unsent);
        }
    } else {
        failure_ = "no control connection: " + connection.error().detail;
    }
    settle();
}

bool PathCall::is_live() const {
    return engine_.state() == pptp::ResumedCall::State::resuming || is_running();
}

bool PathCall::is_running() const {
    return engine_.state() == pptp::ResumedCall::State::running;
}

pptp::CallNumbers PathCall::numbers(TimePoint now) const {
    pptp::CallNumbers numbers = engine_.numbers(now);
    numbers.snd_nxt -=
        control_ ? unacknowledged(control_.get()) : static_cast<std::uint32_t>(unsent_.size());
    return numbers;
}

void PathCall::probe(const pptp::ProbeSegment& segment) {
    sockets_->probe.send(key_, timestamps_, segment);
}

void PathCall::connect(const pptp::ControlSocket& socket) {
    connecting_until_ = boot_time() + kConnectPatience;
    ask_(CallWantsConnection{number_, socket});
}

void PathCall::emit(ByteView message) {
    if (connecting_until_) {
        if (unsent_.size() + message.size() > kUnsentBytesMax) {
            failure_ = "no control connection in time";
        } else {
            unsent_.insert(unsent_.end(), message.begin(), message.end());
        }
        return;
    }
    const ssize_t sent = control_ ? ::send(control_.get(), message.data(), message.size(),
                                           MSG_DONTWAIT | MSG_NOSIGNAL)
                                  : 0;
    if (control_ && sent != static_cast<ssize_t>(message.size())) {
        failure_ = "peer accepts no control message";
    }
}

void PathCall::send(ByteView gre) {
    ++packets_;
    sockets_->gre.send(key_.peer.address, gre);
}

void PathCall::deliver(ByteView packet) {
    // A packet that the kernel refuses is lost.
    static_cast<void>(!::write(device_.get(), packet.data(), packet.size()));
}

void PathCall::settle() {
    if (const auto failure = std::exchange(failure_, std::nullopt)) {
        leave_connection();
        engine_.on_control_closed(*failure, *this);
        failure_.reset();
    }
}

void PathCall::leave_connection() {
    if (has_connection()) {
        ask_(CallLeavesConnection{number_});
    }
    has_left_ = true;
    connecting_until_.reset();
    unsent_.clear();
}

}  // namespace vpnha::adapters
