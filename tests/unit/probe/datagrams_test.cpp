// SPDX-License-Identifier: GPL-2.0-or-later
// Exchanges over loopback, with a server that a thread plays.
#include "probe/datagrams.hpp"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>

#include <array>
#include <deque>
#include <thread>
#include <utility>

#include "host/os/unique_fd.hpp"

namespace vpnha::probe {
namespace datagrams_test {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Asks "one", then "two"; each is answered by its own text. "no" is a refusal.
class Questions final : public Exchange {
  public:
    explicit Questions(Bytes first = {'o', 'n', 'e'}) : request_(std::move(first)) {}
    std::string_view step() const override { return done_ == 0 ? "one" : "two"; }
    bool is_over() const override { return done_ == 2; }
    const Bytes& request() const override { return request_; }
    Result<void> on_datagram(ByteView datagram) override {
        const std::string text = to_text(datagram);
        if (text == "no") {
            return fail(Errc::unreachable, "refuses");
        }
        if (text == step()) {
            ++done_;
            const ByteView next = to_bytes("two");
            request_.assign(next.begin(), next.end());
        }
        return {};
    }
    Bytes closing_message() const override { return {'b', 'y', 'e'}; }
    void repeat() override { ++repeated; }
    std::vector<Bytes> take_answers() override { return std::exchange(answers, {}); }

    int repeated = 0;
    std::vector<Bytes> answers;

  private:
    int done_ = 0;
    Bytes request_;
};

// Answers each datagram by the next of `answers`, until "bye" comes.
class Server {
  public:
    explicit Server(std::deque<std::string> answers)
        : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in own{};
        own.sin_family = AF_INET;
        own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof own;
        EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&own), size), 0);
        EXPECT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&own), &size), 0);
        port_ = ntohs(own.sin_port);
        thread_ = std::thread([this, answers = std::move(answers)]() mutable { serve(answers); });
    }
    ~Server() {
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    std::vector<std::string> received() {
        thread_.join();
        return received_;
    }

  private:
    void serve(std::deque<std::string>& answers) {
        pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
        while (::poll(&ready, 1, 10'000) == 1) {
            std::array<char, 100> buffer{};
            sockaddr_in from{};
            socklen_t size = sizeof from;
            const ssize_t count = ::recvfrom(fd_.get(), buffer.data(), buffer.size(), 0,
                                             reinterpret_cast<sockaddr*>(&from), &size);
            received_.emplace_back(buffer.data(), static_cast<std::size_t>(count));
            if (received_.back() == "bye") {
                return;
            }
            if (answers.empty()) {
                continue;
            }
            ::sendto(fd_.get(), answers.front().data(), answers.front().size(), 0,
                     reinterpret_cast<sockaddr*>(&from), size);
            answers.pop_front();
        }
    }

    adapters::UniqueFd fd_;
    std::uint16_t port_ = 0;
    std::vector<std::string> received_;
    std::thread thread_;
};

Outcome ask(std::uint16_t port, std::chrono::milliseconds patience) {
    Questions questions;
    const auto path = find_path("127.0.0.1", port, "127.0.0.1");
    EXPECT_TRUE(path);
    return carry_out(questions, *path, patience);
}

TEST(DatagramsTest, EachStepIsTimedAndAClosingMessageEndsIt) {
    Server server({"one", "two"});
    const Outcome outcome = ask(server.port(), 10s);
    EXPECT_FALSE(outcome.error);
    ASSERT_THAT(outcome.steps, SizeIs(2));
    EXPECT_EQ(outcome.steps[0].name, "one");
    EXPECT_EQ(outcome.steps[1].name, "two");
    EXPECT_GT(outcome.steps[0].took, 0ns);
    EXPECT_THAT(server.received(), ElementsAre("one", "two", "bye"));
}

TEST(DatagramsTest, WhatIsNotAnsweredIsAskedAgain) {
    Server server({"noise", "one", "two"});
    EXPECT_FALSE(ask(server.port(), 10s).error);
    EXPECT_THAT(server.received(), ElementsAre("one", "one", "two", "bye"));
}

TEST(DatagramsTest, OfWhatIsAskedAgainAnotherRequestMayBeMade) {
    Server server({"noise", "one", "two"});
    Questions questions;
    EXPECT_FALSE(carry_out(questions, *find_path("127.0.0.1", server.port(), ""), 10s).error);
    EXPECT_EQ(questions.repeated, 1) << "the first step once, and the second one not";
}

TEST(DatagramsTest, WhatTheServerAsksIsAnsweredFirst) {
    Server server({"one", "two"});
    Questions questions;
    questions.answers = {{'m', 'e'}};
    EXPECT_FALSE(carry_out(questions, *find_path("127.0.0.1", server.port(), ""), 10s).error);
    EXPECT_THAT(server.received(), ElementsAre("one", "me", "two", "bye"));
}

TEST(DatagramsTest, WhileTheServerSpeaksNextNothingIsSent) {
    Server server({"one"});
    Questions questions(Bytes{});
    EXPECT_TRUE(carry_out(questions, *find_path("127.0.0.1", server.port(), ""), 500ms).error);
    EXPECT_EQ(questions.repeated, 1);
    EXPECT_THAT(server.received(), ElementsAre("bye"));
}

TEST(DatagramsTest, ARefusalEndsIt) {
    Server server({"one", "no"});
    const Outcome outcome = ask(server.port(), 10s);
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->detail, "refuses");
    EXPECT_THAT(outcome.steps, SizeIs(1));
    EXPECT_THAT(server.received(), ElementsAre("one", "two", "bye"));
}

TEST(DatagramsTest, SilenceEndsInTimeAndNamesTheStep) {
    Server server({"one"});
    const Outcome outcome = ask(server.port(), 50ms);
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->code, Errc::timeout);
    EXPECT_EQ(outcome.error->detail, "two was not answered");
    EXPECT_THAT(server.received(), ElementsAre("one", "two", "bye"));
}

TEST(DatagramsTest, AClosedPortIsNamed) {
    std::uint16_t port = 0;
    {
        Server server({"no"});
        port = server.port();
        static_cast<void>(ask(port, 10s));
    }
    const Outcome outcome = ask(port, 50ms);
    ASSERT_TRUE(outcome.error);
    EXPECT_THAT(outcome.error->detail,
                AllOf(HasSubstr("one was not answered"), HasSubstr("closed")));
}

TEST(DatagramsTest, PathsAreOfOneFamily) {
    EXPECT_EQ(find_path("localhost", 1, "not an address").error().code, Errc::invalid_argument);
    EXPECT_EQ(find_path("192.0.2.1", 1, "::1").error().code, Errc::not_found);
    const auto path = find_path("::1", 1, "");
    ASSERT_TRUE(path);
    EXPECT_EQ(path->server.octets.ss_family, AF_INET6);
    EXPECT_EQ(path->source.size, 0U);
}

}  // namespace datagrams_test
}  // namespace vpnha::probe
