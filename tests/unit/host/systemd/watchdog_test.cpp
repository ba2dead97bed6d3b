// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/systemd/watchdog.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <set>

#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace watchdog_test {

using namespace std::chrono_literals;

constexpr int kStopTimer = 1;

class SystemdsSocket {
  public:
    SystemdsSocket() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::ranges::copy(path, name.sun_path);
        EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
        const int on = 1;
        EXPECT_EQ(::setsockopt(fd_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    }
    ~SystemdsSocket() { ::unlink(path.c_str()); }
    SystemdsSocket(const SystemdsSocket&) = delete;
    SystemdsSocket& operator=(const SystemdsSocket&) = delete;

    // How many have come.
    int signs() {
        std::array<char, 64> octets{};
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
        for (int count = 0;; ++count) {
            iovec part{.iov_base = octets.data(), .iov_len = octets.size()};
            msghdr message{};
            message.msg_iov = &part;
            message.msg_iovlen = 1;
            message.msg_control = control.data();
            message.msg_controllen = control.size();
            const ssize_t got = ::recvmsg(fd_.get(), &message, 0);
            if (got < 0) {
                return count;
            }
            EXPECT_EQ(std::string(octets.data(), static_cast<std::size_t>(got)), "WATCHDOG=1");
            ucred credentials{};
            std::memcpy(&credentials, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof credentials);
            senders.insert(credentials.pid);
        }
    }

    std::set<pid_t> senders;
    const std::string path = temporary_path("notify");

  private:
    UniqueFd fd_;
};

void run_for(QbLoop& loop, Duration time) {
    loop.set_timer(kStopTimer, QbLoop::now() + time, [&loop] { loop.stop(); });
    loop.run();
}

TEST(WatchdogTest, SignsComeWhileTheLoopTurnsAndStopWithIt) {
    SystemdsSocket systemd;
    QbLoop loop;
    auto watchdog = Watchdog::start(loop, {systemd.path, 80ms, ::getpid()});
    ASSERT_TRUE(watchdog) << watchdog.error().detail;
    EXPECT_EQ(systemd.signs(), 1) << "at once";
    run_for(loop, 200ms);
    EXPECT_GE(systemd.signs(), 4) << "each quarter of the limit, on a busy machine too";
    // A callback that does not return for longer than the limit, as in a deadlock.
    loop.set_timer(kStopTimer + 1, QbLoop::now(), [&systemd] {
        static_cast<void>(systemd.signs());
        const TimePoint until = QbLoop::now() + 100ms;
        while (QbLoop::now() < until) {
        }
        EXPECT_EQ(systemd.signs(), 0);
    });
    run_for(loop, 150ms);
    static_cast<void>(systemd.signs());
    watchdog->reset();
    run_for(loop, 50ms);
    EXPECT_EQ(systemd.signs(), 0);
}

TEST(WatchdogTest, TheEnvironmentHasTheWishAndIsLeftWithoutIt) {
    ::setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1);
    ::setenv("WATCHDOG_USEC", "60000000", 1);
    ::setenv("WATCHDOG_PID", "4711", 1);
    const auto wish = Watchdog::take_wish();
    ASSERT_TRUE(wish);
    EXPECT_EQ(wish->socket, "/run/systemd/notify");
    EXPECT_EQ(wish->limit, 60s);
    EXPECT_EQ(wish->main, 4711);
    for (const char* const name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
        EXPECT_EQ(std::getenv(name), nullptr) << name;
    }
    EXPECT_FALSE(Watchdog::take_wish());
    ::setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1);
    EXPECT_FALSE(Watchdog::take_wish()) << "it is not watched";
    ::setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1);
    ::setenv("WATCHDOG_USEC", "0", 1);
    EXPECT_FALSE(Watchdog::take_wish());
}

TEST(WatchdogTest, SignsAreInTheNameOfTheMainProcess) {
    ASSERT_EQ(::geteuid(), 0U) << "this test needs root";
    SystemdsSocket systemd;
    QbLoop loop;
    const auto watchdog = Watchdog::start(loop, {systemd.path, 40ms, ::getppid()});
    ASSERT_TRUE(watchdog) << watchdog.error().detail;
    run_for(loop, 50ms);
    EXPECT_GE(systemd.signs(), 2);
    EXPECT_EQ(systemd.senders, std::set{::getppid()});
}

TEST(WatchdogTest, WhoMayNotSpeakForTheMainProcessDoesNotStart) {
    ASSERT_EQ(::geteuid(), 0U) << "this test needs root";
    const SystemdsSocket systemd;
    ASSERT_EQ(::chmod(systemd.path.c_str(), 0666), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        QbLoop loop;
        const bool is_unprivileged = ::setuid(65534) == 0;
        const auto watchdog = Watchdog::start(loop, {systemd.path, 1s, ::getppid()});
        ::_exit(is_unprivileged && !watchdog &&
                        watchdog.error().detail.find("Operation not permitted") != std::string::npos
                    ? 0
                    : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST(WatchdogTest, WithoutASystemdItDoesNotStart) {
    QbLoop loop;
    EXPECT_FALSE(Watchdog::start(loop, {"/nowhere/notify", 1s, ::getpid()}));
}

}  // namespace watchdog_test
}  // namespace vpnha::adapters
