// SPDX-License-Identifier: GPL-2.0-or-later
// A machine's kernel table of flows. It outlives vpnhad, and tells whoever watches it of each
// change, the installations of its own vpnhad among them.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <utility>

#include "base/limits.hpp"
#include "conntrack/tracker.hpp"

namespace vpnha::sim {

// It has longer to live than the kernel gives: a vpnhad installed it, and no packet has come since.
[[nodiscard]] inline bool is_hot(const conntrack::Flow& flow) {
    return std::chrono::seconds(flow.timeout_s) > limits::kKernelFlowTimeoutMax;
}

class FlowTable {
  public:
    using Flows = std::map<conntrack::FlowKey, conntrack::Flow>;
    using Told = std::function<void(const conntrack::News&)>;

    explicit FlowTable(Told told) : told_(std::move(told)) {}

    // False when it is full. `whole`: the event has the protocol's state, too.
    bool put(const conntrack::Flow& flow, bool whole = true) {
        const bool is_new = !flows_.contains(flow.key);
        if (is_new && flows_.size() >= room) {
            return false;
        }
        flows_.insert_or_assign(flow.key, flow);
        conntrack::News news{conntrack::News::Kind::changed, flow};
        if (!whole) {
            news.flow.tcp.reset();
        }
        told_(news);
        return true;
    }
    // False when it is not there.
    bool set_timeout(const conntrack::FlowKey& key, std::uint32_t seconds) {
        const auto found = flows_.find(key);
        if (found == flows_.end()) {
            return false;
        }
        found->second.timeout_s = seconds;
        told_({conntrack::News::Kind::changed, found->second});
        return true;
    }
    // A packet that changes nothing: no event.
    void refresh(const conntrack::FlowKey& key, std::uint32_t seconds) {
        flows_.at(key).timeout_s = seconds;
    }
    void remove(const conntrack::FlowKey& key) {
        if (const auto flow = flows_.extract(key); !flow.empty()) {
            told_({conntrack::News::Kind::ended, flow.mapped()});
        }
    }
    void flush() {
        while (!flows_.empty()) {
            remove(conntrack::FlowKey(flows_.begin()->first));
        }
    }
    void lose_power() {
        flows_.clear();
        room = kRoom;
    }

    [[nodiscard]] const Flows& flows() const { return flows_; }

    static constexpr std::size_t kRoom = std::numeric_limits<std::size_t>::max();
    std::size_t room = kRoom;

  private:
    Told told_;
    Flows flows_;
};

}  // namespace vpnha::sim
