// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/ipsec/charon_guard.hpp"

#include <fmt/format.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>

#include "adapters/netlink/netlink.hpp"
#include "adapters/netlink/nftables.hpp"

namespace vpnha::adapters {

namespace {

constexpr const char* kGuardTable = "vpnha_charon";
// Of include/uapi/linux/netfilter.h, which does not go with the headers of the C library.
constexpr std::uint8_t kInetFamily = 1;

std::string guard_ruleset() {
    return fmt::format(
        "table inet {0} {{ }}\n"
        "delete table inet {0}\n"
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
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_NETFILTER));
    NetlinkRequest request((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE, NLM_F_ACK);
    auto& header = request.header<nfgenmsg>();
    header.nfgen_family = kInetFamily;
    header.version = NFNETLINK_V0;
    request.text(NFTA_TABLE_NAME, kGuardTable);
    const Result<void> asked = socket.ask(request, "looking for the nftables table vpnha_charon");
    if (!asked && asked.error().code != Errc::not_found) {
        return tl::unexpected(asked.error());
    }
    return asked.has_value();
}

}  // namespace vpnha::adapters
