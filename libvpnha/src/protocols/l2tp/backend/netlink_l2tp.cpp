// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/backend/netlink_l2tp.hpp"

#include <fmt/format.h>
#include <linux/genetlink.h>
#include <linux/l2tp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.hpp"
#include "host/netlink/generic_family.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::uint8_t kProtocolVersion = 2;
// Queries about sessions in one send call, and the octets of one query.
constexpr std::size_t kQuestionsMax = 64;
constexpr std::size_t kQuestionBytesMax = 64;

// The value of that attribute of an answer; 0: it is not there.
std::uint32_t u32_of(const nlmsghdr* answer, std::uint16_t type) {
    std::uint32_t value = 0;
    for_each_attribute(answer, sizeof(genlmsghdr), [&](const nlattr* attribute) {
        if (mnl_attr_get_type(attribute) == type &&
            mnl_attr_validate(attribute, MNL_TYPE_U32) == 0) {
            value = mnl_attr_get_u32(attribute);
        }
    });
    return value;
}

}  // namespace

Result<L2tpNetlink::Family> L2tpNetlink::find_family(NetlinkSocket& socket) {
    const Result<GenericFamily> found = find_generic_family(socket, L2TP_GENL_NAME);
    if (!found && found.error().code == Errc::not_found) {
        return fail(Errc::unsupported,
                    "this kernel has no l2tp_netlink: modprobe l2tp_netlink (Debian: "
                    "linux-image-amd64; the cloud kernel does not have it)");
    }
    VPNHA_TRY(const GenericFamily family, found);
    const auto group = family.groups.find(L2TP_GENL_MCGROUP);
    return Family{family.id, group == family.groups.end() ? 0 : group->second};
}

Result<L2tpNetlink> L2tpNetlink::open() {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_GENERIC));
    VPNHA_TRY(const Family family, find_family(socket));
    VPNHA_TRY(NetlinkTrain train, NetlinkTrain::open({NETLINK_GENERIC, kQuestionsMax,
                                                      kQuestionBytesMax, "look up L2TP sessions"}));
    return L2tpNetlink(std::move(socket), std::move(train), family);
}

NetlinkRequest L2tpNetlink::request(std::uint8_t command, std::uint16_t flags) const {
    NetlinkRequest request(family_.id, flags);
    auto& header = request.header<genlmsghdr>();
    header.cmd = command;
    header.version = L2TP_GENL_VERSION;
    return request;
}

Result<void> L2tpNetlink::create_tunnel(std::uint32_t connection_id, TunnelId peer, int udp) {
    NetlinkRequest create = request(L2TP_CMD_TUNNEL_CREATE, 0);
    create.u16(L2TP_ATTR_ENCAP_TYPE, L2TP_ENCAPTYPE_UDP)
        .u8(L2TP_ATTR_PROTO_VERSION, kProtocolVersion)
        .u32(L2TP_ATTR_CONN_ID, connection_id)
        .u32(L2TP_ATTR_PEER_CONN_ID, peer.value)
        .u32(L2TP_ATTR_FD, static_cast<std::uint32_t>(udp));
    return socket_.ask(create, fmt::format("create L2TP tunnel {:#x}", connection_id));
}

Result<void> L2tpNetlink::delete_tunnel(std::uint32_t connection_id) {
    NetlinkRequest remove = request(L2TP_CMD_TUNNEL_DELETE, 0);
    remove.u32(L2TP_ATTR_CONN_ID, connection_id);
    auto outcome = socket_.ask(remove, fmt::format("delete L2TP tunnel {:#x}", connection_id));
    if (!outcome && outcome.error().code == Errc::not_found) {
        return {};
    }
    return outcome;
}

Result<std::vector<std::uint32_t>> L2tpNetlink::tunnels() {
    NetlinkRequest dump = request(L2TP_CMD_TUNNEL_GET, NLM_F_DUMP);
    std::vector<std::uint32_t> ids;
    VPNHA_CHECK(socket_.ask(dump, "list L2TP tunnels", [&ids](const nlmsghdr* answer) {
        ids.push_back(u32_of(answer, L2TP_ATTR_CONN_ID));
    }));
    return ids;
}

Result<std::set<L2tpNetlink::SessionName>> L2tpNetlink::present(
    const std::vector<SessionName>& names) {
    std::set<SessionName> found;
    for (std::size_t first = 0; first < names.size(); first += kQuestionsMax) {
        const std::size_t count = std::min(kQuestionsMax, names.size() - first);
        const auto write = [&](char* buffer, std::size_t n) {
            NetlinkRequest question = request(L2TP_CMD_SESSION_GET, 0);
            question.u32(L2TP_ATTR_CONN_ID, names[first + n].first)
                .u32(L2TP_ATTR_SESSION_ID, names[first + n].second);
            const nlmsghdr* const message = question.message();
            VPNHA_ASSERT(message->nlmsg_len <= kQuestionBytesMax);
            return static_cast<nlmsghdr*>(std::memcpy(buffer, message, message->nlmsg_len));
        };
        // Kernels that look up the lower half of a name may answer with another session.
        const auto read = [&](std::size_t n, const nlmsghdr* answer) {
            if (u32_of(answer, L2TP_ATTR_CONN_ID) == names[first + n].first) {
                found.insert(names[first + n]);
            }
        };
        VPNHA_TRY(const std::vector<int> outcomes, train_.ask(count, write, read));
        for (const int outcome : outcomes) {
            if (outcome != 0 && outcome != ENODEV) {
                return tl::unexpected(system_error("look up L2TP sessions", outcome));
            }
        }
    }
    return found;
}

Result<L2tpEvents> L2tpNetlink::subscribe() const {
    return L2tpEvents::open(family_.group, socket_.port());
}

}  // namespace vpnha::adapters
