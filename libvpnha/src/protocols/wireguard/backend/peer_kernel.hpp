// SPDX-License-Identifier: GPL-2.0-or-later
// Port: one gateway's WireGuard device in this node's kernel, and the files that configure it. Each
// call blocks as long as the kernel takes: a thread makes them, one after the other.
#pragma once

#include <span>
#include <vector>

#include "protocols/wireguard/work.hpp"

namespace vpnha::ports {

class PeerKernel {
  public:
    virtual ~PeerKernel() = default;

    [[nodiscard]] virtual Result<void> raise() = 0;
    [[nodiscard]] virtual Result<void> lower() = 0;
    // Returns the result for each peer.
    [[nodiscard]] virtual std::vector<Result<void>> set(std::span<const node::SetPeer> peers) = 0;
    [[nodiscard]] virtual Result<void> remove(const wireguard::PublicKey& key) = 0;
    [[nodiscard]] virtual Result<void> set_keepalives(
        std::span<const node::Keepalive> keepalives) = 0;
    [[nodiscard]] virtual Result<void> use_vip(bool on) = 0;
    // All peers. Error not_found: there is no device.
    [[nodiscard]] virtual Result<std::vector<wireguard::PeerState>> read() = 0;
    // Reads the file of peers.
    [[nodiscard]] virtual Result<std::vector<wireguard::Peer>> load() = 0;

  protected:
    PeerKernel() = default;
    PeerKernel(const PeerKernel&) = default;
    PeerKernel& operator=(const PeerKernel&) = default;
};

}  // namespace vpnha::ports
