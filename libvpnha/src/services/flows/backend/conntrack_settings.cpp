// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/backend/conntrack_settings.hpp"

#include <fmt/format.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <charconv>
#include <sstream>

#include "host/netlink/netlink.hpp"
#include "host/os/process.hpp"
#include "host/os/text_file.hpp"

namespace vpnha::adapters {

namespace {

using conntrack::Settings;

std::optional<std::uint32_t> read_number(const std::string& path) {
    const std::string text = read_text(path);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> find_conntrackd() {
    const std::vector<Process> found = processes_here("conntrackd");
    return found.empty() ? std::nullopt : std::optional<std::int64_t>(found.front().pid);
}

// The first word of each line.
std::set<std::string> modules_in(const std::string& list) {
    std::set<std::string> modules;
    std::istringstream lines(list);
    for (std::string line; std::getline(lines, line);) {
        modules.insert(line.substr(0, line.find(' ')));
    }
    return modules;
}

}  // namespace

Settings::Ctnetlink probe_ctnetlink() {
    Result<NetlinkSocket> socket = NetlinkSocket::open(NETLINK_NETFILTER);
    if (!socket) {
        return Settings::Ctnetlink::missing;
    }
    NetlinkRequest request((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET_STATS, NLM_F_ACK);
    request.header<nfgenmsg>().version = NFNETLINK_V0;
    if (const Result<void> asked = socket->ask(request, "ask for ctnetlink"); !asked) {
        return asked.error().code == Errc::permission ? Settings::Ctnetlink::unknown
                                                      : Settings::Ctnetlink::missing;
    }
    return Settings::Ctnetlink::there;
}

Settings read_conntrack_settings(const std::string& directory, const std::string& modules) {
    Settings settings;
    // First, because the module that it loads brings the settings.
    settings.ctnetlink = probe_ctnetlink();
    settings.events = read_number(directory + "/nf_conntrack_events");
    settings.max = read_number(directory + "/nf_conntrack_max");
    settings.buckets = read_number(directory + "/nf_conntrack_buckets");
    settings.count = read_number(directory + "/nf_conntrack_count");
    settings.conntrackd = find_conntrackd();
    settings.modules = modules_in(read_text(modules));
    return settings;
}

}  // namespace vpnha::adapters
