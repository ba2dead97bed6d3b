// SPDX-License-Identifier: GPL-2.0-or-later
// As root: network namespaces of the test's own.
#include "host/os/network_descriptor.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "unit/host/os/named_namespace.hpp"

namespace vpnha::adapters {
namespace network_descriptor_test {

using testing::NamedNamespace;
using testing::network_here;

TEST(NetworkNamespaceTest, AThreadIsInItAndComesBack) {
    const NamedNamespace there;
    const ino_t home = network_here();
    const auto network = NetworkNamespace::open(there.name());
    ASSERT_TRUE(network) << network.error().detail;
    EXPECT_EQ(network_here(), home);
    {
        const InNetwork within(*network);
        EXPECT_EQ(network_here(), there.number());
    }
    EXPECT_EQ(network_here(), home);
}

TEST(NetworkNamespaceTest, WithinAnotherOneItComesBackToThat) {
    const NamedNamespace there;
    const auto home = NetworkNamespace::current();
    const auto network = NetworkNamespace::open(there.name());
    ASSERT_TRUE(home && network);
    const ino_t home_number = network_here();
    const InNetwork within(*network);
    {
        const InNetwork at_home(*home);
        EXPECT_EQ(network_here(), home_number);
    }
    EXPECT_EQ(network_here(), there.number());
}

TEST(NetworkNamespaceTest, WhatAThreadStartsIsInItAndOtherThreadsAreNot) {
    const NamedNamespace there;
    const auto network = NetworkNamespace::open(there.name());
    ASSERT_TRUE(network);
    ino_t of_thread = 0;
    ino_t of_other = 0;
    const ino_t home = network_here();
    std::thread other([&of_other, &network] {
        { const InNetwork within(*network); }
        of_other = network_here();
    });
    other.join();
    {
        const InNetwork within(*network);
        std::thread([&of_thread] { of_thread = network_here(); }).join();
    }
    EXPECT_EQ(of_thread, there.number());
    EXPECT_EQ(of_other, home);
}

TEST(NetworkNamespaceTest, NoneIsWhereTheThreadIs) {
    const ino_t home = network_here();
    const auto none = NetworkNamespace::open("");
    ASSERT_TRUE(none);
    const InNetwork within(*none);
    EXPECT_EQ(network_here(), home);
}

TEST(NetworkNamespaceTest, ANewOneIsNobodyElses) {
    const ino_t home = network_here();
    const auto made = NetworkNamespace::make();
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(network_here(), home);
    const InNetwork within(*made);
    EXPECT_NE(network_here(), home);
}

TEST(NetworkNamespaceTest, OneThatIsNotThereIsAnErrorThatNamesIt) {
    const auto network = NetworkNamespace::open("vpnha-test-nowhere");
    ASSERT_FALSE(network);
    EXPECT_EQ(network.error().code, Errc::not_found);
    EXPECT_NE(network.error().detail.find("'vpnha-test-nowhere'"), std::string::npos);
}

}  // namespace network_descriptor_test
}  // namespace vpnha::adapters
