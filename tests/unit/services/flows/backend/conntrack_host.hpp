// SPDX-License-Identifier: GPL-2.0-or-later
// Two hosts, of which the node tracks its connections and has hooks for NAT.
#pragma once

#include <gmock/gmock.h>

#include <fstream>

#include "services/flows/backend/conntrack_events.hpp"
#include "services/flows/backend/conntrack_table.hpp"
#include "support/flow_builder.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {

using conntrack::Flow;
using conntrack::Live;
using conntrack::News;
using test::address;
using test::flow_of;
using test::nat_tcp_flow;
using test::udp_flow;
using testing::ip;

class ConntrackHost : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        // Tracking and NAT are off in a namespace until a rule wants them.
        rules(
            "table inet t { chain o { type nat hook output priority 0; };"
            " chain p { type nat hook postrouting priority 100; };"
            " chain f { type filter hook output priority 10; ct state new counter; }; }");
        std::ofstream("/proc/sys/net/netfilter/nf_conntrack_events") << "1";
        auto opened = ConntrackTable::open();
        ASSERT_TRUE(opened) << opened.error().detail;
        table_ = std::move(*opened);
    }
    void TearDown() override {
        table_.reset();
        TwoHosts::TearDown();
    }

    static void rules(const std::string& text) {
        testing::output_of("nft '" + text + "'");
        EXPECT_NE(testing::output_of("nft list ruleset"), "");
    }
    // What the kernel has afterwards.
    std::optional<Flow> install(const Flow& flow, bool taken = true, Live live = Live::changes) {
        const auto installed = table_->install(std::span(&flow, 1), live);
        EXPECT_TRUE(installed) << installed.error().detail;
        EXPECT_EQ(installed ? installed->front() : !taken, taken);
        return find(flow);
    }
    std::optional<Flow> find(const Flow& flow) {
        auto found = table_->find(flow.key);
        EXPECT_TRUE(found) << found.error().detail;
        return found && *found ? std::optional(unaged(**found, flow)) : std::nullopt;
    }
    // The kernel says what is left of the timeout: a few seconds less are the test's own.
    static Flow unaged(Flow found, const Flow& wanted) {
        if (found.timeout_s <= wanted.timeout_s && found.timeout_s + 10 >= wanted.timeout_s) {
            found.timeout_s = wanted.timeout_s;
        }
        return found;
    }
    static std::vector<Flow> listed() {
        std::vector<Flow> flows;
        auto listing = ConntrackListing::start();
        EXPECT_TRUE(listing) << listing.error().detail;
        for (;;) {
            const auto state = listing->read([&](const News& news) {
                EXPECT_EQ(news.kind, News::Kind::listed);
                flows.push_back(news.flow);
            });
            EXPECT_TRUE(state) << state.error().detail;
            if (!state || *state == ConntrackListing::State::done) {
                return flows;
            }
        }
    }
    // Many flows of UDP that differ in their source.
    static std::vector<Flow> many(std::uint32_t count) {
        std::vector<Flow> flows;
        for (std::uint32_t i = 0; i < count; ++i) {
            flows.push_back(flow_of(conntrack::kUdp, {IpAddress(Ipv4Address{0x0a000001 + i}),
                                                      address("203.0.113.9"), 5060, 5060}));
        }
        return flows;
    }
    void install_all(const std::vector<Flow>& flows) {
        for (std::size_t at = 0; at < flows.size(); at += limits::kFlowsPerTrain) {
            const auto installed = table_->install(
                std::span(flows).subspan(at, std::min(limits::kFlowsPerTrain, flows.size() - at)),
                Live::changes);
            ASSERT_TRUE(installed) << installed.error().detail;
            EXPECT_THAT(*installed, ::testing::Each(true));
        }
    }

    std::unique_ptr<ConntrackTable> table_;
};

}  // namespace vpnha::adapters
