// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/node_load.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "host/os/unique_fd.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace node_load_test {

class NodeLoadTest : public ::testing::Test {
  protected:
    void write(const std::string& path, const std::string& text) const {
        const std::filesystem::path file = std::filesystem::path(proc_) / path;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }
    ~NodeLoadTest() override { std::filesystem::remove_all(proc_); }

    const std::string proc_ = temporary_path("proc");
};

TEST_F(NodeLoadTest, IsReadFromProc) {
    write("sys/net/netfilter/nf_conntrack_count", "12\n");
    write("sys/net/netfilter/nf_conntrack_max", "262144\n");
    write("sys/fs/file-nr", "1500\t100\t9000\n");
    write("meminfo", "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  300 kB\n");
    write("stat", "cpu  10 1 4 80 5 1 1 2 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n");
    const NodeLoad load = read_node_load(proc_);
    ASSERT_TRUE(load.conntrack && load.files && load.memory_kib && load.processor_ticks);
    EXPECT_EQ(load.conntrack->used, 12U);
    EXPECT_EQ(load.conntrack->of, 262'144U);
    EXPECT_EQ(load.files->used, 1400U);
    EXPECT_EQ(load.files->of, 9000U);
    EXPECT_EQ(load.memory_kib->used, 700U);
    EXPECT_EQ(load.memory_kib->of, 1000U);
    EXPECT_EQ(load.processor_ticks->used, 19U);
    EXPECT_EQ(load.processor_ticks->of, 104U);
}

TEST_F(NodeLoadTest, WhatIsNotThereOrNotUnderstoodIsNotKnown) {
    const NodeLoad none = read_node_load(proc_);
    EXPECT_FALSE(none.conntrack || none.files || none.memory_kib || none.processor_ticks);
    write("sys/fs/file-nr", "1500\n");
    write("meminfo", "MemTotal: 1000 kB\n");
    write("stat", "cpu 1 2 3\n");
    const NodeLoad half = read_node_load(proc_);
    EXPECT_FALSE(half.files || half.memory_kib || half.processor_ticks);
}

TEST_F(NodeLoadTest, OwnDescriptorsAreCounted) {
    const auto before = read_node_load().own_descriptors;
    const UniqueFd one(::dup(2));
    const UniqueFd two(::dup(2));
    const auto after = read_node_load().own_descriptors;
    ASSERT_TRUE(before && after);
    EXPECT_GE(after->used, before->used + 2);
    EXPECT_GT(after->of, after->used);
}

}  // namespace node_load_test
}  // namespace vpnha::adapters
