// SPDX-License-Identifier: GPL-2.0-or-later
// The ESP SAs from or to a gateway's addresses in this node's kernel. What is asked for is done one
// after the other, a datagram or a train of requests in a turn of the loop.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <variant>

#include "adapters/netlink/netlink_train.hpp"
#include "adapters/os/qb_loop.hpp"
#include "ports/sa_table.hpp"

namespace vpnha::adapters {

class XfrmTable : public ports::SaTable {
  public:
    // `timer` is a name on the loop, which must outlive it. In the network namespace of the calling
    // thread.
    [[nodiscard]] static Result<std::unique_ptr<XfrmTable>> open(QbLoop& loop, int timer,
                                                                 std::set<IpAddress> addresses);
    ~XfrmTable() override;
    XfrmTable(const XfrmTable&) = delete;
    XfrmTable& operator=(const XfrmTable&) = delete;

    void list(OnListed on_listed) override;
    void set(std::vector<ipsec::SaCounters> counters, bool exact, Done done) override;
    void flush(Done done) override;

  private:
    using Counters = std::vector<ipsec::SaCounters>;

    struct Listing {
        OnListed on_listed;
    };
    struct Setting {
        Counters counters;
        bool exact = false;
        Done done;
    };
    struct Flushing {
        Done done;
    };
    struct Removing {
        Counters sas;
        Done done;
    };
    using Job = std::variant<Listing, Setting, Flushing, Removing>;

    XfrmTable(QbLoop& loop, int timer, std::set<IpAddress> addresses, NetlinkTrain train)
        : loop_(loop), timer_(timer), addresses_(std::move(addresses)), train_(std::move(train)) {}

    void add(Job job);
    void begin();
    void begin_listing();
    void read_listing();
    void end_listing(const Result<void>& result);
    // A train of it; `each` asks the kernel about `part` and returns its errno for each.
    using Ask = std::function<Result<std::vector<int>>(ports::SaTable::Sas part)>;
    void work(const Counters& sas, const Done& done, const Ask& ask);
    [[nodiscard]] Result<std::vector<int>> set_train(ports::SaTable::Sas part, bool exact);
    [[nodiscard]] Result<std::vector<int>> remove_train(ports::SaTable::Sas part);
    void end(const std::function<void()>& tell);

    QbLoop& loop_;
    int timer_;
    std::set<IpAddress> addresses_;
    NetlinkTrain train_;
    std::deque<Job> jobs_;  // The first one is under way.
    OwnedNetlink listing_;
    Counters listed_;
    std::size_t worked_ = 0;  // SAs of the first job that had their turn.
    Result<void> worked_result_;
};

}  // namespace vpnha::adapters
