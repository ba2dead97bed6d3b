// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/netlink_l2tp.hpp"

#include <fmt/format.h>
#include <linux/genetlink.h>
#include <linux/l2tp.h>

#include <utility>

namespace vpnha::adapters {

namespace {

constexpr std::uint8_t kProtocolVersion = 2;

Result<std::uint16_t> find_family(NetlinkSocket& socket, std::string_view name) {
    NetlinkRequest request(GENL_ID_CTRL, 0);
    auto& header = request.header<genlmsghdr>();
    header.cmd = CTRL_CMD_GETFAMILY;
    header.version = 1;
    request.text(CTRL_ATTR_FAMILY_NAME, name);
    std::uint16_t family = 0;
    const auto outcome =
        socket.ask(request, "look up generic netlink family", [&family](const nlmsghdr* answer) {
            for_each_attribute(answer, sizeof(genlmsghdr), [&family](const nlattr* attribute) {
                if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID &&
                    mnl_attr_validate(attribute, MNL_TYPE_U16) == 0) {
                    family = mnl_attr_get_u16(attribute);
                }
            });
        });
    if ((!outcome && outcome.error().code == Errc::not_found) || (outcome && family == 0)) {
        return fail(Errc::unsupported,
                    fmt::format("this kernel has no {0}_netlink: modprobe {0}_netlink (Debian: "
                                "linux-image-amd64; the cloud kernel lacks it)",
                                name));
    }
    VPNHA_CHECK(outcome);
    return family;
}

}  // namespace

Result<L2tpNetlink> L2tpNetlink::open() {
    VPNHA_TRY(NetlinkSocket socket, NetlinkSocket::open(NETLINK_GENERIC));
    VPNHA_TRY(const std::uint16_t family, find_family(socket, L2TP_GENL_NAME));
    return L2tpNetlink(std::move(socket), family);
}

NetlinkRequest L2tpNetlink::request(std::uint8_t command, std::uint16_t flags) const {
    NetlinkRequest request(family_, flags);
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
        for_each_attribute(answer, sizeof(genlmsghdr), [&ids](const nlattr* attribute) {
            if (mnl_attr_get_type(attribute) == L2TP_ATTR_CONN_ID &&
                mnl_attr_validate(attribute, MNL_TYPE_U32) == 0) {
                ids.push_back(mnl_attr_get_u32(attribute));
            }
        });
    }));
    return ids;
}

}  // namespace vpnha::adapters
