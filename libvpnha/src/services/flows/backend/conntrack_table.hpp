// SPDX-License-Identifier: GPL-2.0-or-later
// The flows in this node's kernel: installed in trains of requests with one acknowledgement each,
// removed, looked up, listed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/netlink/netlink_train.hpp"
#include "services/flows/backend/flow_table.hpp"
#include "services/flows/model/standby.hpp"
#include "services/flows/model/tracker.hpp"

namespace vpnha::adapters {

class ConntrackTable : public ports::FlowTable {
  public:
    // In the network namespace of the calling thread.
    [[nodiscard]] static Result<std::unique_ptr<ConntrackTable>> open();

    Result<std::vector<bool>> install(Flows flows, conntrack::Live live) override;
    Result<std::vector<bool>> set_timeouts(std::span<const conntrack::Timeout> timeouts) override;
    Result<void> remove(std::span<const conntrack::FlowKey> keys) override;
    [[nodiscard]] Result<std::optional<conntrack::Flow>> find(
        const conntrack::FlowKey& key) override;
    // conntrack_expectations.cpp
    Result<std::vector<bool>> install_expectations(
        std::span<const conntrack::Expectation> expectations) override;
    Result<std::vector<bool>> set_expectation_timeouts(
        std::span<const conntrack::Timeout> timeouts) override;
    Result<void> remove_expectations(std::span<const conntrack::FlowKey> keys) override;
    [[nodiscard]] Result<std::vector<conntrack::Expectation>> list_expectations() override;
    [[nodiscard]] const Counters& counters() const override { return counters_; }

  private:
    explicit ConntrackTable(NetlinkTrain train) : train_(std::move(train)) {}

    Result<std::vector<int>> create_expectations(
        std::span<const conntrack::Expectation> expectations);
    // One flow that the kernel did not accept as it was.
    Result<bool> insist(conntrack::Flow flow, int error_number, conntrack::Live live);
    // The conflicting entry is made this flow, or removed.
    Result<conntrack::Next> settle(conntrack::Flow& flow, conntrack::Live live);
    // A flow whose timeout is fixed; false: it is not there.
    Result<bool> renew(const conntrack::Timeout& timeout);
    // Replaces the flow's entry. Returns the kernel's answer (errno, 0: taken).
    Result<int> make_anew(const conntrack::Flow& flow);
    Result<std::optional<conntrack::News>> look(const std::function<nlmsghdr*(char*)>& write);

    NetlinkTrain train_;
    Counters counters_;
};

// A listing of the whole table, a datagram at a time: the kernel fills the next one when the last
// was read, so a long list does not block the loop.
class ConntrackListing {
  public:
    using OnNews = std::function<void(const conntrack::News&)>;
    enum class State { more, done };

    // `buckets`: the file that has the size of the table's hash. The kernel does not report that
    // entries of this list moved.
    [[nodiscard]] static Result<ConntrackListing> start(
        std::string buckets = "/proc/sys/net/netfilter/nf_conntrack_buckets");
    [[nodiscard]] int fd() const { return mnl_socket_get_fd(socket_.get()); }
    // At most one datagram (~100 flows). An error ends it, also that entries moved while it was
    // read: start anew.
    Result<State> read(const OnNews& on_news);

  private:
    ConntrackListing(OwnedNetlink socket, std::string buckets_file, std::string buckets)
        : socket_(std::move(socket)),
          buckets_file_(std::move(buckets_file)),
          buckets_(std::move(buckets)) {}

    OwnedNetlink socket_;
    std::vector<char> buffer_;
    std::string buckets_file_;
    std::string buckets_;  // Before its beginning.
};

}  // namespace vpnha::adapters
