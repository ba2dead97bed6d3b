// SPDX-License-Identifier: GPL-2.0-or-later
// The rate of a device by the kernel's traffic control, by rtnetlink:
//
//   root, handle 7670:  tbf, the bucket to the client; a script's own queueing discipline goes
//     7671:             fq_codel within it
//   ingress             matchall with police, where the client's sending is limited
//
// pppd's plugin knows vpnhad's by the handle of the root: such a session can be resumed elsewhere.
#pragma once

#include <utility>

#include "host/netlink/netlink.hpp"
#include "services/bandwidth/backend/limiter.hpp"

namespace vpnha::adapters {

class TrafficControl final : public ports::Limiter {
  public:
    // In the network namespace of the calling thread.
    [[nodiscard]] static Result<TrafficControl> open();

    [[nodiscard]] Result<void> set(std::uint32_t link, const bandwidth::Shaping& shaping) override;
    [[nodiscard]] Result<void> remove(std::uint32_t link) override;

  private:
    explicit TrafficControl(NetlinkSocket socket) : socket_(std::move(socket)) {}

    [[nodiscard]] Result<void> set_bucket(std::uint32_t link,
                                          const bandwidth::Shaping::Bucket& bucket);
    [[nodiscard]] Result<void> set_queues(std::uint32_t link, const bandwidth::Shaping& shaping);
    [[nodiscard]] Result<void> set_policer(std::uint32_t link,
                                           const bandwidth::Shaping::Bucket& bucket);
    [[nodiscard]] Result<void> remove_from(std::uint32_t link, std::uint32_t parent);

    NetlinkSocket socket_;
};

}  // namespace vpnha::adapters
