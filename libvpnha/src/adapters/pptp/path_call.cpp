// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/pptp/path_call.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "adapters/pptp/repaired_socket.hpp"
#include "base/limits.hpp"

namespace vpnha::adapters {

namespace {

constexpr int kPacketsAtOnce = 64;  // Of one device, before the others have their turn.

}  // namespace

PathCall::PathCall(const DataPath::Prepare& prepare, TunDevice device,
                   const TunDevices::Settings& device_settings, VipSockets& sockets,
                   pptp::CallCounters& counters, TimePoint now)
    : gateway_(prepare.call.gateway),
      key_(prepare.call.record.key),
      timestamps_(prepare.call.record.tcp.timestamps),
      sockets_(&sockets),
      device_(std::move(device)),
      device_settings_(device_settings),
      engine_(prepare.call.record, prepare.keys, counters) {
    engine_.set_numbers(prepare.call.numbers, now);
}

PathCall::~PathCall() {
    if (control_) {
        close_silently(std::move(control_));
    }
}

void PathCall::set_numbers(const pptp::CallNumbers& numbers, TimePoint now) {
    engine_.set_numbers(numbers, now);
}

void PathCall::resume(bool exact, std::uint8_t tenure, TimePoint now) {
    if (!is_ours_) {
        // What was sent there while nobody served is of no use any more.
        std::uint8_t octet = 0;
        while (!device_.read({&octet, 1}).empty()) {
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
        const ByteView packet = device_.read(room);
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
    engine_.on_time(now, *this);
    settle();
}

bool PathCall::is_live() const {
    return engine_.state() == pptp::ResumedCall::State::resuming || is_running();
}

bool PathCall::is_running() const {
    return engine_.state() == pptp::ResumedCall::State::running;
}

void PathCall::close_control() {
    // With what nobody has read the kernel would send a RST in place of the FIN.
    std::uint8_t octets[512];
    while (control_ && ::recv(control_.get(), octets, sizeof octets, MSG_DONTWAIT) > 0) {
    }
    control_.reset();
}

pptp::CallNumbers PathCall::numbers(TimePoint now) const {
    pptp::CallNumbers numbers = engine_.numbers(now);
    if (control_) {
        numbers.snd_nxt -= unacknowledged(control_.get());
    }
    return numbers;
}

void PathCall::probe(const pptp::ProbeSegment& segment) {
    sockets_->probe.send(key_, timestamps_, segment);
}

void PathCall::connect(const pptp::ControlSocket& socket) {
    auto opened = open_repaired(key_, socket);
    if (opened) {
        control_ = std::move(*opened);
    } else {
        failure_ = "no control connection: " + opened.error().detail;
    }
}

void PathCall::say(ByteView message) {
    const ssize_t sent = control_ ? ::send(control_.get(), message.data(), message.size(),
                                           MSG_DONTWAIT | MSG_NOSIGNAL)
                                  : 0;
    if (control_ && sent != static_cast<ssize_t>(message.size())) {
        failure_ = "peer takes no control message";
    }
}

void PathCall::send(ByteView gre) {
    ++packets_;
    sockets_->gre.send(key_.peer.address, gre);
}

void PathCall::deliver(ByteView packet) {
    device_.write(packet);
}

void PathCall::settle() {
    if (const auto failure = std::exchange(failure_, std::nullopt)) {
        if (control_) {
            close_silently(std::move(control_));
        }
        engine_.on_control_closed(*failure, *this);
        failure_.reset();
    }
}

}  // namespace vpnha::adapters
