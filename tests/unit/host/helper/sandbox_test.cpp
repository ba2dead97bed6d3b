// SPDX-License-Identifier: GPL-2.0-or-later
// Each sandbox is that of a process of its own.
#include "host/helper/sandbox.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"

namespace vpnha::adapters {
namespace sandbox_test {

constexpr int kDone = 7;

// How a process ends that enters the sandbox and does this then: its exit code, or a signal.
int end_of(const std::function<void()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        std::string unlocked;
        if (!enter_sandbox(unlocked)) {
            ::_exit(1);
        }
        work();
        ::_exit(kDone);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(SandboxTest, WhatADataPathDoesIsAllowed) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    EXPECT_EQ(end_of([&] {
                  char octet = 'x';
                  int octets = 0;
                  const Bytes room(1 << 20, 1);  // Of mmap().
                  if (::send(ends[0], &octet, 1, 0) != 1 || ::recv(ends[1], &octet, 1, 0) != 1 ||
                      ::ioctl(ends[0], SIOCOUTQ, &octets) != 0 || room.back() != 1) {
                      ::_exit(1);
                  }
              }),
              kDone);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(SandboxTest, AnotherSystemCallKillsIt) {
    const std::vector<std::pair<const char*, std::function<void()>>> forbidden{
        {"open", [] { static_cast<void>(::open("/dev/null", O_RDONLY)); }},
        {"socket", [] { static_cast<void>(::socket(AF_INET, SOCK_DGRAM, 0)); }},
        {"fork", [] { static_cast<void>(::fork()); }},
        {"exec", [] { ::execl("/bin/true", "true", nullptr); }},
        {"kill", [] { ::kill(::getppid(), 0); }},
        {"ptrace or prctl", [] { ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); }},
        {"ioctl", [] { ::ioctl(0, FIONREAD, nullptr); }},
        {"setsockopt",
         [] {
             const int on = 1;
             ::setsockopt(0, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
         }},
        {"executable memory",
         [] {
             static_cast<void>(
                 ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
         }},
        {"mprotect", [] {
             alignas(4096) static char page[4096];
             ::mprotect(page, sizeof page, PROT_READ | PROT_EXEC);
         }}};
    for (const auto& [name, call] : forbidden) {
        EXPECT_EQ(end_of(call), -SIGSYS) << name;
    }
}

TEST(SandboxTest, ItComesBeforeOrdinaryProcesses) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    char octet = 'x';
    const pid_t child = ::fork();
    if (child == 0) {
        std::string unlocked;
        if (enter_sandbox(unlocked)) {
            ::send(ends[1], &octet, 1, 0);
        }
        static_cast<void>(::recv(ends[1], &octet, 1, 0));  // Until it is seen.
        ::_exit(kDone);
    }
    ASSERT_EQ(::recv(ends[0], &octet, 1, 0), 1);
    EXPECT_EQ(::getpriority(PRIO_PROCESS, static_cast<id_t>(child)), ::geteuid() == 0 ? -10 : 0);
    ::send(ends[0], &octet, 1, 0);
    ::waitpid(child, nullptr, 0);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(SandboxTest, AnAbortIsSeenToBeOne) {
    EXPECT_EQ(end_of([] { std::abort(); }), -SIGABRT);
}

}  // namespace sandbox_test
}  // namespace vpnha::adapters
