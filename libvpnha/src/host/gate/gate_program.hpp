// SPDX-License-Identifier: GPL-2.0-or-later
// The gate's BPF program in the kernel: loading it, and opening one that another process attached.
// One loaded program with its maps serves all gateways of a process, on all devices.
//
// An attached program and its maps outlive their process: the device's chain holds them. This is
// intended, and so an attached program can be opened by its number alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/ip.hpp"
#include "config/config.hpp"
#include "host/netlink/netlink_route.hpp"
#include "host/os/unique_fd.hpp"
#include "ports/gate.hpp"

struct bpf_program;
struct vpnha_gate;
struct vpnha_gate_move;
struct vpnha_gate_station;

namespace vpnha::adapters {

using ports::GateDirection;
using ports::GateKind;
using ports::GateReason;
using ports::kGateDirections;

// The maps of one program, of this process or of another; the fds stay the caller's.
class GateMaps {
  public:
    struct Fds {
        int covered4;
        int covered6;
        int deadline;
        int rules;     // -1: of another process, which alone knows them.
        int ends;      // The same.
        int held;      // The same.
        int drained;   // The same.
        int moves;     // The same.
        int stations;  // The same.
        int moved;     // The same.
        int drops;
    };
    explicit GateMaps(const Fds& fds) : fds_(fds) {}

    // Covers Gateway::covered(); covering twice is no error.
    [[nodiscard]] Result<void> cover(const config::Gateway& gateway) const;
    // The nets covered for it, IPv4 first, each once.
    [[nodiscard]] Result<std::vector<IpPrefix>> covered(GatewayId gateway) const;
    // Nanoseconds of CLOCK_BOOTTIME, or one of gate_abi.h's special values.
    [[nodiscard]] Result<void> set_deadline(GatewayId gateway, std::uint64_t deadline_ns) const;
    [[nodiscard]] Result<std::uint64_t> deadline(GatewayId gateway) const;
    [[nodiscard]] Result<void> allow_end(Ipv4Address vip, const Ipv4Endpoint& peer,
                                         bool meant) const;
    [[nodiscard]] Result<void> hold_esp(const std::vector<std::uint32_t>& spis, bool held) const;
    [[nodiscard]] Result<void> drain(std::uint32_t gateway, bool drained) const;
    // A move; it is under way as soon as its deadlines are set.
    [[nodiscard]] Result<void> set_move(GatewayId gateway, const vpnha_gate_move& move) const;
    [[nodiscard]] Result<void> set_station(GatewayId gateway, LinkIndex link,
                                           const vpnha_gate_station& station) const;
    [[nodiscard]] Result<vpnha_gate_station> station(GatewayId gateway, LinkIndex link) const;
    [[nodiscard]] Result<ports::MovedPackets> moved(GatewayId gateway) const;
    [[nodiscard]] Result<ports::GateCounters> drops(GatewayId gateway) const;
    // The kernel's number. Programs with equal ones open and shut together.
    [[nodiscard]] Result<std::uint32_t> deadline_map() const;

  private:
    Fds fds_;
};

class GateProgram {
  public:
    // Shut for every gateway, covering none. Error permission or unsupported when this process or
    // this kernel cannot load it.
    [[nodiscard]] static Result<GateProgram> load();
    GateProgram(GateProgram&&) noexcept;
    GateProgram& operator=(GateProgram&&) noexcept;
    ~GateProgram();

    [[nodiscard]] GateMaps maps() const;
    [[nodiscard]] int program(GateDirection direction) const;
    // Of both ends of a HoldPair.
    [[nodiscard]] int back() const;
    // The same program, with the same maps, under another number of the kernel's.
    [[nodiscard]] Result<UniqueFd> copy(GateDirection direction) const;

  private:
    struct Destroy {
        void operator()(vpnha_gate* program) const;
    };
    explicit GateProgram(vpnha_gate* program);
    [[nodiscard]] const bpf_program* handle(GateDirection direction) const;

    std::unique_ptr<vpnha_gate, Destroy> program_;
};

// A gate found in a device's chain, whoever attached it.
class AttachedGate {
  public:
    // By the kernel's number of its program. nullopt when that is no gate. Error not_found when
    // there is no such program, unsupported when it is a gate of another version.
    [[nodiscard]] static Result<std::optional<AttachedGate>> open(std::uint32_t program);
    [[nodiscard]] int program() const { return program_.get(); }
    [[nodiscard]] GateMaps maps() const;

  private:
    UniqueFd program_;
    UniqueFd covered4_;
    UniqueFd covered6_;
    UniqueFd deadline_;
    UniqueFd drops_;
};

struct ProgramInfo {
    std::uint32_t id = 0;  // The kernel's number.
    std::string name;
    std::vector<std::uint32_t> maps;  // Their numbers.
};
// Of a loaded program.
[[nodiscard]] Result<ProgramInfo> program_info(int program);
// Error not_found: there is none of that number.
[[nodiscard]] Result<UniqueFd> open_program(std::uint32_t id);

}  // namespace vpnha::adapters
