// SPDX-License-Identifier: GPL-2.0-or-later
// Requests within IKEv2 SAs, as they come in on any device: a packet socket with a filter in the
// kernel, which takes nothing but the first octets of these. It is there only while it is wanted.
#pragma once

#include <functional>

#include "adapters/os/qb_loop.hpp"
#include "adapters/os/unique_fd.hpp"
#include "ipsec/ike_request.hpp"
#include "ports/ike_watch.hpp"

namespace vpnha::adapters {

class IkeSocket : public ports::IkeWatch {
  public:
    using OnRequest = std::function<void(const ipsec::IkeRequest&)>;

    // `on_request` is called from the loop, which must outlive it, never from within a call.
    IkeSocket(QbLoop& loop, OnRequest on_request);
    ~IkeSocket() override;
    IkeSocket(const IkeSocket&) = delete;
    IkeSocket& operator=(const IkeSocket&) = delete;

    // In the network namespace of the calling thread.
    [[nodiscard]] Result<void> watch(bool on) override;

  private:
    void receive();
    void close();

    QbLoop& loop_;
    OnRequest on_request_;
    UniqueFd fd_;
};

}  // namespace vpnha::adapters
