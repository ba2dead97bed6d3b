// SPDX-License-Identifier: GPL-2.0-or-later
// Expectations as messages of the kernel (nfnetlink, subsystem ctnetlink_exp).
#pragma once

#include <libmnl/libmnl.h>

#include <optional>

#include "services/flows/model/expectation.hpp"
#include "services/flows/model/standby.hpp"

namespace vpnha::adapters {

[[nodiscard]] bool is_expectation_message(const nlmsghdr* message);

// An event, or an entry of a listing. nullopt: neither IPv4 nor IPv6, or with a mask that no helper
// of the kernel has.
[[nodiscard]] std::optional<conntrack::ExpectationNews> parse_expectation_message(
    const nlmsghdr* message);

// These write to `buffer`, which has room for kFlowMessageBytesMax.
//
// Fails with ENOENT without its parent, with EOPNOTSUPP when that has no helper.
nlmsghdr* put_expectation(char* buffer, const conntrack::Expectation& expectation);
nlmsghdr* put_expectation_timeout(char* buffer, const conntrack::Timeout& timeout);
nlmsghdr* put_expectation_removal(char* buffer, const conntrack::FlowKey& key);

}  // namespace vpnha::adapters
