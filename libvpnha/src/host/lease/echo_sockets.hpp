// SPDX-License-Identifier: GPL-2.0-or-later
// Checks whether the kernel of another node is alive: an ICMP echo request (RFC 792, RFC 4443 4.1),
// and its answer. The kernel answers even if that node's vpnhad does not.
//
// A connected socket for each queried address, so that other senders' packets do not wake this
// node's loop. It is closed a second after the last request. An answer counts when it repeats the
// random octets of a request of that second.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/ids.hpp"
#include "host/os/boot_timer.hpp"
#include "host/os/qb_loop.hpp"
#include "host/os/unique_fd.hpp"

namespace vpnha::adapters {

class EchoSockets {
  public:
    using OnEcho = std::function<void(NodeId)>;

    // `loop` must outlive it.
    EchoSockets(QbLoop& loop, OnEcho on_echo);
    ~EchoSockets();
    EchoSockets(const EchoSockets&) = delete;
    EchoSockets& operator=(const EchoSockets&) = delete;

    // An address of that node, IPv4 or IPv6. A request that cannot be sent has no answer.
    void ask(NodeId node, const sockaddr& to, socklen_t size);

  private:
    // The octets of a request after ICMP's header.
    using Secret = std::array<std::uint8_t, 16>;
    struct Asked {
        NodeId node;
        UniqueFd socket;
        int family = AF_INET;
        std::vector<Secret> secrets;  // Of the last requests, kQuestionsMax at most.
        TimePoint last{};
    };

    [[nodiscard]] Asked* find_or_open(NodeId node, const sockaddr& to, socklen_t size);
    void on_readable(const std::vector<std::uint8_t>& address);
    void close_idle();

    QbLoop& loop_;
    OnEcho on_echo_;
    BootTimer timer_;
    // By the octets of the address as connect(2) takes it.
    std::map<std::vector<std::uint8_t>, Asked> asked_;
};

}  // namespace vpnha::adapters
