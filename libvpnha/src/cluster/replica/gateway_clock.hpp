// SPDX-License-Identifier: GPL-2.0-or-later
// The clock of a gateway: one time line for all its nodes, by which sessions' ages are counted.
// Pure.
//
// It starts with the Unix time of the node that served first, and advances by CLOCK_BOOTTIME. The
// node that serves sends it; the others note how far it is ahead of their own CLOCK_BOOTTIME, and
// the next node continues with it. So a clock that somebody sets, or that differs from other
// nodes', makes no session older or younger.
//
// The same message has the Unix time of the node that serves. A standby whose own differs by
// limits::kClockDifferenceMax is astray: RADIUS servers and logs get wrong times from it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "cluster/wire/message.hpp"

namespace vpnha::replica {

class GatewayClock {
  public:
    explicit GatewayClock(GatewayId gateway) : gateway_(gateway) {}

    // Unix time less CLOCK_BOOTTIME, of this node, now. Called before anything else, and then
    // whenever it may have changed.
    void set_wall(Duration wall) { wall_ = wall; }

    // That time on this node's own Unix clock, as that is set now.
    [[nodiscard]] std::uint64_t unix_ms(TimePoint at) const;
    // Milliseconds on the gateway's clock.
    [[nodiscard]] std::uint64_t at(TimePoint now) const;
    // That time on this node's CLOCK_BOOTTIME; a session may have begun before 0. Whatever `ms` is,
    // 136 years added to it do not overflow.
    [[nodiscard]] TimePoint when(std::uint64_t ms) const;

    // This node serves under `epoch`: its clock is the gateway's from here on.
    void serve(const Epoch& epoch, TimePoint now);
    // It serves no more.
    void follow() { emit_again_at_.reset(); }
    // A replica requests a snapshot: the node that serves, or one that knows the clock, sends it.
    void on_asked() { is_due_ = true; }
    // From another node. `serves`: it is the one that serves. Ignored where this node serves.
    void handle(const wire::Clock& clock, bool serves, TimePoint now);
    // The message that is due. `may_relay`: no node serves, and this node is complete.
    [[nodiscard]] std::optional<wire::Clock> take_due(bool may_relay, TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const { return emit_again_at_; }

    // By how much this node's Unix time is ahead of that of the node that serves; nullopt: not
    // known, or this node serves. A late message makes it too large, so it is the smaller one of
    // the last two.
    [[nodiscard]] std::optional<Duration> difference() const;
    // It is beyond limits::kClockDifferenceMax, or was, and is above half of it.
    [[nodiscard]] bool is_astray() const { return is_astray_; }

  private:
    GatewayId gateway_;
    Duration wall_{};
    std::optional<Duration> ahead_;  // The gateway's clock, of CLOCK_BOOTTIME; nullopt: wall_.
    Epoch epoch_;                    // The epoch of the holder that sent it.
    TimePoint received_at_{};
    bool is_due_ = false;
    std::optional<TimePoint> emit_again_at_;  // This node serves.
    std::array<std::optional<Duration>, 2> differences_;
    bool is_astray_ = false;
};

}  // namespace vpnha::replica
