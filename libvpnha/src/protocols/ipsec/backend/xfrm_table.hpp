// SPDX-License-Identifier: GPL-2.0-or-later
// The ESP SAs from or to a gateway's addresses in this node's kernel. A thread carries out the
// requests one after the other. The kernel admits nobody else to its SAs while it makes one
// (xfrm_cfg_mutex in net/xfrm/xfrm_user.c). It loads the modules of an algorithm meanwhile
// (request_module() in crypto/api.c). On a slow node that takes seconds, and a lease must be
// renewed.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "host/netlink/netlink_train.hpp"
#include "host/os/background.hpp"
#include "host/os/qb_loop.hpp"
#include "protocols/ipsec/backend/sa_table.hpp"

namespace vpnha::adapters {

class XfrmTable : public ports::SaTable {
  public:
    // `timer` is a name on the loop, which must outlive it. Must be called in the network namespace
    // of the gateway.
    [[nodiscard]] static Result<std::unique_ptr<XfrmTable>> open(QbLoop& loop, int timer,
                                                                 std::set<IpAddress> addresses);

    void list(OnListed on_listed) override;
    void set(std::vector<ipsec::SaCounters> counters, bool exact, Done done) override;
    void flush(Done done) override;

  private:
    using Counters = std::vector<ipsec::SaCounters>;

    // Asks the kernel about a train of SAs, and returns its errno for each.
    using Ask = std::function<Result<std::vector<int>>(Sas part)>;

    XfrmTable(QbLoop& loop, int timer, std::set<IpAddress> addresses, NetlinkTrain train)
        : addresses_(std::move(addresses)),
          train_(std::move(train)),
          jobs_(loop, timer, Background::Pace::urgent) {}

    // Runs in the thread.
    [[nodiscard]] Result<Counters> read_all() const;
    [[nodiscard]] static Result<void> in_trains(Sas sas, const Ask& ask);
    [[nodiscard]] Result<std::vector<int>> set_train(Sas part, bool exact);
    [[nodiscard]] Result<std::vector<int>> remove_train(Sas part);

    std::set<IpAddress> addresses_;
    NetlinkTrain train_;    // Used by the thread only.
    BackgroundQueue jobs_;  // Its thread ends first.
};

}  // namespace vpnha::adapters
