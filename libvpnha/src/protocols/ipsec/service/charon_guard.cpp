// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/service/charon_guard.hpp"

#include <fmt/format.h>

#include "host/netlink/nftables.hpp"

namespace vpnha::adapters {

namespace {

constexpr const char* kGuardTable = "vpnha_charon";

std::string guard_ruleset() {
    return without_nft_table("inet", kGuardTable) +
           fmt::format(
               "table inet {0} {{\n"
               "chain output {{\n"
               "type filter hook output priority filter; policy accept;\n"
               "ip daddr 127.0.0.0/8 udp dport {1} meta skuid != 0 drop\n"
               "}}\n"
               "chain input {{\n"
               "type filter hook input priority filter; policy accept;\n"
               "ip daddr {2} udp dport {1} socket mark != {3} drop\n"
               "}}\n"
               "}}\n",
               kGuardTable, kHaPort, to_string(kRelayEnd.address), kRelayMark);
}

}  // namespace

Result<void> guard_charon() {
    return run_nftables(guard_ruleset());
}

Result<bool> is_charon_guarded() {
    return has_nft_table(kGuardTable);
}

}  // namespace vpnha::adapters
