// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/netlink/generic_family.hpp"

#include <fmt/format.h>
#include <linux/genetlink.h>

#include "host/netlink/netlink_values.hpp"

namespace vpnha::adapters {

namespace {

void read_groups(const nlattr* list, GenericFamily& family) {
    for_each_nested(list, [&family](const nlattr* group) {
        std::string name;
        std::uint32_t id = 0;
        for_each_nested(group, [&](const nlattr* attribute) {
            if (mnl_attr_get_type(attribute) == CTRL_ATTR_MCAST_GRP_NAME) {
                name = text_in(attribute);
            } else if (mnl_attr_get_type(attribute) == CTRL_ATTR_MCAST_GRP_ID) {
                id = number_in(attribute);
            }
        });
        family.groups[name] = id;
    });
}

}  // namespace

Result<GenericFamily> find_generic_family(NetlinkSocket& socket, std::string_view name) {
    NetlinkRequest request(GENL_ID_CTRL, 0);
    auto& header = request.header<genlmsghdr>();
    header.cmd = CTRL_CMD_GETFAMILY;
    header.version = 1;
    request.text(CTRL_ATTR_FAMILY_NAME, name);
    GenericFamily family;
    VPNHA_CHECK(
        socket.ask(request, "look up generic netlink family", [&family](const nlmsghdr* answer) {
            for_each_attribute(answer, sizeof(genlmsghdr), [&family](const nlattr* attribute) {
                if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID &&
                    mnl_attr_validate(attribute, MNL_TYPE_U16) == 0) {
                    family.id = mnl_attr_get_u16(attribute);
                } else if (mnl_attr_get_type(attribute) == CTRL_ATTR_MCAST_GROUPS) {
                    read_groups(attribute, family);
                }
            });
        }));
    if (family.id == 0) {
        return fail(Errc::not_found, fmt::format("no generic netlink family {}", name));
    }
    return family;
}

}  // namespace vpnha::adapters
