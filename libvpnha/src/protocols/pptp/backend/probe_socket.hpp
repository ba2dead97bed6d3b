// SPDX-License-Identifier: GPL-2.0-or-later
// Segments of control connections that have no socket yet: sends probes from a VIP and receives its
// peers' answers. A raw socket, open as long as vpnhad runs.
//
// The kernel answers the same segments with a RST, which the gate drops.
#pragma once

#include <functional>

#include "host/os/unique_fd.hpp"
#include "protocols/pptp/model/control_probe.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// With its IPv4 header, whose checksum the kernel sets. Pure.
[[nodiscard]] Bytes encode_probe(const pptp::CallKey& key, bool timestamps,
                                 const pptp::ProbeSegment& segment);

class ProbeSocket {
  public:
    using OnSegment = std::function<void(const Ipv4Endpoint& local, const Ipv4Endpoint& peer,
                                         const pptp::PeerSegment& segment)>;

    // Receives nothing yet. In the network namespace of the calling thread; needs no VIP there.
    [[nodiscard]] static Result<ProbeSocket> open(Ipv4Address vip);
    // One that open() made in another process.
    explicit ProbeSocket(UniqueFd fd) : fd_(std::move(fd)) {}

    [[nodiscard]] int fd() const { return fd_.get(); }
    // On while an answer is awaited: it receives all TCP of the VIP.
    [[nodiscard]] Result<void> set_receiving(bool on);
    // A probe that cannot be sent is lost: more follow.
    void send(const pptp::CallKey& key, bool timestamps, const pptp::ProbeSegment& segment) const;
    // Some of the segments that have arrived.
    void receive(const OnSegment& on_segment) const;

  private:
    UniqueFd fd_;
};

}  // namespace vpnha::adapters
