// SPDX-License-Identifier: GPL-2.0-or-later
// The client's end of an L2TP session, made the way stock xl2tpd and pppd make theirs (16-bit ids,
// a management socket, PPPoX only), after all negotiation. It shares no code with the adapters, so
// that a mistake of theirs does not cancel itself out.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

// After <net/if.h>, whose types they otherwise define again.
#include <linux/if_pppol2tp.h>
#include <linux/if_pppox.h>
#include <linux/ppp-ioctl.h>

#include <cstring>
#include <string>

#include "host/os/unique_fd.hpp"
#include "protocols/l2tp/model/session_record.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::testing {

inline sockaddr_in socket_address(Ipv4Address address, std::uint16_t port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_addr.s_addr = htonl(address.value);
    result.sin_port = htons(port);
    return result;
}

inline adapters::UniqueFd udp_socket(Ipv4Address address, std::uint16_t port) {
    adapters::UniqueFd udp(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_in local = socket_address(address, port);
    EXPECT_EQ(bind(udp.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local), 0)
        << strerror(errno);
    return udp;
}

class StockPeer {
  public:
    // In the calling thread's namespace. `record` is the gateway's view: its ids are mirrored here.
    explicit StockPeer(const l2tp::SessionRecord& record) {
        const l2tp::TunnelKey& tunnel = record.key.tunnel;
        udp_ = udp_socket(tunnel.peer.address, tunnel.peer.port);
        const sockaddr_in gateway = socket_address(tunnel.local.address, tunnel.local.port);
        EXPECT_EQ(connect(udp_.get(), reinterpret_cast<const sockaddr*>(&gateway), sizeof gateway),
                  0);
        management_ = pppol2tp(tunnel, 0, 0);
        session_ = pppol2tp(tunnel, record.key.peer_id.value, record.key.id.value);
        int number = 0;
        EXPECT_EQ(ioctl(session_.get(), PPPIOCGCHAN, &number), 0);
        channel_.reset(open("/dev/ppp", O_RDWR | O_NONBLOCK | O_CLOEXEC));
        EXPECT_EQ(ioctl(channel_.get(), PPPIOCATTCHAN, &number), 0);
        unit_.reset(open("/dev/ppp", O_RDWR | O_NONBLOCK | O_CLOEXEC));
        number = -1;
        EXPECT_EQ(ioctl(unit_.get(), PPPIOCNEWUNIT, &number), 0);
        EXPECT_EQ(ioctl(channel_.get(), PPPIOCCONNECT, &number), 0);
        const std::string name = "ppp" + std::to_string(number);
        EXPECT_TRUE(ip_command("addr add " + to_string(record.facts.peer_address) + " peer " +
                               to_string(record.facts.our_address) + " dev " + name));
        EXPECT_TRUE(ip_command("link set " + name + " up"));
    }
    [[nodiscard]] int udp() const { return udp_.get(); }
    [[nodiscard]] int channel() const { return channel_.get(); }

  private:
    adapters::UniqueFd pppol2tp(const l2tp::TunnelKey& tunnel, std::uint16_t ours,
                                std::uint16_t theirs) const {
        adapters::UniqueFd fd(socket(AF_PPPOX, SOCK_DGRAM | SOCK_CLOEXEC, PX_PROTO_OL2TP));
        sockaddr_pppol2tp address{};
        address.sa_family = AF_PPPOX;
        address.sa_protocol = PX_PROTO_OL2TP;
        address.pppol2tp.fd = udp_.get();
        address.pppol2tp.s_tunnel = tunnel.peer_id.value;
        address.pppol2tp.d_tunnel = tunnel.id.value;
        address.pppol2tp.s_session = ours;
        address.pppol2tp.d_session = theirs;
        sockaddr_storage aligned{};
        std::memcpy(&aligned, &address, sizeof address);
        EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&aligned), sizeof address), 0)
            << strerror(errno);
        return fd;
    }

    adapters::UniqueFd udp_;
    adapters::UniqueFd management_;
    adapters::UniqueFd session_;
    adapters::UniqueFd channel_;
    adapters::UniqueFd unit_;
};

}  // namespace vpnha::testing
