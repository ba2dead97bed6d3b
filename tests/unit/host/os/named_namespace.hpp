// SPDX-License-Identifier: GPL-2.0-or-later
// A network namespace with a name, as `ip netns add` makes it; gone with the test.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::testing {

// Of the calling thread's.
inline ino_t network_here() {
    struct stat network {};
    EXPECT_EQ(stat("/proc/thread-self/ns/net", &network), 0);
    return network.st_ino;
}

class NamedNamespace {
  public:
    explicit NamedNamespace(const std::string& suffix = "a")
        : name_("vpnha-test-" + std::to_string(getpid()) + "-" + suffix) {
        EXPECT_TRUE(ip_command("netns add " + name_)) << "needs root";
        struct stat network {};
        EXPECT_EQ(stat(("/run/netns/" + name_).c_str(), &network), 0);
        number_ = network.st_ino;
    }
    ~NamedNamespace() { EXPECT_TRUE(ip_command("netns delete " + name_)); }
    NamedNamespace(const NamedNamespace&) = delete;
    NamedNamespace& operator=(const NamedNamespace&) = delete;

    [[nodiscard]] const std::string& name() const { return name_; }
    // As network_here() has it.
    [[nodiscard]] ino_t number() const { return number_; }

  private:
    std::string name_;
    ino_t number_ = 0;
};

}  // namespace vpnha::testing
