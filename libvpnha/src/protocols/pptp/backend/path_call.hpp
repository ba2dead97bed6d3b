// SPDX-License-Identifier: GPL-2.0-or-later
// One call of the data path: a pptp::ResumedCall with its TUN device, its end of the control
// connection, and a share of its VIP's sockets. carry-calls owns it.
//
// vpnhad makes the control connection. Messages that the call sends before that wait.
//
// Events within a call of the engine must not call it again. A connection that fails there is
// reported to the engine by settle(), which the engine's caller calls next.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/accounting.hpp"
#include "host/sockets/gre_socket.hpp"
#include "protocols/pptp/backend/path_message.hpp"
#include "protocols/pptp/backend/probe_socket.hpp"

namespace vpnha::adapters {

// Of one VIP; all its calls share them.
struct VipSockets {
    GreSocket gre;
    ProbeSocket probe;
};

class PathCall final : pptp::CallOutput {
  public:
    // Sends vpnhad a request.
    using Ask = std::function<void(PathReport)>;

    // The sockets and the counters must outlive it.
    PathCall(const PathPrepare& prepare, UniqueFd device, VipSockets& sockets, Ask ask,
             pptp::CallCounters& counters, TimePoint now);
    PathCall(const PathCall&) = delete;
    PathCall& operator=(const PathCall&) = delete;

    [[nodiscard]] const pptp::CallKey& key() const { return key_; }
    [[nodiscard]] GatewayId gateway() const { return gateway_; }

    void set_numbers(const pptp::CallNumbers& numbers, TimePoint now);
    // As pptp::ResumedCall's.
    [[nodiscard]] bool catch_up(std::size_t keys_max) { return engine_.catch_up(keys_max); }
    void resume(bool exact, std::uint8_t tenure, TimePoint now);
    // The group knows its numbers.
    void release() { may_send_ = true; }
    void pause(TimePoint now);
    void close(const std::string& reason, EndCause cause);
    void on_segment(const pptp::PeerSegment& segment, TimePoint now);
    void on_gre(ByteView packet, TimePoint now);
    // Some of the packets that wait at the device, or of the octets on the connection.
    void read_device(std::span<std::uint8_t> room, TimePoint now);
    void read_control(std::span<std::uint8_t> room, TimePoint now);
    void on_time(TimePoint now);
    // Its control connection, or why there is none.
    void on_connected(Result<UniqueFd> connection);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const {
        return earliest(engine_.next_deadline(), connecting_until_);
    }

    // Packets for its peer's address are its own: it was resumed, and is neither paused nor over.
    [[nodiscard]] bool is_live() const;
    [[nodiscard]] bool is_running() const;
    // Packets at its device are to be read.
    [[nodiscard]] bool takes_packets() const { return may_send_ && engine_.takes_packets(); }
    [[nodiscard]] bool wants_keys() const { return engine_.wants_keys(); }
    // It was resumed at some time: this node reports its numbers.
    [[nodiscard]] bool is_ours() const { return is_ours_; }
    // Of the device, and of the connection: -1 while there is none.
    [[nodiscard]] int device_fd() const { return device_.get(); }
    [[nodiscard]] int control_fd() const { return control_.get(); }
    // The connection exists, or vpnhad was asked for it, and it has not failed.
    [[nodiscard]] bool has_connection() const {
        return !has_left_ && (control_ || connecting_until_);
    }
    [[nodiscard]] std::optional<std::string> take_resumed() {
        return std::exchange(resumed_, std::nullopt);
    }
    // Set once it is over.
    [[nodiscard]] const std::optional<std::string>& end_reason() const { return end_reason_; }
    [[nodiscard]] EndCause end_cause() const { return end_cause_; }
    // Octets that the peer has not acknowledged count as not received.
    [[nodiscard]] pptp::CallNumbers numbers(TimePoint now) const;
    // Packets since the last time.
    [[nodiscard]] std::size_t packets() const { return packets_; }
    void forget_packets() { packets_ = 0; }

  private:
    void probe(const pptp::ProbeSegment& segment) override;
    void connect(const pptp::ControlSocket& socket) override;
    void emit(ByteView message) override;
    void send(ByteView gre) override;
    void deliver(ByteView packet) override;
    void resumed(const std::string& how) override { resumed_ = how; }
    void ended(const std::string& reason, EndCause cause) override {
        end_reason_ = reason;
        end_cause_ = cause;
    }
    void settle();

    void leave_connection();

    PathCallNumber number_;
    GatewayId gateway_;
    pptp::CallKey key_;
    bool timestamps_;
    VipSockets* sockets_;
    Ask ask_;
    UniqueFd device_;
    UniqueFd control_;
    std::optional<TimePoint> connecting_until_;
    Bytes unsent_;           // Waits for the connection.
    bool has_left_ = false;  // vpnhad closes it; here it is closed with the call.
    pptp::ResumedCall engine_;
    bool is_ours_ = false;
    bool may_send_ = false;
    std::size_t packets_ = 0;
    std::optional<std::string> failure_;  // Of the connection, for settle().
    std::optional<std::string> resumed_;
    std::optional<std::string> end_reason_;
    EndCause end_cause_ = EndCause::nas_error;
};

}  // namespace vpnha::adapters
