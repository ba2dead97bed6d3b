// SPDX-License-Identifier: GPL-2.0-or-later
// Segments of control connections for which there is no socket yet: probes go out from a VIP, and
// what its peers answer is heard. A raw socket, open as long as vpnhad runs.
//
// The kernel answers the same segments with a RST, for the gate to drop.
#pragma once

#include <functional>

#include "host/os/unique_fd.hpp"
#include "protocols/pptp/model/control_probe.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// With its IPv4 header, whose checksum is the kernel's to make. Pure.
[[nodiscard]] Bytes encode_probe(const pptp::CallKey& key, bool timestamps,
                                 const pptp::ProbeSegment& segment);

class ProbeSocket {
  public:
    using OnSegment = std::function<void(const Ipv4Endpoint& local, const Ipv4Endpoint& peer,
                                         const pptp::PeerSegment& segment)>;

    // Deaf. In the network namespace of the calling thread; the VIP need not be there.
    [[nodiscard]] static Result<ProbeSocket> open(Ipv4Address vip);
    // One of open(), of another process.
    explicit ProbeSocket(UniqueFd fd) : fd_(std::move(fd)) {}

    [[nodiscard]] int fd() const { return fd_.get(); }
    // While somebody waits for an answer: it hears all TCP of the VIP.
    [[nodiscard]] Result<void> hear(bool on);
    // One that does not get out is lost: there are more.
    void send(const pptp::CallKey& key, bool timestamps, const pptp::ProbeSegment& segment) const;
    // Some of what has come.
    void receive(const OnSegment& on_segment) const;

  private:
    UniqueFd fd_;
};

}  // namespace vpnha::adapters
