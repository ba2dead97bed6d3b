// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/backend/pppol2tp_link.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

// After <net/if.h>, whose types they otherwise define again.
#include <linux/if_pppol2tp.h>
#include <linux/if_pppox.h>
#include <linux/ppp-ioctl.h>
#include <linux/ppp_defs.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

namespace {

sockaddr_in to_kernel(const Ipv4Endpoint& endpoint) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(endpoint.address.value);
    address.sin_port = htons(endpoint.port);
    return address;
}

Result<void> set_option(int socket, int level, int name, std::string_view what) {
    const int on = 1;
    if (setsockopt(socket, level, name, &on, sizeof on) != 0) {
        return tl::unexpected(system_error(what, errno));
    }
    return {};
}

template <class Argument>
Result<void> control(int fd, unsigned long request, Argument* argument, std::string_view what) {
    if (ioctl(fd, request, argument) != 0) {
        return tl::unexpected(system_error(what, errno));
    }
    return {};
}

Result<UniqueFd> open_ppp() {
    UniqueFd ppp(open("/dev/ppp", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!ppp && (errno == ENOENT || errno == ENXIO || errno == ENODEV)) {
        return fail(Errc::unsupported,
                    "this kernel has no /dev/ppp: modprobe ppp_generic (Debian: "
                    "linux-image-amd64; the cloud kernel does not have it)");
    }
    if (!ppp) {
        return tl::unexpected(system_error("open /dev/ppp", errno));
    }
    return ppp;
}

int unit_flags(const ppp::LinkOptions& theirs) {
    int flags = 0;
    if (theirs.protocol_compression) {
        flags |= SC_COMP_PROT;
    }
    if (theirs.address_compression) {
        flags |= SC_COMP_AC;
    }
    return flags;
}

Result<LinkIndex> index_of(int any_socket, const std::string& name) {
    ifreq request{};
    name.copy(request.ifr_name, sizeof request.ifr_name - 1);
    VPNHA_CHECK(control(any_socket, SIOCGIFINDEX, &request, "find the PPP unit's interface"));
    return request.ifr_ifindex;
}

}  // namespace

Result<UniqueFd> open_tunnel_socket(const l2tp::TunnelKey& key) {
    UniqueFd udp = open_network_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK);
    if (!udp) {
        return tl::unexpected(system_error("open a UDP socket", errno));
    }
    VPNHA_CHECK(set_option(udp.get(), SOL_SOCKET, SO_REUSEADDR, "set SO_REUSEADDR"));
    // As xl2tpd does: no UDP checksum, so that the peer sees no difference.
    VPNHA_CHECK(set_option(udp.get(), SOL_SOCKET, SO_NO_CHECK, "set SO_NO_CHECK"));
    VPNHA_CHECK(
        set_option(udp.get(), SOL_IP, IP_TRANSPARENT, "set IP_TRANSPARENT (needs CAP_NET_ADMIN)"));
    const sockaddr_in local = to_kernel(key.local);
    if (bind(udp.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0) {
        return tl::unexpected(system_error(fmt::format("bind {}", to_string(key.local)), errno));
    }
    const sockaddr_in peer = to_kernel(key.peer);
    if (connect(udp.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0) {
        return tl::unexpected(system_error(
            fmt::format("connect {} to {}", to_string(key.local), to_string(key.peer)), errno));
    }
    return udp;
}

Result<UniqueFd> open_session_socket(const l2tp::SessionKey& key, std::uint32_t connection_id,
                                     int udp) {
    UniqueFd session = open_network_socket(AF_PPPOX, SOCK_DGRAM, PX_PROTO_OL2TP);
    if (!session && (errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT)) {
        return fail(Errc::unsupported,
                    "this kernel has no PPPoL2TP: modprobe l2tp_ppp (Debian: "
                    "linux-image-amd64; the cloud kernel does not have it)");
    }
    if (!session) {
        return tl::unexpected(system_error("open a PPPoL2TP socket", errno));
    }
    // The form with 32-bit ids only looks the tunnel up; the tunnel stays version 2.
    sockaddr_pppol2tpv3 address{};
    address.sa_family = AF_PPPOX;
    address.sa_protocol = PX_PROTO_OL2TP;
    address.pppol2tp.fd = udp;
    address.pppol2tp.s_tunnel = connection_id;
    address.pppol2tp.d_tunnel = key.tunnel.peer_id.value;
    address.pppol2tp.s_session = key.id.value;
    address.pppol2tp.d_session = key.peer_id.value;
    // The kernel's structure is packed: its address cannot be used as that of a sockaddr.
    sockaddr_storage aligned{};
    std::memcpy(&aligned, &address, sizeof address);
    if (connect(session.get(), reinterpret_cast<const sockaddr*>(&aligned), sizeof address) != 0) {
        return tl::unexpected(system_error(
            fmt::format("create L2TP session {} of tunnel {:#x}", key.id.value, connection_id),
            errno));
    }
    // No data sequence numbers: they cannot be restored, and the LNS may do without them.
    VPNHA_CHECK(set_option(session.get(), SOL_PPPOL2TP, PPPOL2TP_SO_LNSMODE, "set LNS mode"));
    return session;
}

Result<PppLink> open_ppp_link(UniqueFd session, const l2tp::SessionRecord& record) {
    PppLink link;
    link.session = std::move(session);
    int channel_number = 0;
    VPNHA_CHECK(control(link.session.get(), PPPIOCGCHAN, &channel_number, "get the PPP channel"));
    VPNHA_TRY(link.channel, open_ppp());
    VPNHA_CHECK(
        control(link.channel.get(), PPPIOCATTCHAN, &channel_number, "attach to the PPP channel"));
    VPNHA_TRY(link.unit, open_ppp());
    int unit_number = -1;  // The kernel's choice.
    VPNHA_CHECK(control(link.unit.get(), PPPIOCNEWUNIT, &unit_number, "create a PPP unit"));
    int mru = record.facts.ours.mru;
    VPNHA_CHECK(control(link.unit.get(), PPPIOCSMRU, &mru, "set the PPP unit's MRU"));
    int flags = unit_flags(record.facts.theirs);
    VPNHA_CHECK(control(link.unit.get(), PPPIOCSFLAGS, &flags, "set the PPP unit's flags"));
    if (!record.facts.ipv6) {
        npioctl ipv6{PPP_IPV6, NPMODE_DROP};
        VPNHA_CHECK(control(link.unit.get(), PPPIOCSNPMODE, &ipv6, "close IPv6 on the PPP unit"));
    }
    VPNHA_TRY(link.index, index_of(link.session.get(), fmt::format("ppp{}", unit_number)));
    link.name = fmt::format("vpnha{}", unit_number);
    VPNHA_CHECK(control(link.channel.get(), PPPIOCCONNECT, &unit_number,
                        "connect the PPP channel to its unit"));
    return link;
}

}  // namespace vpnha::adapters
