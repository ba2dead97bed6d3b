// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/gate/gate_chain.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/pkt_sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "host/os/unique_fd.hpp"

namespace vpnha::adapters {

namespace {

using ports::GateDirection;

// Before any filter that uses the kernel's automatic priorities (49152 downwards). Of one priority
// the newest filter runs first.
constexpr std::uint16_t kFilterPriority = 1;

constexpr std::string_view kClsact = "clsact";
constexpr std::string_view kIngress = "ingress";

// In linux/bpf.h since 6.6; Debian 12's is older, and so is its libbpf.
constexpr std::uint32_t kTcxIngress = 46;
constexpr std::uint32_t kTcxEgress = 47;
constexpr std::uint32_t kBefore = 1U << 3U;  // BPF_F_BEFORE; without a relative: before all.
constexpr std::size_t kTcxProgramsMax = 64;  // BPF_MPROG_MAX.

struct TcxAttach {  // Of BPF_PROG_ATTACH and BPF_PROG_DETACH.
    std::uint32_t link;
    std::uint32_t program;
    std::uint32_t type;
    std::uint32_t flags;
    std::uint32_t replaced;
    std::uint32_t relative;
    std::uint64_t revision;
};

struct TcxQuery {  // Of BPF_PROG_QUERY, as a whole: the kernel writes into the last member, too.
    std::uint32_t link;
    std::uint32_t type;
    std::uint32_t query_flags;
    std::uint32_t attach_flags;
    std::uint64_t programs;
    std::uint32_t count;
    std::uint32_t unused;
    std::uint64_t program_flags;
    std::uint64_t links;
    std::uint64_t link_flags;
    std::uint64_t revision;
};

std::uint32_t tcx_type(GateDirection direction) {
    return direction == GateDirection::in ? kTcxIngress : kTcxEgress;
}

// 0, or the errno.
template <class Attributes>
int call_bpf(bpf_cmd command, Attributes& attributes) {
    return syscall(SYS_bpf, command, &attributes, sizeof attributes) == 0 ? 0 : errno;
}

int query_tcx(LinkIndex link, GateDirection direction, std::vector<std::uint32_t>& programs) {
    programs.resize(kTcxProgramsMax);
    TcxQuery query{};
    query.link = static_cast<std::uint32_t>(link);
    query.type = tcx_type(direction);
    query.programs = reinterpret_cast<std::uintptr_t>(programs.data());
    query.count = static_cast<std::uint32_t>(programs.size());
    const int error = call_bpf(BPF_PROG_QUERY, query);
    programs.resize(error == 0 ? query.count : 0);
    return error;
}

int call_tcx(bpf_cmd command, LinkIndex link, GateDirection direction, int program,
             std::uint32_t flags) {
    TcxAttach attach{};
    attach.link = static_cast<std::uint32_t>(link);
    attach.program = static_cast<std::uint32_t>(program);
    attach.type = tcx_type(direction);
    attach.flags = flags;
    return call_bpf(command, attach);
}

bpf_tc_hook hook_of(LinkIndex link, GateDirection direction) {
    bpf_tc_hook hook{};
    hook.sz = sizeof hook;
    hook.ifindex = link;
    hook.attach_point = direction == GateDirection::in ? BPF_TC_INGRESS : BPF_TC_EGRESS;
    return hook;
}

bpf_tc_opts filter_options() {
    bpf_tc_opts options{};
    options.sz = sizeof options;
    options.priority = kFilterPriority;
    return options;
}

std::string attaching_to(const std::string& interface) {
    return fmt::format("attach the gate to {}", interface);
}

std::string in_place_of_clsact(const std::string& interface, const std::string& kind) {
    return fmt::format(
        "device {0} has a qdisc '{1}' where the gate needs clsact: nothing that "
        "goes out could be dropped; replace it (tc qdisc del dev {0} {1} && "
        "tc qdisc add dev {0} clsact), and add its filters again: clsact takes "
        "them, too",
        interface, kind);
}

}  // namespace

void silence_libbpf() {
    static const auto kPrevious = libbpf_set_print(nullptr);
    static_cast<void>(kPrevious);
}

tl::unexpected<Error> refused_by_kernel(const std::string& what, int error,
                                        std::string_view feature) {
    if (error == EPERM || error == EACCES) {
        return fail(
            Errc::permission,
            fmt::format("{}: not permitted; it needs root, or CAP_BPF and CAP_NET_ADMIN", what));
    }
    if (error == ENOSYS || error == ENOENT || error == EOPNOTSUPP) {
        return fail(Errc::unsupported,
                    fmt::format("{}: this kernel does not have {}; Debian's does", what, feature));
    }
    if (error == ENODEV) {
        return fail(Errc::not_found, fmt::format("{}: there is no such interface", what));
    }
    return tl::unexpected(system_error(what, error));
}

GateHook gate_hook_of_kernel() {
    // Device 1 is lo, in each namespace; if there is none, the kernel returns ENODEV. A kernel
    // without tcx does not know the type: EINVAL.
    std::vector<std::uint32_t> programs;
    const int error = query_tcx(1, GateDirection::in, programs);
    return error == 0 || error == ENODEV ? GateHook::tcx : GateHook::clsact;
}

Result<GateChain> GateChain::open(GateHook hook) {
    silence_libbpf();
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    return GateChain(hook, std::move(route));
}

Result<std::vector<LinkFilter>> GateChain::list(LinkIndex link, GateDirection direction) {
    if (hook_ == GateHook::clsact) {
        const std::uint32_t parent =
            direction == GateDirection::in ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS;
        VPNHA_TRY(std::vector<LinkFilter> found, route_.filters(link, parent, kFilterPriority));
        if (direction == GateDirection::out && !found.empty()) {
            // Other devices have no filters of outgoing packets.
            VPNHA_TRY(const std::string kind, route_.ingress_qdisc(link));
            if (kind != kClsact) {
                found.clear();
            }
        }
        return found;
    }
    std::vector<std::uint32_t> programs;
    if (const int error = query_tcx(link, direction, programs); error != 0) {
        return refused_by_kernel(fmt::format("list the programs of interface {}", link), error,
                                 "tcx");
    }
    std::vector<LinkFilter> found;
    found.reserve(programs.size());
    for (const std::uint32_t program : programs) {
        found.push_back({.handle = 0, .program = program});
    }
    return found;
}

// An ingress qdisc takes clsact's place and has one block of filters only: an egress filter would
// replace the ingress filter, and no outgoing packet would be seen.
Result<void> GateChain::require_clsact(LinkIndex link, const std::string& interface,
                                       GateDirection direction) {
    VPNHA_TRY(const std::string kind, route_.ingress_qdisc(link));
    if (kind == kClsact || (kind == kIngress && direction == GateDirection::in)) {
        return {};
    }
    return kind.empty()
               ? fail(Errc::busy, fmt::format("{}: another program has just removed its qdisc",
                                              attaching_to(interface)))
               : fail(Errc::unsupported, in_place_of_clsact(interface, kind));
}

Result<std::string> GateChain::hindrance(LinkIndex link, const std::string& interface) {
    if (hook_ == GateHook::tcx) {
        return std::string();
    }
    VPNHA_TRY(const std::string kind, route_.ingress_qdisc(link));
    if (!kind.empty() && kind != kClsact) {
        return in_place_of_clsact(interface, kind);
    }
    for (const GateDirection direction : ports::kGateDirections) {
        VPNHA_TRY(const std::vector<LinkFilter> filters, list(link, direction));
        if (std::any_of(filters.begin(), filters.end(),
                        [](const LinkFilter& filter) { return filter.program == 0; })) {
            return fmt::format(
                "device {0} has a filter of another kind at priority {1}, where the gate has to "
                "stand: give it another priority (tc filter show dev {0} {2})",
                interface, kFilterPriority, direction == GateDirection::in ? "ingress" : "egress");
        }
    }
    return std::string();
}

Result<void> GateChain::put_filter_first(LinkIndex link, const std::string& interface,
                                         GateDirection direction, int program) {
    bpf_tc_hook hook = hook_of(link, direction);
    const int error = bpf_tc_hook_create(&hook);
    if (error == -EEXIST) {
        VPNHA_CHECK(require_clsact(link, interface, direction));
    } else if (error != 0) {
        return refused_by_kernel(fmt::format("add clsact to {} for the gate", interface), -error,
                                 "clsact, CONFIG_NET_SCH_INGRESS (module sch_ingress)");
    }
    bpf_tc_opts options = filter_options();
    options.prog_fd = program;
    if (const int refusal = bpf_tc_attach(&hook, &options); refusal != 0) {
        return refused_by_kernel(fmt::format("{} (is another kind of filter at priority {}?)",
                                             attaching_to(interface), kFilterPriority),
                                 -refusal,
                                 "BPF as a tc filter, CONFIG_NET_CLS_BPF (module cls_bpf)");
    }
    return {};
}

Result<void> GateChain::put_first(LinkIndex link, const std::string& interface,
                                  GateDirection direction, int program) {
    if (hook_ == GateHook::clsact) {
        return put_filter_first(link, interface, direction, program);
    }
    const int error = call_tcx(BPF_PROG_ATTACH, link, direction, program, kBefore);
    if (error == EEXIST) {
        return fail(Errc::already_exists,
                    fmt::format("{}: it stands there already", attaching_to(interface)));
    }
    return error == 0 ? Result<void>{} : refused_by_kernel(attaching_to(interface), error, "tcx");
}

Result<void> GateChain::remove(LinkIndex link, GateDirection direction, const LinkFilter& entry) {
    int error = 0;
    if (hook_ == GateHook::clsact) {
        const bpf_tc_hook hook = hook_of(link, direction);
        bpf_tc_opts options = filter_options();
        options.handle = entry.handle;
        error = -bpf_tc_detach(&hook, &options);
    } else {
        const UniqueFd program(bpf_prog_get_fd_by_id(entry.program));
        error = program ? call_tcx(BPF_PROG_DETACH, link, direction, program.get(), 0) : errno;
    }
    // EINVAL: with its clsact.
    if (error == 0 || error == ENOENT || error == ENODEV || error == EINVAL) {
        return {};
    }
    return tl::unexpected(
        system_error(fmt::format("take a program off interface {}", link), error));
}

}  // namespace vpnha::adapters
