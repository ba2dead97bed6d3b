// SPDX-License-Identifier: GPL-2.0-or-later
// The chain of BPF programs that a packet passes at the edge of a device, of which the gate has to
// be the first: any other verdict than "go on" ends the chain.
//
// Kernels since 6.6 have two chains, tcx and behind it the filters of clsact. There the gate stands
// in tcx. Older ones have clsact only; there it stands among the filters of priority 1, which come
// first. What is attached stays when its process dies; a device takes it along when it goes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/netlink/netlink_route.hpp"
#include "ports/gate.hpp"

namespace vpnha::adapters {

enum class GateHook { tcx, clsact };

// tcx where this kernel has it.
[[nodiscard]] GateHook gate_hook_of_kernel();

class GateChain {
  public:
    // In the network namespace of the calling thread.
    [[nodiscard]] static Result<GateChain> open(GateHook hook);

    // In the order in which they run; of clsact, or of incoming packets of an ingress qdisc, those
    // of priority 1. Empty when nothing is attached there; error not_found, or nothing either, when
    // there is no such device.
    [[nodiscard]] Result<std::vector<LinkFilter>> list(LinkIndex link,
                                                       ports::GateDirection direction);
    // Before all others. A program stands once in a chain of tcx: error already_exists. Error
    // unsupported: the kernel lacks clsact or BPF filters, or `link`, which errors call
    // `interface`, has a qdisc in the place of clsact. An ingress qdisc takes a program for
    // incoming packets.
    Result<void> put_first(LinkIndex link, const std::string& interface,
                           ports::GateDirection direction, int program);
    // Why the device would not take a program, as far as that can be seen without an attempt; else
    // empty.
    [[nodiscard]] Result<std::string> hindrance(LinkIndex link, const std::string& interface);
    // What is gone already is a success.
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

// libbpf's words go nowhere from then on: what matters is in the Error. It warns of a clsact that
// exists already and of a filter that does not, both of which are no faults here.
void silence_libbpf();

// What the kernel lacks, from the errno that it gave. libbpf and netlink both say so by ENOENT or
// EINVAL where a module is missing.
[[nodiscard]] tl::unexpected<Error> refused_by_kernel(const std::string& what, int error,
                                                      std::string_view lacks);

}  // namespace vpnha::adapters
