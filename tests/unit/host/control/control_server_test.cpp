// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/control/control_server.hpp"

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <optional>
#include <thread>

#include "base/limits.hpp"
#include "host/control/control_message.hpp"
#include "host/os/log.hpp"
#include "support/contents_of.hpp"
#include "support/temporary_path.hpp"
#include "unit/host/os/in_loop.hpp"
#include "vpnha/control.hpp"

namespace vpnha::adapters {
namespace control_server_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

// A user and a group that every Debian has and that may do nothing.
constexpr unsigned kNobody = 65'534;

class ControlServerTest : public testing::Test {
  protected:
    void start(ControlServer::Handler handler) {
        options_.path = path_;
        options_.group = "nogroup";
        Result<std::unique_ptr<ControlServer>> opened =
            ControlServer::open(loop_, options_, std::move(handler));
        ASSERT_TRUE(opened.has_value()) << opened.error().detail;
        server_ = std::move(*opened);
    }

    [[nodiscard]] Result<ControlClient> connect(milliseconds timeout = seconds(10)) const {
        return ControlClient::connect(path_, timeout);
    }

    // One request on a connection of its own.
    [[nodiscard]] Result<std::string> ask(std::string_view verb,
                                          std::string_view arguments = "{}") const {
        VPNHA_TRY(ControlClient client, connect());
        return client.request(verb, arguments);
    }

    [[nodiscard]] UniqueFd raw() const {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path_.data(), path_.size());
        UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
        const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
        EXPECT_EQ(::connect(fd.get(), generic, sizeof(address)), 0);
        return fd;
    }

    static void echo(const ControlRequest& request, ControlReply reply) {
        reply.ok({{"verb", request.verb}, {"arguments", request.arguments}, {"uid", request.uid}});
    }

    std::string path_ = temporary_path("control.sock");
    ControlServerOptions options_;
    QbLoop loop_;
    std::unique_ptr<ControlServer> server_;
};

// This thread, and no other, becomes a user without rights.
void become_nobody(gid_t gid, const std::vector<gid_t>& groups) {
    ASSERT_EQ(::syscall(SYS_setgroups, groups.size(), groups.data()), 0);
    ASSERT_EQ(::syscall(SYS_setresgid, gid, gid, gid), 0);
    ASSERT_EQ(::syscall(SYS_setresuid, kNobody, kNobody, kNobody), 0);
}

TEST_F(ControlServerTest, AnswersOneRequestAfterTheOther) {
    start(echo);
    run_while(loop_, [&] {
        Result<ControlClient> client = connect();
        ASSERT_TRUE(client.has_value());
        for (int i = 0; i < 3; ++i) {
            const Result<std::string> result = client->request("drill", R"({"x":[1]})");
            ASSERT_TRUE(result.has_value()) << result.error().detail;
            EXPECT_EQ(*result, R"({"arguments":{"x":[1]},"uid":0,"verb":"drill"})");
        }
    });
    EXPECT_EQ(server_->counters().requests, 3U);
}

TEST_F(ControlServerTest, ReportsWhenThereIsNoGroupThatMayAsk) {
    const std::string log = temporary_path("control.log");
    ASSERT_TRUE(open_log("warning", log).has_value());
    start(echo);
    server_.reset();
    EXPECT_EQ(contents_of(log), "");
    options_.group = "vpnha-no-such-group";
    options_.path = path_;
    ASSERT_TRUE(ControlServer::open(loop_, options_, echo).has_value());
    close_log();
    EXPECT_THAT(contents_of(log), HasSubstr("there is no group 'vpnha-no-such-group'"));
    ::unlink(log.c_str());
}

TEST_F(ControlServerTest, CarriesAnAnswerOfManyMegabytes) {
    const std::string large(20'000'000, 'x');
    start([&](const ControlRequest&, ControlReply reply) { reply.ok(large); });
    run_while(loop_, [&] {
        const Result<std::string> result = ask("sessions");
        ASSERT_TRUE(result.has_value()) << result.error().detail;
        EXPECT_EQ(result->size(), large.size() + 2);
    });
}

TEST_F(ControlServerTest, ErrorsOfTheHandlerKeepTheirCode) {
    start([](const ControlRequest&, ControlReply reply) {
        reply.error({Errc::not_found, "no gateway 'x'"});
    });
    run_while(loop_, [&] {
        const Result<std::string> result = ask("sessions");
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().code, Errc::not_found);
        EXPECT_EQ(result.error().detail, "no gateway 'x'");
    });
}

TEST_F(ControlServerTest, AnswersLaterAndOthersMeanwhile) {
    std::optional<ControlReply> held;
    std::atomic<bool> is_held = false;
    start([&](const ControlRequest& request, ControlReply reply) {
        if (request.verb == "slow") {
            held = std::move(reply);
            is_held = true;
        } else {
            held->ok("late");
            reply.ok("now");
        }
    });
    run_while(loop_, [&] {
        const UniqueFd slow = raw();
        const std::string request = frame(encode_control_request({"slow", {}}));
        // 'arguments' is null here: refused. The second is good.
        ASSERT_EQ(::send(slow.get(), request.data(), request.size(), 0),
                  static_cast<ssize_t>(request.size()));
        const std::string good = frame(R"({"version":1,"verb":"slow"})");
        ASSERT_EQ(::send(slow.get(), good.data(), good.size(), 0),
                  static_cast<ssize_t>(good.size()));
        std::string answers(200, '\0');
        ASSERT_GT(::recv(slow.get(), answers.data(), answers.size(), 0), 0);
        EXPECT_THAT(answers, HasSubstr("malformed"));
        while (!is_held) {
            std::this_thread::yield();
        }
        EXPECT_EQ(ask("fast").value_or(""), "\"now\"");
        answers.assign(200, '\0');
        ASSERT_GT(::recv(slow.get(), answers.data(), answers.size(), 0), 0);
        EXPECT_THAT(answers, HasSubstr("\"late\""));
    });
}

TEST_F(ControlServerTest, ClientsAndServersMayBeGoneBeforeTheAnswer) {
    std::vector<ControlReply> held;
    start([&](const ControlRequest& request, ControlReply reply) {
        if (request.verb == "keep") {
            held.push_back(std::move(reply));
        } else {
            reply.ok("");
        }
    });
    run_while(loop_, [&] {
        const Result<ControlClient> client = connect(milliseconds(50));
        ASSERT_TRUE(client.has_value());
        Result<ControlClient> impatient = connect(milliseconds(50));
        EXPECT_EQ(impatient->request("keep").error().code, Errc::timeout);
        EXPECT_EQ(impatient->request("ping").error().code, Errc::unreachable);
        EXPECT_EQ(ask("ping").value_or("?"), "\"\"");
    });
    ASSERT_EQ(held.size(), 1U);
    held.front().ok("nobody hears it");
    server_.reset();
    held.front().ok("a second answer is none");
    held.clear();
}

TEST_F(ControlServerTest, AForgottenRequestIsAnsweredWithAnError) {
    start([](const ControlRequest& request, const ControlReply&) {
        if (request.verb == "throws") {
            static_cast<void>(request.arguments.at("gateway").get<int>());
        }
    });
    run_while(loop_, [&] {
        EXPECT_FALSE(ask("forgets").has_value());
        const Result<std::string> result = ask("throws", R"({"gateway":"x"})");
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().code, Errc::invalid_argument);
    });
}

TEST_F(ControlServerTest, GroupReadsAndOnlyRootActs) {
    start(echo);
    const auto codes_as = [&](gid_t gid, const std::vector<gid_t>& groups) {
        run_while(loop_, [&] {
            become_nobody(gid, groups);
            EXPECT_TRUE(ask("status").has_value());
            const Result<std::string> denied = ask("switchover");
            ASSERT_FALSE(denied.has_value());
            EXPECT_EQ(denied.error().code, Errc::permission);
            EXPECT_THAT(denied.error().detail, HasSubstr("'switchover' takes root"));
        });
    };
    codes_as(kNobody, {});
    codes_as(1, {kNobody});
    EXPECT_EQ(server_->counters().denied, 2U);
}

TEST_F(ControlServerTest, OthersAreKeptOutByTheFileAndByTheDaemon) {
    start(echo);
    run_while(loop_, [&] {
        become_nobody(1, {});
        EXPECT_EQ(ask("status").error().code, Errc::permission);
    });
    ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);
    run_while(loop_, [&] {
        become_nobody(1, {});
        const Result<std::string> denied = ask("status");
        ASSERT_FALSE(denied.has_value());
        EXPECT_EQ(denied.error().code, Errc::permission);
        EXPECT_THAT(denied.error().detail, HasSubstr("a member of group nogroup or root"));
    });
}

TEST_F(ControlServerTest, WhatIsNoMessageEndsTheConnection) {
    start(echo);
    run_while(loop_, [&] {
        const UniqueFd client = raw();
        ASSERT_EQ(::send(client.get(), "GET / HTTP/1.1\r\n", 16, 0), 16);
        char byte = 0;
        EXPECT_LE(::recv(client.get(), &byte, 1, 0), 0);
    });
    EXPECT_EQ(server_->counters().malformed, 1U);
}

// S2: idle readers kept the agents out, which then ended vpnhad on node after node.
TEST_F(ControlServerTest, OtherUsersCannotKeepRootOut) {
    start(echo);
    run_while(loop_, [&] {
        std::vector<ControlClient> clients;
        std::thread([&] {
            become_nobody(kNobody, {});
            for (std::size_t i = 0; i < limits::kControlClientsOfUserMax; ++i) {
                Result<ControlClient> client = connect();
                ASSERT_TRUE(client.has_value());
                ASSERT_TRUE(client->request("status").has_value());
                clients.push_back(std::move(*client));
            }
            EXPECT_EQ(ask("status").error().code, Errc::busy);
        }).join();
        EXPECT_TRUE(ask("monitor").has_value());
        std::thread([&] {
            become_nobody(kNobody, {});
            clients.pop_back();
            Result<std::string> result = ask("status");
            while (!result) {  // The server may notice the leaver after the newcomer.
                ASSERT_EQ(result.error().code, Errc::busy);
                result = ask("status");
            }
        }).join();
    });
    EXPECT_GE(server_->counters().refused, 1U);
}

TEST_F(ControlServerTest, AllOthersTogetherHaveABound) {
    start(echo);
    run_while(loop_, [&] {
        std::vector<ControlClient> clients;
        const auto connect_as = [&](unsigned uid) {
            bool is_taken = false;
            std::thread([&] {
                ASSERT_EQ(::syscall(SYS_setresgid, kNobody, kNobody, kNobody), 0);
                ASSERT_EQ(::syscall(SYS_setresuid, uid, uid, uid), 0);
                Result<ControlClient> client = connect();
                is_taken = client && client->request("status").has_value();
                clients.push_back(std::move(*client));
            }).join();
            return is_taken;
        };
        for (unsigned i = 0; i < limits::kControlClientsMax; ++i) {
            ASSERT_TRUE(connect_as(60'001 + i / 4));
        }
        EXPECT_FALSE(connect_as(60'000));
        EXPECT_TRUE(ask("monitor").has_value());
    });
}

TEST_F(ControlServerTest, RootsLongestIdleConnectionGivesWayToItsNext) {
    start(echo);
    run_while(loop_, [&] {
        std::vector<ControlClient> clients;
        for (std::size_t i = 0; i < limits::kControlRootClientsMax; ++i) {
            Result<ControlClient> client = connect();
            ASSERT_TRUE(client.has_value());
            ASSERT_TRUE(client->request("ping").has_value());
            clients.push_back(std::move(*client));
        }
        ASSERT_TRUE(clients.front().request("ping").has_value());
        EXPECT_TRUE(ask("monitor").has_value());
        EXPECT_TRUE(clients.front().request("ping").has_value());
        EXPECT_FALSE(clients[1].request("ping").has_value());
        EXPECT_TRUE(clients[2].request("ping").has_value());
    });
    EXPECT_EQ(server_->counters().refused, 0U);
    EXPECT_EQ(server_->counters().dropped, 1U);
}

TEST_F(ControlServerTest, DropsWhoMakesNoProgress) {
    options_.progress_timeout = seconds(0);
    const std::string large(8'000'000, 'x');
    start([&](const ControlRequest&, ControlReply reply) { reply.ok(large); });
    run_while(loop_, [&] {
        const UniqueFd half = raw();
        ASSERT_EQ(::send(half.get(), "\0\0", 2, 0), 2);
        const UniqueFd deaf = raw();
        const std::string request = frame(R"({"version":1,"verb":"sessions"})");
        ASSERT_GT(::send(deaf.get(), request.data(), request.size(), 0), 0);
        char byte = 0;
        EXPECT_LE(::recv(half.get(), &byte, 1, 0), 0);
        pollfd waiting{deaf.get(), 0, 0};
        EXPECT_EQ(::poll(&waiting, 1, 10'000), 1);
    });
    EXPECT_EQ(server_->counters().dropped, 2U);
}

TEST_F(ControlServerTest, SecondDaemonIsRefused) {
    start(echo);
    const Result<std::unique_ptr<ControlServer>> second =
        ControlServer::open(loop_, options_, echo);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Errc::already_exists);
}

TEST(ControlClientTest, ReportsWhenNoDaemonListens) {
    const std::string path = temporary_path("nobody.sock");
    EXPECT_EQ(ControlClient::connect(path, seconds(1)).error().code, Errc::unreachable);
    EXPECT_EQ(ControlClient::connect(std::string(200, 'x'), seconds(1)).error().code,
              Errc::invalid_argument);
}

TEST(ControlClientTest, ReportsThatTheListenerStandsStill) {
    const std::string path = temporary_path("stopped.sock");
    const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    const pid_t child = ::fork();
    if (child == 0) {
        // Whoever listens last is whom clients talk to.
        ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
        ::listen(listener.get(), 1);
        ::raise(SIGSTOP);
        ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
    ASSERT_TRUE(WIFSTOPPED(status));
    const auto client = ControlClient::connect(path, seconds(10));
    ASSERT_FALSE(client.has_value());
    EXPECT_EQ(client.error().code, Errc::timeout);
    EXPECT_THAT(client.error().detail, HasSubstr(std::to_string(child)));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::unlink(path.c_str());
}

}  // namespace control_server_test
}  // namespace vpnha::adapters
