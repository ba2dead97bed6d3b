// SPDX-License-Identifier: GPL-2.0-or-later
// The program vpnha-witness on loopback, and two nodes that need its vote: node 1 by IPv4, node 2
// by IPv6.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "support/contents_of.hpp"
#include "support/temporary_path.hpp"
#include "unit/witness/live_pair.hpp"
#include "witness/key_file.hpp"

namespace vpnha::witness {
namespace program_test {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kClusterKey = "the key of the cluster";

// A free one of both families, as far as one can know.
std::uint16_t free_port() {
    const adapters::UniqueFd socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 own{};
    own.sin6_family = AF_INET6;
    socklen_t size = sizeof own;
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&own), size), 0);
    EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size), 0);
    return ntohs(own.sin6_port);
}

class ProgramTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::filesystem::create_directories(folder_);
        const lease::WitnessKeyLine line({"site1", "wit1", key_.octets()});
        std::ofstream(key_file_) << line.view();
        ASSERT_EQ(::chmod(key_file_.c_str(), 0600), 0);
    }
    void TearDown() override {
        if (witness_ > 0) {
            ::kill(witness_, SIGKILL);
            static_cast<void>(end());
        }
        // Only of a test that mounted something there.
        ::umount2(state_.c_str(), MNT_DETACH);
        std::filesystem::remove_all(folder_);
    }

    void spawn(const std::vector<std::string>& arguments) {
        std::vector<char*> pointers;
        for (const std::string& argument : arguments) {
            pointers.push_back(const_cast<char*>(argument.c_str()));
        }
        pointers.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log_.c_str(),
                                         O_WRONLY | O_CREAT | O_TRUNC, 0600);
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, (folder_ + "/out").c_str(),
                                         O_WRONLY | O_CREAT | O_TRUNC, 0600);
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        ASSERT_EQ(::posix_spawn(&witness_, VPNHA_WITNESS_PROGRAM, &actions, nullptr,
                                pointers.data(), environ),
                  0);
        posix_spawn_file_actions_destroy(&actions);
    }
    void start_witness() {
        spawn({"vpnha-witness", "--key-file", key_file_, "--state", state_, "--listen",
               "127.0.0.1:" + port_, "--listen", "[::1]:" + port_});
        ASSERT_TRUE(logs("event=started"));
    }
    // The exit code; of a signal 128 more.
    int end() {
        int status = 0;
        EXPECT_GT(::waitpid(std::exchange(witness_, -1), &status, 0), 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    int signal_and_end(int signal) {
        ::kill(witness_, signal);
        return end();
    }
    bool logs(const std::string& text, LivePair* pair = nullptr) {
        const auto there = [&] { return contents_of(log_).find(text) != std::string::npos; };
        if (pair != nullptr) {
            return pair->until(there);
        }
        for (int i = 0; i < 2'000 && !there(); ++i) {
            ::poll(nullptr, 0, 10);
        }
        return there();
    }
    // Both nodes live, node 1 has the lease, and the witness votes for the gateway.
    LivePair pair_with_witness() {
        LivePair pair(key_,
                      {*parse_endpoint("127.0.0.1:" + port_), *parse_endpoint("[::1]:" + port_)});
        EXPECT_TRUE(pair.until([&] { return pair.words() > 2; })) << contents_of(log_);
        pair.promote(1);
        EXPECT_TRUE(pair.until([&] { return pair.speaks(1); }));
        pair.add_witness(1);
        EXPECT_TRUE(pair.until([&] { return pair.has_witness(1) && pair.has_witness(2); }));
        EXPECT_TRUE(logs("event=gateway-known gateway=4 voters=1,2,4294901761", &pair))
            << contents_of(log_);
        return pair;
    }
    void set_read_only(bool is_read_only) {
        unsigned long flags = MS_REMOUNT;
        if (is_read_only) {
            flags |= MS_RDONLY;
        }
        ASSERT_EQ(::mount("none", state_.c_str(), nullptr, flags, nullptr), 0);
    }
    [[nodiscard]] std::string file() const { return contents_of(state_ + "/gateway-4.lease"); }

    const lease::LeaseKey key_ = lease::LeaseKey::of_witness(kClusterKey, "wit1");
    std::string folder_ = temporary_path("witness");
    std::string state_ = folder_ + "/state";
    std::string key_file_ = folder_ + "/site1.key";
    std::string log_ = folder_ + "/log";
    std::string port_ = std::to_string(free_port());
    pid_t witness_ = -1;
};

TEST_F(ProgramTest, TheOtherNodeIsGrantedTheLeaseByItsVote) {
    start_witness();
    LivePair pair = pair_with_witness();
    EXPECT_TRUE(logs("event=node-seen node=1 address=127.0.0.1:", &pair));
    EXPECT_TRUE(logs("event=node-seen node=2 address=[::1]:", &pair));
    pair.cut_power(1);
    pair.stand_in(2);
    EXPECT_TRUE(pair.until([&] { return pair.speaks(2); })) << contents_of(log_);
    EXPECT_TRUE(logs("event=node-lost node=1", &pair));
}

TEST_F(ProgramTest, AfterACrashTheHolderClaimsAboveWhatItMayHaveGranted) {
    start_witness();
    LivePair pair = pair_with_witness();
    ASSERT_THAT(file(), HasSubstr("\"ahead\":true"));
    const std::uint64_t before = pair.engine(1).holder().epoch().number;
    EXPECT_EQ(signal_and_end(SIGKILL), 128 + SIGKILL);
    pair.cut_power(2);
    EXPECT_TRUE(pair.until([&] { return !pair.speaks(1); })) << "without a majority";
    start_witness();
    EXPECT_TRUE(pair.until([&] { return pair.speaks(1); })) << contents_of(log_);
    EXPECT_GT(pair.engine(1).holder().epoch().number, before + 2);
}

TEST_F(ProgramTest, ACleanEndLeavesExactFilesAndCostsNoClaim) {
    start_witness();
    LivePair pair = pair_with_witness();
    const Epoch held = pair.engine(1).holder().epoch();
    EXPECT_EQ(signal_and_end(SIGTERM), 0) << contents_of(log_);
    EXPECT_THAT(contents_of(log_), HasSubstr("event=ended"));
    EXPECT_THAT(file(), AllOf(HasSubstr("\"ahead\":false"),
                              HasSubstr("\"granted\":{\"node\":1,\"number\":" +
                                        std::to_string(held.number) + "}")));
    start_witness();
    EXPECT_TRUE(logs("event=node-seen node=1", &pair));
    EXPECT_TRUE(pair.until([&] { return file().find("\"ahead\":true") != std::string::npos; }));
    pair.cut_power(2);
    EXPECT_TRUE(pair.until([&] { return pair.speaks(1); }));
    EXPECT_TRUE(logs("event=node-lost node=2", &pair));
    EXPECT_TRUE(pair.until([&] { return pair.speaks(1); }));
}

TEST_F(ProgramTest, WhatIsForgedIsCountedAndNotAnswered) {
    start_witness();
    LivePair pair = pair_with_witness();
    const lease::LeaseKey other("the key of the cluster");
    pair.emit(1, Bytes{1, 2, 3});
    pair.emit(1, Bytes(3'000, 7));
    for (int i = 0; i < 5; ++i) {
        pair.emit(
            2, lease::encode({LivePair::kGateway, lease::sender_of(2), 1, lease::Hello{}}, other));
    }
    pair.emit(
        2, lease::encode(
               {LivePair::kGateway, {lease::kWitness, lease::boot_of(1), {3}}, 1, lease::Hello{}},
               key_));
    // A signal is heeded before what came before it is read.
    EXPECT_TRUE(pair.until([&] {
        ::kill(witness_, SIGUSR1);
        const std::string log = contents_of(log_);
        return log.find(" forged=5 malformed=2 replayed=0 ") != std::string::npos &&
               log.find(" oversized=1 ") != std::string::npos;
    })) << contents_of(log_);
    EXPECT_THAT(contents_of(log_),
                AllOf(HasSubstr("event=gateway-state gateway=4 voters=1,2,4294901761 granted=1@1 "
                                "awaits=none disk=works"),
                      HasSubstr(" gateways=1 remembering=1 unsaved=none ")));
}

TEST_F(ProgramTest, AFullDiskStopsNothingAndOneThatIsReadOnlyStopsNoRenewal) {
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        GTEST_SKIP() << "needs root, for a disk of its own";
    }
    std::filesystem::create_directories(state_);
    ASSERT_EQ(::mount("tmpfs", state_.c_str(), "tmpfs", 0, "size=32k,mode=0700"), 0);
    start_witness();
    LivePair pair = pair_with_witness();
    // In the place of the file stands another one of its size.
    std::ofstream filler(state_ + "/filler");
    while (filler << std::string(1024, 'x') << std::flush) {
    }
    filler.close();
    EXPECT_EQ(signal_and_end(SIGTERM), 0) << contents_of(log_);
    EXPECT_THAT(file(), HasSubstr("\"ahead\":false"));
    start_witness();
    EXPECT_TRUE(pair.until([&] { return file().find("\"ahead\":true") != std::string::npos; }));
    EXPECT_THAT(contents_of(log_), ::testing::Not(HasSubstr("event=no-room")));
    EXPECT_TRUE(logs("event=node-seen node=2", &pair));

    set_read_only(true);
    pair.cut_power(1);
    pair.stand_in(2);
    EXPECT_TRUE(pair.until([&] { return pair.speaks(2); })) << contents_of(log_);
    EXPECT_TRUE(logs("event=save-failed gateway=4", &pair));
    EXPECT_TRUE(pair.until([&] { return pair.speaks(2); })) << "it was answered by what it had";
    set_read_only(false);
    EXPECT_TRUE(logs("event=save-works gateway=4", &pair));
    EXPECT_THAT(file(), HasSubstr("\"granted\":{\"node\":2,"));

    set_read_only(true);
    EXPECT_EQ(signal_and_end(SIGTERM), 1) << "the last state is not on the disk";
    start_witness();
    EXPECT_TRUE(logs("event=no-room", &pair));
}

TEST_F(ProgramTest, TwoOfThemDoNotShareAState) {
    start_witness();
    const pid_t first = std::exchange(witness_, -1);
    spawn({"vpnha-witness", "--key-file", key_file_, "--state", state_, "--listen",
           "127.0.0.1:" + std::to_string(free_port())});
    EXPECT_EQ(end(), 1);
    EXPECT_THAT(contents_of(log_), HasSubstr("has " + state_));
    witness_ = first;
}

TEST_F(ProgramTest, WhatIsWrongIsNamedAtOnce) {
    spawn({"vpnha-witness", "--listen", "x", "--frob"});
    EXPECT_EQ(end(), 2);
    EXPECT_THAT(contents_of(log_), AllOf(HasSubstr("vpnha-witness: --listen x: "),
                                         HasSubstr("vpnha-witness: there is no option '--frob'"),
                                         HasSubstr("vpnha-witness: --key-file FILE is missing")));
    std::filesystem::create_directories(state_);
    std::filesystem::permissions(state_, std::filesystem::perms::owner_all);
    std::ofstream(state_ + "/gateway-1.lease") << "{";
    spawn({"vpnha-witness", "--key-file", key_file_, "--state", state_, "--listen",
           "192.0.2.1:5421"});
    EXPECT_EQ(end(), 1);
    EXPECT_THAT(contents_of(log_), AllOf(HasSubstr("gateway-1.lease is damaged"),
                                         HasSubstr("listening on 192.0.2.1:5421")));
    spawn({"vpnha-witness", "enrol", "--key-file", key_file_});
    EXPECT_EQ(end(), 1) << "nothing on stdin";
    spawn({"vpnha-witness", "--version"});
    EXPECT_EQ(end(), 0);
}

}  // namespace program_test
}  // namespace vpnha::witness
