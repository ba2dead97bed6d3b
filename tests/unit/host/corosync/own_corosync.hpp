// SPDX-License-Identifier: GPL-2.0-or-later
// A corosync of the test's own, in network and mount namespaces that go with the process: node 1 of
// two, alone, so that it has no quorum until somebody lowers the expected votes.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::testing {

class OwnCorosync {
  public:
    // `totem` and `quorum` are lines of those sections of corosync.conf.
    OwnCorosync(const std::string& totem, const std::string& quorum) {
        EXPECT_EQ(unshare(CLONE_NEWNS | CLONE_NEWNET), 0) << "needs root";
        EXPECT_TRUE(ip_command("link set lo up"));
        EXPECT_EQ(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
        for (const char* path : {"/dev/shm", "/run", "/etc/corosync", "/var/lib/corosync"}) {
            EXPECT_EQ(mount("tmpfs", path, "tmpfs", 0, nullptr), 0) << path;
        }
        std::ofstream("/etc/corosync/authkey") << std::string(256, 'k');
        configure(totem, quorum);
        pid_ = spawn({"corosync", "-f"});
    }
    ~OwnCorosync() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    OwnCorosync(const OwnCorosync&) = delete;
    OwnCorosync& operator=(const OwnCorosync&) = delete;

    // The last of the nodes may be left out.
    static void configure(const std::string& totem, const std::string& quorum, int nodes = 2) {
        std::ofstream("/etc/corosync/corosync.conf")
            << "totem {\n    version: 2\n    cluster_name: test\n    transport: knet\n"
            << totem << "}\nquorum {\n"
            << quorum
            << "}\nlogging {\n    to_stderr: no\n    to_syslog: no\n}\nnodelist {\n"
               "    node {\n        ring0_addr: 127.0.0.1\n        nodeid: 1\n        "
               "name: gw1\n    }\n"
            << (nodes == 1 ? ""
                           : "    node {\n        ring0_addr: 127.0.0.2\n        nodeid: 2\n    "
                             "}\n")
            << "}\n";
    }
    static bool run(std::vector<std::string> words) {
        int status = -1;
        const pid_t child = spawn(std::move(words));
        return waitpid(child, &status, 0) == child && status == 0;
    }

  private:
    static pid_t spawn(std::vector<std::string> words) {
        std::vector<char*> argv;
        for (std::string& word : words) {
            argv.push_back(word.data());
        }
        argv.push_back(nullptr);
        pid_t child = -1;
        EXPECT_EQ(posix_spawnp(&child, argv[0], nullptr, nullptr, argv.data(), environ), 0);
        return child;
    }

    pid_t pid_ = -1;
};

}  // namespace vpnha::testing
