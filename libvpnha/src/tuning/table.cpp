// SPDX-License-Identifier: GPL-2.0-or-later
#include "tuning/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::tuning {

namespace {

using conntrack::Finding;

// Descriptors of vpnhad: UDP socket, PPPoL2TP socket, channel and unit of a hot session of L2TP.
constexpr std::uint64_t kFilesPerClient = 4;
constexpr std::uint64_t kFilesBeside = 1024;
// A pppd; of PPTP a pptpctrl, too.
constexpr std::uint64_t kTasksBeside = 512;
constexpr std::uint16_t kCorosyncPort = 5405;
// The queue that vpnhad's sockets ask for (host/os/unix_socket.cpp).
constexpr std::uint64_t kQueueOfVpnhad = 128;

constexpr const char* kByFile = "`vpnha config tuning --sysctl`";

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} ? std::optional(value) : std::nullopt;
}

// The text of the row's sysctl; nullptr: it counts as not checked.
const std::string* text_of(const Row& row, const Machine& machine, Findings& findings) {
    const auto found = machine.sysctls.find(row.name);
    if (found == machine.sysctls.end()) {
        findings.unread.push_back(row.name);
        return nullptr;
    }
    return &found->second;
}

void compare(const Row& row, const Machine& machine, std::uint64_t least, std::uint64_t most,
             Findings& findings) {
    if (const std::string* const text = text_of(row, machine, findings)) {
        const std::optional<std::uint64_t> value = number(*text);
        if (!value || *value < least || *value > most) {
            findings.add(row, row.name, *text,
                         fmt::format("set it to {}", value.value_or(0) < least ? least : most));
        }
    }
}

// The kernel uses the larger one of `all` and the device's own; ppp units have the default's.
void judge_rp_filter(const Row& row, const Demand& demand, const Machine& machine,
                     Findings& findings) {
    const auto value = [&machine](const std::string& device) {
        const auto found = machine.rp_filters.find(device);
        return found == machine.rp_filters.end() ? std::nullopt : number(found->second);
    };
    std::vector<std::string> devices{"all", "default"};
    devices.insert(devices.end(), demand.devices.begin(), demand.devices.end());
    for (const std::string& device : devices) {
        const std::optional<std::uint64_t> own = value(device);
        if (own == 1U && value("all").value_or(0) <= 1) {
            std::string in_name = device;
            std::replace(in_name.begin(), in_name.end(), '.', '/');
            findings.add(row, fmt::format("net.ipv4.conf.{}.rp_filter", in_name), "1 (strict)",
                         "set it to 0 or 2");
        } else if (!own && !machine.absent_devices.contains(device)) {
            findings.unread.push_back(fmt::format("rp_filter of {}", device));
        }
    }
}

void judge_ports(const Row& row, const Demand& demand, const Machine& machine, Findings& findings) {
    if (const std::string* const text = text_of(row, machine, findings)) {
        const std::uint16_t taken = std::max(kCorosyncPort, demand.lease_port);
        if (number(*text).value_or(0) <= taken) {
            findings.add(row, row.name, *text,
                         fmt::format("let it begin above {}, as 32768 60999", taken));
        }
    }
}

void judge_files_of_vpnhad(const Row& row, const Demand& demand, const Machine& machine,
                           Findings& findings) {
    const std::uint64_t least = kFilesPerClient * demand.clients + kFilesBeside;
    for (const Machine::Daemon& vpnhad : daemons_of(machine, "vpnhad", row.name, findings)) {
        if (vpnhad.open_files && *vpnhad.open_files < least) {
            findings.add(row, row.name, amount(*vpnhad.open_files),
                         fmt::format("set it to {} or more", least));
        }
    }
}

void judge_tasks(const Row& row, const Demand& demand, const Machine& machine, Findings& findings) {
    const std::uint64_t least = demand.tasks + kTasksBeside;
    for (const std::string& name : demand.daemons) {
        const std::string what = fmt::format("TasksMax of {}", name);
        for (const Machine::Daemon& daemon : daemons_of(machine, name, what, findings)) {
            if (!daemon.tasks) {
                findings.unread.push_back(what);
            } else if (*daemon.tasks < least) {
                findings.add(row, what, amount(*daemon.tasks),
                             fmt::format("set it to {} or to infinity", least));
            }
        }
    }
}

template <std::optional<bool> Machine::Device::*kOffload, bool kWanted>
void judge_offload(const Row& row, const Demand& /*demand*/, const Machine& machine,
                   Findings& findings) {
    for (const Machine::Device& device : machine.devices) {
        const std::optional<bool> found = device.*kOffload;
        if (!found) {
            findings.unread.push_back(fmt::format("{} of {}", row.name, device.name));
        } else if (*found != kWanted) {
            findings.add(row, fmt::format("{} of {}", row.name, device.name), *found ? "on" : "off",
                         kWanted ? "turn it on" : "turn it off");
        }
    }
}

void judge_queues(const Row& row, const Demand& /*demand*/, const Machine& machine,
                  Findings& findings) {
    for (const Machine::Device& device : machine.devices) {
        if (device.is_hardware && machine.processors > 1 && device.receive_queues == 1 &&
            !device.steers_by_processor) {
            findings.add(row, fmt::format("{} of {}", row.name, device.name),
                         fmt::format("1, without RPS, on {} processors", machine.processors),
                         "give it more, or turn RPS on");
        }
    }
}

void judge_interrupts(const Row& row, const Demand& /*demand*/, const Machine& machine,
                      Findings& findings) {
    const bool has_several =
        std::any_of(machine.devices.begin(), machine.devices.end(),
                    [](const Machine::Device& device) { return device.receive_queues > 1; });
    if (has_several && machine.processors > 1 && !machine.balances_interrupts) {
        findings.add(row, row.name, "not running",
                     "start it, unless the queues' interrupts are pinned by hand");
    }
}

Table common_rows() {
    const std::string room = std::to_string(conntrack::kFlowsMin);
    return {
        {.name = "net.ipv4.ip_forward",
         .wanted = Exactly{1},
         .weight = Weight::must,
         .how = kByFile,
         .why = "the traffic between clients and the inside passes through the node",
         .file = {"net.ipv4.ip_forward = 1"}},
        // In no file: a node that forwards ignores router advertisements, unless accept_ra of its
        // device is 2.
        {.name = "net.ipv6.conf.all.forwarding",
         .wanted = Exactly{1},
         .weight = Weight::must,
         .need = kIpv6Pools,
         .how = "by hand, where a gateway has a pool of IPv6",
         .why = "the same of IPv6; a device whose routes come by router advertisements then needs "
                "accept_ra = 2"},
        {.name = "net.ipv4.ip_nonlocal_bind",
         .wanted = Exactly{1},
         .weight = Weight::must,
         .need = kDialled,
         .how = kByFile,
         .why = "xl2tpd and pptpd listen on a VIP that only the promoted node has, and do not "
                "start without it",
         .file = {"net.ipv4.ip_nonlocal_bind = 1"}},
        {.name = "net.ipv4.conf.*.rp_filter",
         .wanted = Other{"0 or 2", &judge_rp_filter},
         .how = kByFile,
         .why = "a strict filter drops what comes in by another link than the one that routes lead "
                "back by",
         .file = {"net.ipv4.conf.all.rp_filter = 0", "net.ipv4.conf.default.rp_filter = 0",
                  "net.ipv4.conf.*.rp_filter = 0"}},
        {.name = "net.ipv4.ip_local_port_range",
         .wanted = Other{"begins above 5420", &judge_ports},
         .how = kByKernel,
         .why = "the node's own connections must not take the ports of daemons that start later; "
                "NAT does not use the range"},
        {.name = "net.core.somaxconn",
         .wanted = Minimum{kQueueOfVpnhad},
         .how = kByKernel,
         .why = "vpnhad's sockets have queues of 128, for the pppds of many dials at once"},
        {.name = "net.netfilter.nf_conntrack_events",
         .wanted = Other{"1", nullptr},
         .weight = Weight::must,
         .need = kFlows,
         .how = kByFile,
         .why = "with another value the kernel sends no events of flows that a standby holds when "
                "it is promoted",
         .file = {"net.netfilter.nf_conntrack_events = 1"}},
        {.name = "net.netfilter.nf_conntrack_max",
         .wanted =
             Other{fmt::format("at least {}, and twice the flows that are there", room), nullptr},
         .need = kFlows,
         .how = kByFile,
         .why = "the flows of all gateways are in every node's table, and a full one (384 octets a "
                "flow) takes no more",
         .file = {"net.netfilter.nf_conntrack_max = " + room}},
        {.name = "net.netfilter.nf_conntrack_buckets",
         .wanted = Other{"as nf_conntrack_max, a quarter at least", nullptr},
         .need = kFlows,
         .how = kByFile,
         .why = "as many as flows (8 octets each) keep a lookup at two entries",
         .file = {"net.netfilter.nf_conntrack_buckets = " + room}},
        {.name = "net.netfilter.nf_conntrack_udp_timeout",
         .wanted = Minimum{30},
         .how = kByKernel,
         .why = "rules that let answers pass know a request for so long"},
        {.name = "module ppp_generic",
         .wanted = Other{kModuleWanted, &judge_module},
         .weight = Weight::must,
         .need = kDialled,
         .how = kModuleHow,
         .why = "pppd does not start without it, and no session is installed",
         .module = "ppp_generic"},
        {.name = "LimitNOFILE of vpnhad",
         .wanted = Other{fmt::format("{} for each client, and {}", kFilesPerClient, kFilesBeside),
                         &judge_files_of_vpnhad},
         .weight = Weight::must,
         .how = "vpnhad.service has 1048576",
         .why = "a hot session of L2TP has four descriptors, and is not installed without them"},
        {.name = "TasksMax of xl2tpd, pptpd",
         .wanted = Other{fmt::format("1 for each client, 2 for one of PPTP, and {}", kTasksBeside),
                         &judge_tasks},
         .weight = Weight::must,
         .need = kDialled,
         .how = "pacemaker.service of Debian has infinity",
         .why = "each stock session has a pppd, one of PPTP a pptpctrl, in the cgroup of its "
                "daemon"},
        {.name = "large-receive-offload",
         .wanted = Other{"off", &judge_offload<&Machine::Device::lro, false>},
         .weight = Weight::must,
         .how = "`ethtool -K DEVICE lro off`",
         .why = "the kernel drops what LRO has merged instead of forwarding it"},
        {.name = "generic-receive-offload",
         .wanted = Other{"on", &judge_offload<&Machine::Device::gro, true>},
         .how = "`ethtool -K DEVICE gro on`",
         .why = "TCP of the inside passes in larger pieces; packets of L2TP and PPTP are not "
                "merged"},
        {.name = "tcp-segmentation-offload",
         .wanted = Other{"on", &judge_offload<&Machine::Device::tso, true>},
         .how = "`ethtool -K DEVICE tso on`",
         .why = "the device cuts TCP for the inside; what goes into a tunnel the kernel cuts "
                "before"},
        {.name = "receive queues",
         .wanted = Other{"several, or RPS, on several processors", &judge_queues},
         .how = "`ethtool -L DEVICE combined N`, or `rps_cpus` of the queue",
         .why = "one queue alone is one processor's work, whatever the others do"},
        {.name = "irqbalance",
         .wanted = Other{"runs, where a device has several queues", &judge_interrupts},
         .how = "`apt-get install irqbalance`, or interrupts pinned by hand",
         .why = "else the interrupts of all queues may be one processor's"},
    };
}

}  // namespace

void judge_module(const Row& row, const Demand& /*demand*/, const Machine& machine,
                  Findings& findings) {
    const auto found = machine.present.find(row.name);
    if (found == machine.present.end()) {
        findings.unread.push_back(row.name);
    } else if (!found->second) {
        findings.add(row, row.name, "neither built in nor loadable",
                     "install a kernel that has it, as Debian's linux-image-amd64");
    }
}

void Findings::add(const Row& row, std::string what, std::string now, std::string remedy) {
    list.push_back(
        {row.weight == Weight::must ? Finding::Severity::error : Finding::Severity::warning,
         std::move(what), std::move(now), std::move(remedy), row.why});
}

Table table_with(const Table& of_protocols) {
    Table table = common_rows();
    for (const Row& row : of_protocols) {
        const auto before = std::ranges::find(table, row.after, &Row::name);
        VPNHA_ASSERT(before != table.end());
        table.insert(before + 1, row);
    }
    return table;
}

bool matters(const Row& row, const Demand& demand) {
    return row.need.empty() || demand.needs.contains(row.need);
}

std::vector<Machine::Daemon> daemons_of(const Machine& machine, std::string_view name,
                                        std::string_view what, Findings& findings) {
    std::vector<Machine::Daemon> found;
    std::copy_if(machine.daemons.begin(), machine.daemons.end(), std::back_inserter(found),
                 [name](const Machine::Daemon& daemon) { return daemon.name == name; });
    if (found.empty()) {
        findings.unread.push_back(fmt::format("{}, as no process of it is seen here", what));
    }
    return found;
}

std::string amount(std::uint64_t value) {
    return value == std::numeric_limits<std::uint64_t>::max() ? "unlimited" : std::to_string(value);
}

std::string to_string(const Wanted& wanted) {
    if (const auto* const exactly = std::get_if<Exactly>(&wanted)) {
        return std::to_string(exactly->value);
    }
    if (const auto* const at_least = std::get_if<Minimum>(&wanted)) {
        return fmt::format("at least {}", at_least->value);
    }
    if (const auto* const either = std::get_if<Either>(&wanted)) {
        return fmt::format("{} or {}", either->first, either->second);
    }
    return std::get<Other>(wanted).text;
}

std::vector<std::string> sysctls_read(const Table& table) {
    std::vector<std::string> names;
    for (const Row& row : table) {
        if (row.name.starts_with("net.") && row.name.find('*') == std::string::npos) {
            names.push_back(row.name);
        }
    }
    return names;
}

Findings check(const Table& table, const Demand& demand, const Machine& machine) {
    Findings findings;
    for (const std::string& device : machine.absent_devices) {
        findings.unread.push_back(fmt::format("device {}, which is not there", device));
    }
    for (const Row& row : table) {
        if (!matters(row, demand)) {
            continue;
        }
        if (const auto* const exactly = std::get_if<Exactly>(&row.wanted)) {
            compare(row, machine, exactly->value, exactly->value, findings);
        } else if (const auto* const at_least = std::get_if<Minimum>(&row.wanted)) {
            compare(row, machine, at_least->value, std::numeric_limits<std::uint64_t>::max(),
                    findings);
        } else if (const auto* const either = std::get_if<Either>(&row.wanted)) {
            compare(row, machine, either->first, either->second, findings);
        } else if (const auto judge = std::get<Other>(row.wanted).judge; judge != nullptr) {
            judge(row, demand, machine, findings);
        }
    }
    return findings;
}

}  // namespace vpnha::tuning
