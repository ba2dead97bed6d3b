// SPDX-License-Identifier: GPL-2.0-or-later
// One call of the data path: a pptp::ResumedCall with its TUN device, its end of the control
// connection, and a share of its VIP's sockets. The data path's thread owns it.
//
// What happens within a call of the engine must not call it again: a connection that fails there is
// told to it by settle(), which whoever called the engine calls next.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "adapters/pptp/data_path.hpp"
#include "adapters/pptp/gre_socket.hpp"
#include "adapters/pptp/probe_socket.hpp"
#include "adapters/pptp/tun_device.hpp"

namespace vpnha::adapters {

// Of one VIP; all its calls share them.
struct VipSockets {
    GreSocket gre;
    ProbeSocket probe;
};

class PathCall final : pptp::CallOutput {
  public:
    // The sockets and the counters must outlive it.
    PathCall(const DataPath::Prepare& prepare, TunDevice device,
             const TunDevices::Settings& device_settings, VipSockets& sockets,
             pptp::CallCounters& counters, TimePoint now);
    // Without a word.
    ~PathCall();
    PathCall(const PathCall&) = delete;
    PathCall& operator=(const PathCall&) = delete;

    [[nodiscard]] const pptp::CallKey& key() const { return key_; }
    [[nodiscard]] GatewayId gateway() const { return gateway_; }
    [[nodiscard]] const TunDevices::Settings& device_settings() const { return device_settings_; }
    [[nodiscard]] const TunDevice& device() const { return device_; }
    // The last that is asked of it.
    [[nodiscard]] TunDevice take_device() { return std::move(device_); }

    void set_numbers(const pptp::CallNumbers& numbers, TimePoint now);
    // As pptp::ResumedCall's.
    [[nodiscard]] bool catch_up(std::size_t keys_max) { return engine_.catch_up(keys_max); }
    void resume(bool exact, std::uint8_t tenure, TimePoint now);
    // Its numbers are known to the group.
    void release() { may_send_ = true; }
    void pause(TimePoint now);
    void close(const std::string& reason, EndCause cause);
    void on_segment(const pptp::PeerSegment& segment, TimePoint now);
    void on_gre(ByteView packet, TimePoint now);
    // Some of what waits at the device, or at the connection.
    void read_device(std::span<std::uint8_t> room, TimePoint now);
    void read_control(std::span<std::uint8_t> room, TimePoint now);
    void on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const { return engine_.next_deadline(); }

    // Whom its packets concern: it was resumed, and is neither paused nor over.
    [[nodiscard]] bool is_live() const;
    [[nodiscard]] bool is_running() const;
    // Its device's packets are wanted.
    [[nodiscard]] bool takes_packets() const { return may_send_ && engine_.takes_packets(); }
    [[nodiscard]] bool wants_keys() const { return engine_.wants_keys(); }
    // It was resumed at some time: its numbers are this node's to say.
    [[nodiscard]] bool is_ours() const { return is_ours_; }
    // Of the device, and of the connection: -1 while there is none.
    [[nodiscard]] int device_fd() const { return device_.fd(); }
    [[nodiscard]] int control_fd() const { return control_.get(); }
    [[nodiscard]] std::optional<std::string> take_resumed() {
        return std::exchange(resumed_, std::nullopt);
    }
    // Set once it is over.
    [[nodiscard]] const std::optional<std::string>& end_reason() const { return end_reason_; }
    [[nodiscard]] EndCause end_cause() const { return end_cause_; }
    // The connection ends as TCP does.
    void close_control();

    // What the peer has not acknowledged of the connection it is taken not to have.
    [[nodiscard]] pptp::CallNumbers numbers(TimePoint now) const;
    // Packets since the last time.
    [[nodiscard]] std::size_t packets() const { return packets_; }
    void forget_packets() { packets_ = 0; }

  private:
    void probe(const pptp::ProbeSegment& segment) override;
    void connect(const pptp::ControlSocket& socket) override;
    void say(ByteView message) override;
    void send(ByteView gre) override;
    void deliver(ByteView packet) override;
    void resumed(const std::string& how) override { resumed_ = how; }
    void ended(const std::string& reason, EndCause cause) override {
        end_reason_ = reason;
        end_cause_ = cause;
    }
    void settle();

    GatewayId gateway_;
    pptp::CallKey key_;
    bool timestamps_;
    VipSockets* sockets_;
    TunDevice device_;
    TunDevices::Settings device_settings_;
    UniqueFd control_;
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
