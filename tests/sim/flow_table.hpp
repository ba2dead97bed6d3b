// SPDX-License-Identifier: GPL-2.0-or-later
// A machine's kernel table of flows, and what their helpers expect. It outlives vpnhad, and tells
// whoever watches it of each change, the installations of its own vpnhad among them.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <utility>

#include "services/flows/model/standby.hpp"
#include "services/flows/model/tracker.hpp"

namespace vpnha::sim {

class FlowTable {
  public:
    using Flows = std::map<conntrack::FlowKey, conntrack::Flow>;
    using Notified = std::function<void(const conntrack::News&)>;
    using Expectations = std::map<conntrack::FlowKey, conntrack::Expectation>;
    using NotifiedExpectation = std::function<void(const conntrack::ExpectationNews&)>;

    FlowTable(Notified notified, NotifiedExpectation notified_expectation)
        : notified_(std::move(notified)), notified_expectation_(std::move(notified_expectation)) {}

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
        notified_(news);
        return true;
    }
    // False when it is not there.
    bool set_timeout(const conntrack::FlowKey& key, std::uint32_t seconds) {
        const auto found = flows_.find(key);
        if (found == flows_.end()) {
            return false;
        }
        found->second.timeout_s = seconds;
        notified_({conntrack::News::Kind::changed, found->second});
        return true;
    }
    // A packet that changes nothing: no event.
    void refresh(const conntrack::FlowKey& key, std::uint32_t seconds) {
        flows_.at(key).timeout_s = seconds;
    }
    void remove(const conntrack::FlowKey& key) {
        if (const auto flow = flows_.extract(key); !flow.empty()) {
            notified_({conntrack::News::Kind::ended, flow.mapped()});
            forget_if([&key](const auto& each) { return each.parent == key; });
        }
    }
    void flush() {
        while (!flows_.empty()) {
            remove(conntrack::FlowKey(flows_.begin()->first));
        }
    }
    void lose_power() {
        flows_.clear();
        expectations_.clear();
        room = kRoom;
    }

    // False without the parent, or without its helper. As with FTP's, one takes the place of the
    // one before it.
    bool expect(const conntrack::Expectation& expectation) {
        const auto parent = flows_.find(expectation.parent);
        if (parent == flows_.end() || parent->second.helper.empty()) {
            return false;
        }
        forget_if([&expectation](const auto& each) {
            return each.key == expectation.key || each.parent == expectation.parent;
        });
        expectations_.emplace(expectation.key, expectation);
        notify(conntrack::ExpectationNews::Kind::made, expectation);
        return true;
    }
    // It is answered, or asked for once more: no event. False when it is not there.
    bool renew(const conntrack::FlowKey& key, std::uint32_t seconds, std::uint8_t flags) {
        const auto found = expectations_.find(key);
        if (found == expectations_.end()) {
            return false;
        }
        found->second.timeout_s = seconds;
        found->second.flags = flags;
        return true;
    }
    void forget(const conntrack::FlowKey& key) {
        forget_if([&key](const auto& each) { return each.key == key; });
    }

    [[nodiscard]] const Flows& flows() const { return flows_; }
    [[nodiscard]] const Expectations& expectations() const { return expectations_; }

    static constexpr std::size_t kRoom = std::numeric_limits<std::size_t>::max();
    std::size_t room = kRoom;

  private:
    template <class Which>
    void forget_if(Which which) {
        for (auto each = expectations_.begin(); each != expectations_.end();) {
            if (which(each->second)) {
                notify(conntrack::ExpectationNews::Kind::ended, each->second);
                each = expectations_.erase(each);
            } else {
                ++each;
            }
        }
    }
    void notify(conntrack::ExpectationNews::Kind kind,
                const conntrack::Expectation& expectation) const {
        notified_expectation_({kind, expectation});
    }

    Notified notified_;
    NotifiedExpectation notified_expectation_;
    Flows flows_;
    Expectations expectations_;
};

}  // namespace vpnha::sim
