// SPDX-License-Identifier: GPL-2.0-or-later
// The expectations in this node's kernel. There are few (net.netfilter.nf_conntrack_expect_max, by
// default 1024 on a large machine). So three requests for each, and a listing at once, cost little.
#include <fmt/format.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.hpp"
#include "services/flows/backend/conntrack_expectation_message.hpp"
#include "services/flows/backend/conntrack_message.hpp"
#include "services/flows/backend/conntrack_table.hpp"

namespace vpnha::adapters {

using conntrack::Expectation;
using conntrack::FlowKey;
using conntrack::Timeout;

// Only the timeout of an expectation can be changed, so an existing one is removed first. That
// includes what this node's own flows expect at the same place.
Result<std::vector<bool>> ConntrackTable::install_expectations(
    std::span<const Expectation> expectations) {
    std::vector<FlowKey> keys;
    std::vector<Timeout> timeouts;
    for (const Expectation& each : expectations) {
        keys.push_back(each.key);
        timeouts.push_back({each.key, conntrack::kHotSeconds});
    }
    VPNHA_CHECK(remove_expectations(keys));
    VPNHA_TRY(const std::vector<int> answers, create_expectations(expectations));
    VPNHA_CHECK(set_expectation_timeouts(timeouts));
    std::vector<bool> taken(expectations.size());
    std::transform(answers.begin(), answers.end(), taken.begin(),
                   [](int error_number) { return error_number == 0; });
    return taken;
}

Result<std::vector<int>> ConntrackTable::create_expectations(
    std::span<const Expectation> expectations) {
    const auto create = [&] {
        return train_.ask(expectations.size(), [&expectations](char* buffer, std::size_t n) {
            return put_expectation(buffer, expectations[n]);
        });
    };
    VPNHA_TRY(std::vector<int> answers, create());
    if (std::find(answers.begin(), answers.end(), EAGAIN) == answers.end()) {
        return answers;
    }
    // A helper's module is loaded now.
    VPNHA_TRY(const std::vector<int> again, create());
    for (std::size_t n = 0; n < answers.size(); ++n) {
        answers[n] = answers[n] == EAGAIN ? again[n] : answers[n];
    }
    return answers;
}

Result<std::vector<bool>> ConntrackTable::set_expectation_timeouts(
    std::span<const Timeout> timeouts) {
    VPNHA_TRY(const std::vector<int> answers,
              train_.ask(timeouts.size(), [&timeouts](char* buffer, std::size_t n) {
                  return put_expectation_timeout(buffer, timeouts[n]);
              }));
    std::vector<bool> there(timeouts.size());
    std::transform(answers.begin(), answers.end(), there.begin(),
                   [](int error_number) { return error_number != ENOENT; });
    return there;
}

Result<void> ConntrackTable::remove_expectations(std::span<const FlowKey> keys) {
    for (std::size_t begin = 0; begin < keys.size(); begin += limits::kFlowsPerTrain) {
        const auto part =
            keys.subspan(begin, std::min(limits::kFlowsPerTrain, keys.size() - begin));
        VPNHA_TRY(const std::vector<int> answers,
                  train_.ask(part.size(), [&part](char* buffer, std::size_t n) {
                      return put_expectation_removal(buffer, part[n]);
                  }));
        for (std::size_t n = 0; n < part.size(); ++n) {
            if (answers[n] != 0 && answers[n] != ENOENT) {
                return tl::unexpected(system_error(
                    fmt::format("remove expectation {}", conntrack::to_string(part[n])),
                    answers[n]));
            }
        }
    }
    return {};
}

Result<std::vector<Expectation>> ConntrackTable::list_expectations() {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_NETFILTER));
    NetlinkRequest listing(NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_GET, NLM_F_DUMP);
    listing.header<nfgenmsg>().version = NFNETLINK_V0;  // Of all families.
    std::vector<Expectation> found;
    VPNHA_CHECK(socket.ask(listing, "list the expectations", [&found](const nlmsghdr* message) {
        if (auto news = parse_expectation_message(message)) {
            found.push_back(std::move(news->expectation));
        }
    }));
    return found;
}

}  // namespace vpnha::adapters
