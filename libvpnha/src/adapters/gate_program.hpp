// SPDX-License-Identifier: GPL-2.0-or-later
// The gate's BPF program in the kernel: loading it, attaching it, and finding one that another
// process attached. One loaded program with its maps serves all gateways of a process.
//
// An attached program and its maps live on when their process dies: the filter holds them. That is
// the point, and the reason why an attached program can be found again from its device alone.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "adapters/unique_fd.hpp"
#include "base/ids.hpp"
#include "config/config.hpp"

struct vpnha_gate;

namespace vpnha::adapters {

enum class GateDirection : std::uint32_t { in = 0, out = 1 };
inline constexpr std::array kGateDirections = {GateDirection::in, GateDirection::out};

// The maps of one program, of this process or of another.
class GateMaps {
  public:
    // The fds stay the caller's.
    GateMaps(int covered, int deadline, int drops)
        : covered_(covered), deadline_(deadline), drops_(drops) {}

    // VIPs, PPP local address and pools; covered twice is covered.
    [[nodiscard]] Result<void> cover(const config::Gateway& gateway) const;
    // Nanoseconds of CLOCK_BOOTTIME, or one of gate_abi.h's special values.
    [[nodiscard]] Result<void> set_deadline(GatewayId gateway, std::uint64_t deadline_ns) const;
    [[nodiscard]] Result<std::uint64_t> deadline(GatewayId gateway) const;
    [[nodiscard]] Result<std::uint64_t> drops(GatewayId gateway, GateDirection direction) const;

  private:
    int covered_;
    int deadline_;
    int drops_;
};

class GateProgram {
  public:
    // Shut for every gateway, covering none.
    [[nodiscard]] static Result<GateProgram> load();
    GateProgram(GateProgram&&) noexcept;
    GateProgram& operator=(GateProgram&&) noexcept;
    ~GateProgram();

    // Takes the place of the gate that is attached there, in one step, if there is one.
    [[nodiscard]] Result<void> attach(const std::string& interface, GateDirection direction) const;
    [[nodiscard]] GateMaps maps() const;

  private:
    struct Destroy {
        void operator()(vpnha_gate* program) const;
    };
    explicit GateProgram(vpnha_gate* program);

    std::unique_ptr<vpnha_gate, Destroy> program_;
};

// A gate found on a device, whoever attached it.
class AttachedGate {
  public:
    // nullopt when no gate is attached there. Error not_found when there is no such interface.
    [[nodiscard]] static Result<std::optional<AttachedGate>> find(const std::string& interface,
                                                                  GateDirection direction);
    [[nodiscard]] int program() const { return program_.get(); }
    [[nodiscard]] GateMaps maps() const;

  private:
    UniqueFd program_;
    UniqueFd covered_;
    UniqueFd deadline_;
    UniqueFd drops_;
};

}  // namespace vpnha::adapters
