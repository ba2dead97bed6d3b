// SPDX-License-Identifier: GPL-2.0-or-later
// A node with a gateway for tests of the gate: what the attached program says of frames.
#pragma once

#include <bpf/bpf.h>
#include <linux/pkt_cls.h>
#include <net/if.h>

#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/gate/gate.hpp"
#include "host/gate/gate_silence.hpp"
#include "host/os/boot_clock.hpp"
#include "unit/host/addresses/frame.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {

inline constexpr TimePoint kForever = TimePoint::max();
inline constexpr std::chrono::milliseconds kSoon{2000};    // For what must come, on a busy machine.
inline constexpr std::chrono::milliseconds kNothing{150};  // For what must not come.

inline bool is_arp_reply(const Bytes& frame) {
    return frame.size() > 21 && frame[12] == 0x08 && frame[13] == 0x06 && frame[21] == 2;
}

// To pass means to continue to the next filter, not past it.
enum class Verdict { passes, dropped, no_gate, unknown };

// Those that this kernel has: the gate is to do the same by each.
inline std::vector<GateHook> hooks_of_kernel() {
    std::vector<GateHook> hooks{GateHook::clsact};
    if (gate_hook_of_kernel() == GateHook::tcx) {
        hooks.push_back(GateHook::tcx);
    }
    return hooks;
}
inline std::string name_of_hook(const ::testing::TestParamInfo<GateHook>& hook) {
    return hook.param == GateHook::tcx ? "tcx" : "clsact";
}

class GateHost : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        config_.gateways = {gateway()};
    }

    static LinkIndex index_of(const std::string& interface) {
        return static_cast<LinkIndex>(if_nametoindex(interface.c_str()));
    }
    [[nodiscard]] std::vector<LinkFilter> chain_of(const std::string& interface,
                                                   GateDirection direction) const {
        const auto entries = GateChain::open(hook_).and_then(
            [&](GateChain chain) { return chain.list(index_of(interface), direction); });
        return entries.value_or(std::vector<LinkFilter>{});
    }
    // Whatever is attached there, as somebody else would.
    void take_all_off(const std::string& interface) const {
        auto chain = GateChain::open(hook_);
        for (const GateDirection direction : kGateDirections) {
            for (const LinkFilter& entry : chain_of(interface, direction)) {
                EXPECT_TRUE(chain->remove(index_of(interface), direction, entry));
            }
        }
    }
    // A program of that name that lets everything pass, before all others.
    void put_before(const std::string& interface, GateDirection direction,
                    const char* name = "another") const {
        constexpr int kPasses = TC_ACT_OK;
        const bpf_insn lets_pass[] = {
            {.code = BPF_ALU64 | BPF_MOV | BPF_K,
             .dst_reg = 0,
             .src_reg = 0,
             .off = 0,
             .imm = kPasses},
            {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
        const UniqueFd program(bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, name, "GPL", lets_pass,
                                             std::size(lets_pass), nullptr));
        ASSERT_TRUE(program);
        auto chain = GateChain::open(hook_);
        const auto put = chain->put_first(index_of(interface), interface, direction, program.get());
        ASSERT_TRUE(put) << put.error().detail;
    }

    // What the attached program says of a frame, wherever it stands in its chain.
    [[nodiscard]] Verdict verdict(GateDirection direction, const Bytes& frame,
                                  const std::string& interface = "out0") const {
        std::optional<AttachedGate> found;
        for (const LinkFilter& entry : chain_of(interface, direction)) {
            if (auto gate = AttachedGate::open(entry.program); !found && gate && *gate) {
                found = std::move(*gate);
            }
        }
        if (!found) {
            return Verdict::no_gate;
        }
        bpf_test_run_opts options{};
        options.sz = sizeof options;
        options.data_in = frame.data();
        options.data_size_in = static_cast<std::uint32_t>(frame.size());
        EXPECT_EQ(bpf_prog_test_run_opts(found->program(), &options), 0);
        const int action = static_cast<int>(options.retval);
        if (action == TC_ACT_UNSPEC) {
            return Verdict::passes;
        }
        // Sent to nowhere, not shot, at egress: the sender is to see success.
        return action == (direction == GateDirection::out ? TC_ACT_REDIRECT : TC_ACT_SHOT)
                   ? Verdict::dropped
                   : Verdict::unknown;
    }
    [[nodiscard]] Verdict verdict_on_vip() const {
        return verdict(GateDirection::out, testing::Frame().ipv4("192.0.2.100", "192.0.2.51"));
    }
    BpfGate attached() {
        auto gate = BpfGate::create(config_, hook_);
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
    GateHook hook_ = gate_hook_of_kernel();
};

// The same by each hook.
class HookedGateHost : public GateHost, public ::testing::WithParamInterface<GateHook> {
  protected:
    void SetUp() override {
        GateHost::SetUp();
        hook_ = GetParam();
    }
    [[nodiscard]] Result<void> silenced(const config::Gateway& gateway) const {
        return silence(config_, gateway, hook_);
    }
};

}  // namespace vpnha::adapters
