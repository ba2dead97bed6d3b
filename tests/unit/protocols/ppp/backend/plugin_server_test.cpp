// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/backend/plugin_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "support/temporary_path.hpp"
#include "unit/host/os/in_loop.hpp"
#include "unit/protocols/ppp/backend/plugin_sample.hpp"

namespace vpnha::adapters {
namespace plugin_server_test {

using testing::ElementsAre;

class PluginServerTest : public testing::Test {
  protected:
    void SetUp() override {
        PluginListener listener;
        listener.on_up = [this](PluginClientId id, const PluginSessionUp& up) {
            notify("up " + up.facts.user);
            if (up.facts.user == "mallory") {
                server_->end(id);
                return;
            }
            server_->answer(id, up.facts.user == "alice" ? "" : "no standby");
        };
        listener.on_down = [this](PluginClientId, const PluginSessionDown&) { notify("down"); };
        listener.on_gone = [this](PluginClientId id, bool announced) {
            notify(announced ? "ended" : "killed");
            server_->answer(id, "nobody hears this");
        };
        listener.on_malformed = [this](pid_t pid, const Error& error) {
            EXPECT_EQ(pid, ::getpid());
            EXPECT_FALSE(error.detail.empty());
            notify("malformed");
        };
        Result<std::unique_ptr<PluginServer>> opened =
            PluginServer::open(loop_, path_, std::move(listener));
        ASSERT_TRUE(opened.has_value()) << opened.error().detail;
        server_ = std::move(*opened);
    }

    [[nodiscard]] UniqueFd connect() const {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path_.data(), path_.size());
        UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET, 0));
        const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
        if (::connect(fd.get(), generic, sizeof(address)) != 0) {
            fd.reset();
        }
        return fd;
    }

    static void send(const UniqueFd& fd, const Bytes& bytes) {
        EXPECT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
    }

    static Bytes receive(const UniqueFd& fd) {
        Bytes bytes(VPNHA_MESSAGE_BYTES_MAX);
        const ssize_t length = ::recv(fd.get(), bytes.data(), bytes.size(), 0);
        bytes.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
        return bytes;
    }

    void notify(std::string event) {
        events_.push_back(std::move(event));
        ++notified_;
    }

    // Waits until the server has handled everything that was sent before.
    void wait_for(std::size_t events) const {
        while (notified_ < events) {
            std::this_thread::yield();
        }
    }

    std::string path_ = temporary_path("pppd.sock");
    QbLoop loop_;
    std::unique_ptr<PluginServer> server_;
    std::vector<std::string> events_;
    std::atomic<std::size_t> notified_ = 0;  // Their number, for the client's thread.
};

TEST_F(PluginServerTest, ReportsTheWholeLifeOfASession) {
    run_while(loop_, [&] {
        UniqueFd pppd = connect();
        send(pppd, encoded(sample_session()));
        EXPECT_EQ(receive(pppd), encode_plugin_verdict(""));
        Bytes bytes(VPNHA_MESSAGE_BYTES_MAX);
        bytes.resize(vpnha_encode_session_down(1, nullptr, bytes.data()));
        send(pppd, bytes);
        bytes.resize(vpnha_encode_exit(bytes.data()));
        send(pppd, bytes);
        pppd.reset();
        wait_for(3);
    });
    EXPECT_THAT(events_, ElementsAre("up alice", "down", "ended"));
}

TEST_F(PluginServerTest, AKilledPppdIsDistinguished) {
    run_while(loop_, [&] {
        UniqueFd pppd = connect();
        vpnha_session session = sample_session();
        std::snprintf(session.user, sizeof session.user, "bob");
        send(pppd, encoded(session));
        EXPECT_EQ(receive(pppd), encode_plugin_verdict("no standby"));
        pppd.reset();
        wait_for(2);
    });
    EXPECT_THAT(events_, ElementsAre("up bob", "killed"));
}

TEST_F(PluginServerTest, ASessionIsEndedByItsPppd) {
    int status = 0;
    run_while(loop_, [&] {
        vpnha_session session = sample_session();
        std::snprintf(session.user, sizeof session.user, "mallory");
        const Bytes up = encoded(session);
        const pid_t pppd = ::fork();
        if (pppd == 0) {
            const UniqueFd fd = connect();
            send(fd, up);
            ::pause();
            ::_exit(0);
        }
        EXPECT_EQ(::waitpid(pppd, &status, 0), pppd);
        wait_for(2);
    });
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST_F(PluginServerTest, ReportsNothingOfWhoNeverHadASession) {
    run_while(loop_, [&] {
        UniqueFd pppd = connect();
        Bytes bytes(VPNHA_MESSAGE_BYTES_MAX);
        bytes.resize(vpnha_encode_session_down(1, nullptr, bytes.data()));
        send(pppd, bytes);
        pppd.reset();
        pppd = connect();
        send(pppd, encoded(sample_session()));
        pppd.reset();
        wait_for(2);
    });
    EXPECT_THAT(events_, ElementsAre("up alice", "killed"));
}

TEST_F(PluginServerTest, ClosesOnWhatDoesNotParse) {
    run_while(loop_, [&] {
        for (const Bytes& bad : {Bytes{0, 1, 1, 0}, Bytes(5000), Bytes{7}}) {
            const UniqueFd pppd = connect();
            send(pppd, bad);
            EXPECT_TRUE(receive(pppd).empty());
        }
    });
    EXPECT_EQ(server_->counters().malformed, 3U);
    EXPECT_THAT(events_, ElementsAre("malformed", "malformed", "malformed"));
}

TEST_F(PluginServerTest, AcceptsRootOnly) {
    ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);
    run_while(loop_, [&] {
        ASSERT_EQ(::syscall(SYS_setresuid, 65'534, 65'534, 65'534), 0);
        const UniqueFd pppd = connect();
        ASSERT_TRUE(pppd);
        EXPECT_TRUE(receive(pppd).empty());
    });
    EXPECT_EQ(server_->counters().refused, 1U);
}

}  // namespace plugin_server_test
}  // namespace vpnha::adapters
