// SPDX-License-Identifier: GPL-2.0-or-later
// A node with a gateway for tests of the gate: what the attached program says of frames.
#pragma once

#include <bpf/bpf.h>
#include <linux/pkt_cls.h>
#include <time.h>

#include <optional>
#include <utility>

#include "adapters/gate.hpp"
#include "unit/adapters/frame.hpp"
#include "unit/adapters/two_hosts.hpp"

namespace vpnha::adapters {

inline constexpr TimePoint kForever = TimePoint::max();

inline TimePoint boot_time() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return TimePoint(std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec));
}

// To pass means to go on to the next filter, not past it.
enum class Verdict { passes, dropped, no_gate, unknown };

class GateHost : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        config_.gateways = {gateway()};
    }

    // What the attached program says of a frame.
    static Verdict verdict(GateDirection direction, const Bytes& frame,
                           const std::string& interface = "out0") {
        const auto found = AttachedGate::find(interface, direction);
        if (!found || !*found) {
            return Verdict::no_gate;
        }
        bpf_test_run_opts options{};
        options.sz = sizeof options;
        options.data_in = frame.data();
        options.data_size_in = static_cast<std::uint32_t>(frame.size());
        EXPECT_EQ(bpf_prog_test_run_opts((*found)->program(), &options), 0);
        const int action = static_cast<int>(options.retval);
        if (action == TC_ACT_UNSPEC) {
            return Verdict::passes;
        }
        // Stolen, not shot, at egress: the sender is to see success.
        return action == (direction == GateDirection::out ? TC_ACT_STOLEN : TC_ACT_SHOT)
                   ? Verdict::dropped
                   : Verdict::unknown;
    }
    static Verdict verdict_on_vip() {
        return verdict(GateDirection::out, testing::Frame().ipv4("192.0.2.100", "192.0.2.51"));
    }
    BpfGate attached() {
        auto gate = BpfGate::create(config_);
        EXPECT_TRUE(gate) << gate.error().detail;
        const auto outcome = gate->attach(kId);
        EXPECT_TRUE(outcome) << outcome.error().detail;
        return std::move(*gate);
    }
    static std::optional<TimePoint> deadline_of(const BpfGate& gate) {
        const auto deadline = gate.deadline(kId);
        EXPECT_TRUE(deadline);
        return *deadline;
    }

    static constexpr GatewayId kId{7};
    config::Config config_;
};

}  // namespace vpnha::adapters
