// SPDX-License-Identifier: GPL-2.0-or-later
// Maps the ports of L2TP within IPsec by vpnhad's own nftables table, `inet vpnha_ports`:
//
//   in, decrypted, with a mark | its source port becomes the private one; dropped if not mapped
//   out, to a private port     | it gets its client's port again, and the mark that selects the SA
//
// Neither is tracked: two clients may be one flow to conntrack. UDP's checksum is omitted: xl2tpd's
// sockets and vpnhad's send none, and IPsec has one of its own.
//
// The table is replaced as a whole, so packets see the old one or the new one. vpnhad restores a
// flushed table within 100 ms; meanwhile the gate drops what would leave in the clear.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "host/os/background.hpp"
#include "host/os/qb_loop.hpp"
#include "protocols/ipsec/backend/port_map.hpp"

namespace vpnha::adapters {

inline constexpr const char* kPortMapTable = "vpnha_ports";

// The text that nft loads.
[[nodiscard]] std::string port_map_ruleset(const std::set<IpAddress>& vips,
                                           std::uint16_t tunnel_port,
                                           const std::vector<ipsec::PortMapping>& mappings);

class NftPortMap : public ports::PortMap {
  public:
    // `timer` is a name on the loop, which must outlive it. Maps the IPv4 addresses among `vips`,
    // and the port of L2TP there.
    NftPortMap(QbLoop& loop, int timer, const std::set<IpAddress>& vips, std::uint16_t tunnel_port);
    ~NftPortMap() override;
    NftPortMap(const NftPortMap&) = delete;
    NftPortMap& operator=(const NftPortMap&) = delete;

    void map(std::vector<ipsec::PortMapping> mappings) override;

  private:
    void look();
    void write();

    QbLoop& loop_;
    int timer_;
    std::set<IpAddress> vips_;
    std::uint16_t tunnel_port_;
    std::vector<ipsec::PortMapping> mappings_;
    bool is_written_ = false;  // The latest ones are written, or are being written.
    bool is_writing_ = false;
    std::string complaint_;
    Background background_;  // Its threads end first.
};

}  // namespace vpnha::adapters
