// SPDX-License-Identifier: GPL-2.0-or-later
// The chain of BPF programs that a packet passes at the edge of a device. The gate has to be the
// first: any other verdict than "continue" ends the chain.
//
// Kernels since 6.6 have two chains, tcx and after it the filters of clsact. There the gate is in
// tcx. Older ones have clsact only; there it is among the filters of priority 1, which come first.
// Programs stay attached when their process dies; a removed device removes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/netlink/netlink_route.hpp"
#include "ports/gate.hpp"

namespace vpnha::adapters {

enum class GateHook { tcx, clsact };

// tcx if this kernel has it.
[[nodiscard]] GateHook gate_hook_of_kernel();

class GateChain {
  public:
    // In the network namespace of the calling thread.
    [[nodiscard]] static Result<GateChain> open(GateHook hook);

    // In the order in which they run; in clsact, or for incoming packets of an ingress qdisc, those
    // of priority 1. Empty when nothing is attached there; error not_found, or nothing either, when
    // there is no such device.
    [[nodiscard]] Result<std::vector<LinkFilter>> list(LinkIndex link,
                                                       ports::GateDirection direction);
    // Before all others. A program can be only once in a chain of tcx: error already_exists. Error
    // unsupported: the kernel has no clsact or BPF filters, or `link`, which errors call
    // `interface`, has a qdisc in the place of clsact. An ingress qdisc accepts a program for
    // incoming packets.
    Result<void> put_first(LinkIndex link, const std::string& interface,
                           ports::GateDirection direction, int program);
    // Why the device would not accept a program, as far as that is visible without an attempt; else
    // empty.
    [[nodiscard]] Result<std::string> hindrance(LinkIndex link, const std::string& interface);
    // Removing a program that is gone is a success.
    Result<void> remove(LinkIndex link, ports::GateDirection direction, const LinkFilter& entry);

  private:
    GateChain(GateHook hook, RouteNetlink route) : hook_(hook), route_(std::move(route)) {}
    Result<void> require_clsact(LinkIndex link, const std::string& interface,
                                ports::GateDirection direction);
    Result<void> put_filter_first(LinkIndex link, const std::string& interface,
                                  ports::GateDirection direction, int program);

    GateHook hook_;
    RouteNetlink route_;
};

// Discards libbpf's messages from then on: the Error has what matters. It warns of a clsact that
// exists already and of a filter that does not, both of which are no faults here.
void silence_libbpf();

// The missing part of the kernel, from the errno that it gave. libbpf and netlink both return
// ENOENT or EINVAL if a module is missing.
[[nodiscard]] tl::unexpected<Error> refused_by_kernel(const std::string& what, int error,
                                                      std::string_view feature);

}  // namespace vpnha::adapters
