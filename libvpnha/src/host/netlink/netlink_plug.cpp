// SPDX-License-Identifier: GPL-2.0-or-later
// RouteNetlink's pairs of devices that hold packets, and the neighbours of a device.
#include <fmt/format.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/socket.h>

#include <vector>

#include "host/netlink/netlink_route.hpp"
#include "host/netlink/netlink_values.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::uint32_t kRoot = 1U << 16U;  // "1:".

// For the qdisc itself, or for one of its plugs.
void name_qdisc(NetlinkRequest& request, LinkIndex link, std::uint32_t plug = 0) {
    auto& header = request.header<tcmsg>();
    header.tcm_ifindex = link;
    header.tcm_parent = plug == 0 ? TC_H_ROOT : kRoot | plug;
    header.tcm_handle = plug == 0 ? kRoot : (kRoot + kRoot * plug);
}

template <class Options>
void describe_qdisc(NetlinkRequest& request, const char* kind, const Options& options) {
    request.text(TCA_KIND, kind);
    request.bytes(TCA_OPTIONS, {reinterpret_cast<const std::uint8_t*>(&options), sizeof options});
}

// The kernel has no module for it.
Result<void> or_unsupported(Result<void> done, std::string_view feature) {
    const bool is_missing =
        !done && (done.error().code == Errc::not_found || done.error().code == Errc::unsupported);
    return is_missing ? fail(Errc::unsupported,
                             fmt::format("this kernel does not have {}; Debian's does", feature))
                      : std::move(done);
}

}  // namespace

Result<void> RouteNetlink::add_pair(const std::string& near, const std::string& far) {
    VPNHA_TRY(const auto earlier, find_link(near));
    if (earlier) {
        VPNHA_CHECK(delete_link(earlier->index));
    }
    NetlinkRequest request(RTM_NEWLINK, kCreate);
    request.header<ifinfomsg>();
    request.text(IFLA_IFNAME, near);
    request.nested(IFLA_LINKINFO, [&request, &far] {
        request.text(IFLA_INFO_KIND, "veth");
        request.nested(IFLA_INFO_DATA, [&request, &far] {
            request.nested(VETH_INFO_PEER, [&request, &far] {
                request.header<ifinfomsg>();
                request.text(IFLA_IFNAME, far);
            });
        });
    });
    return or_unsupported(
        socket_.ask(request, fmt::format("create the devices {} and {}", near, far)),
        "CONFIG_VETH (module veth)");
}

Result<void> RouteNetlink::add_plugs(LinkIndex link, std::uint32_t octets_max) {
    NetlinkRequest root(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE);
    name_qdisc(root, link);
    describe_qdisc(root, "prio", tc_prio_qopt{static_cast<int>(kPlugs), {}});
    VPNHA_CHECK(or_unsupported(socket_.ask(root, fmt::format("add queues to interface {}", link)),
                               "CONFIG_NET_SCH_PRIO (module sch_prio)"));
    for (std::uint32_t plug = 1; plug <= kPlugs; ++plug) {
        NetlinkRequest request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE);
        name_qdisc(request, link, plug);
        describe_qdisc(request, "plug", tc_plug_qopt{TCQ_PLUG_BUFFER, octets_max});
        VPNHA_CHECK(
            or_unsupported(socket_.ask(request, fmt::format("add a plug to interface {}", link)),
                           "CONFIG_NET_SCH_PLUG (module sch_plug)"));
    }
    return {};
}

Result<void> RouteNetlink::change_plug(LinkIndex link, std::uint32_t plug, int action,
                                       std::string_view what) {
    NetlinkRequest request(RTM_NEWQDISC, 0);
    name_qdisc(request, link, plug);
    describe_qdisc(request, "plug", tc_plug_qopt{action, 0});
    return socket_.ask(request, fmt::format("{} plug {} of interface {}", what, plug, link));
}

Result<void> RouteNetlink::close_plug(LinkIndex link, std::uint32_t plug) {
    return change_plug(link, plug, TCQ_PLUG_BUFFER, "close");
}

Result<void> RouteNetlink::release_plug(LinkIndex link, std::uint32_t plug) {
    return change_plug(link, plug, TCQ_PLUG_RELEASE_INDEFINITE, "release");
}

Result<void> RouteNetlink::delete_plugs(LinkIndex link) {
    NetlinkRequest request(RTM_DELQDISC, 0);
    name_qdisc(request, link);
    return accept(socket_.ask(request, fmt::format("delete the queues of interface {}", link)),
                  Errc::not_found);
}

Result<void> RouteNetlink::forget_unresolved(LinkIndex link) {
    struct Unresolved {
        std::uint8_t family;
        Bytes address;
    };
    std::vector<Unresolved> found;
    NetlinkRequest listing(RTM_GETNEIGH, NLM_F_DUMP);
    listing.header<ndmsg>().ndm_family = AF_UNSPEC;
    listing.u32(NDA_IFINDEX, static_cast<std::uint32_t>(link));
    VPNHA_CHECK(socket_.ask(
        listing, fmt::format("list the neighbours on interface {}", link),
        [&found, link](const nlmsghdr* answer) {
            if (mnl_nlmsg_get_payload_len(answer) < sizeof(ndmsg)) {
                return;
            }
            const auto* const header = static_cast<const ndmsg*>(mnl_nlmsg_get_payload(answer));
            constexpr unsigned kUnresolved = unsigned{NUD_INCOMPLETE} | unsigned{NUD_FAILED};
            if (header->ndm_ifindex != link || (header->ndm_state & kUnresolved) == 0) {
                return;
            }
            for_each_attribute(answer, sizeof(ndmsg), [&](const nlattr* attribute) {
                if (mnl_attr_get_type(attribute) == NDA_DST) {
                    const auto* const octets =
                        static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
                    found.push_back({header->ndm_family,
                                     {octets, octets + mnl_attr_get_payload_len(attribute)}});
                }
            });
        }));
    for (const Unresolved& each : found) {
        NetlinkRequest deletion(RTM_DELNEIGH, 0);
        auto& header = deletion.header<ndmsg>();
        header.ndm_family = each.family;
        header.ndm_ifindex = link;
        deletion.bytes(NDA_DST, each.address);
        VPNHA_CHECK(accept(socket_.ask(deletion, "forget a neighbour that has not answered"),
                           Errc::not_found));
    }
    return {};
}

}  // namespace vpnha::adapters
