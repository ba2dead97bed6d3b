// SPDX-License-Identifier: GPL-2.0-or-later
// Requests of a RADIUS server by UDP, and what becomes of them.
#include "services/accounting/backend/authorization_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "support/radius_builder.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace authorization_server_test {

using ::testing::HasSubstr;

constexpr std::string_view kSecret = "a secret";
constexpr int kDisconnect = 40;
constexpr Ipv4Address kLoopback{INADDR_LOOPBACK};

sockaddr_in name_of(Ipv4Address address, std::uint16_t port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(address.value);
    name.sin_port = htons(port);
    return name;
}

// Nobody's at present.
std::uint16_t free_port() {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM, 0));
    sockaddr_in name = name_of(kLoopback, 0);
    socklen_t length = sizeof name;
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&name), length), 0);
    EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &length), 0);
    return ntohs(name.sin_port);
}

std::uint32_t unix_s() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

RadiusBuilder disconnect(const std::string& session = "1", int id = 7) {
    return RadiusBuilder(kDisconnect, id).add(44, session);
}

class AuthorizationServerTest : public ::testing::Test {
  protected:
    void SetUp() override {
        settings_.secret_file = temporary_path("radius.secret");
        settings_.dynamic_authorization_port = free_port();
        settings_.accounting_servers = {{kLoopback, 1813}};
        std::ofstream(settings_.secret_file) << kSecret << "\n";
        ASSERT_EQ(::chmod(settings_.secret_file.c_str(), 0600), 0);
        open();
    }
    void TearDown() override { ::unlink(settings_.secret_file.c_str()); }
    void open() {
        server_.reset();
        auto opened = AuthorizationServer::open(
            loop_, settings_, [this](const AuthorizationRequest& request, const Ipv4Endpoint&) {
                asked_.push_back(request.identity.session.value_or(""));
                return refusal_;
            });
        ASSERT_TRUE(opened.has_value()) << opened.error().detail;
        server_ = std::move(*opened);
    }
    // What the client hears, asking one of the node's addresses; empty: nothing.
    Bytes ask(const Bytes& request, Ipv4Address node = kLoopback, Ipv4Address client = kLoopback) {
        const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
        const sockaddr_in own = name_of(client, 0);
        EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
        const sockaddr_in to = name_of(node, settings_.dynamic_authorization_port);
        // Connected: what another address of the node says is not heard.
        EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
        EXPECT_GE(::send(socket.get(), request.data(), request.size(), 0), 0);
        loop_.set_timer(1, QbLoop::now() + std::chrono::milliseconds(50), [this] { loop_.stop(); });
        loop_.run();
        Bytes answer(8192);
        const ssize_t got = ::recv(socket.get(), answer.data(), answer.size(), 0);
        answer.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
        return answer;
    }
    RadiusAnswer answer_to(const Bytes& request, Ipv4Address node = kLoopback) {
        return read_answer(request, ask(request, node), kSecret);
    }
    [[nodiscard]] const AuthorizationCounters& counters() const { return server_->counters(); }

    QbLoop loop_;
    config::Radius settings_;
    std::unique_ptr<AuthorizationServer> server_;
    std::vector<std::string> asked_;
    std::optional<AuthorizationServer::Refusal> refusal_;
};

TEST_F(AuthorizationServerTest, AnswersWithWhatBecameOfIt) {
    EXPECT_EQ(answer_to(disconnect().signed_with(kSecret)).code, 41);
    refusal_ = {ErrorCause::session_not_found, "nobody has it"};
    const RadiusAnswer nak = answer_to(disconnect("2").signed_with(kSecret));
    EXPECT_EQ(nak.code, 42);
    EXPECT_EQ(nak.error_cause(), 503U);
    EXPECT_EQ(asked_, (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(counters().disconnects, 2U);
    EXPECT_EQ(counters().acks, 1U);
    EXPECT_EQ(counters().naks.at(ErrorCause::session_not_found), 1U);
}

// A node has its own addresses, and the VIPs of gateways.
TEST_F(AuthorizationServerTest, AnswersFromTheAddressThatWasAsked) {
    EXPECT_EQ(answer_to(disconnect().signed_with(kSecret), Ipv4Address{0x7f000005}).code, 41);
}

TEST_F(AuthorizationServerTest, TheSameRequestIsActedUponOnce) {
    const Bytes request = disconnect().signed_with(kSecret);
    const Bytes answer = ask(request);
    EXPECT_EQ(read_answer(request, answer, kSecret).code, 41);
    refusal_ = {ErrorCause::session_not_found, ""};
    EXPECT_EQ(ask(request), answer);
    EXPECT_EQ(asked_.size(), 1U);
    EXPECT_EQ(counters().repeated, 1U);
    EXPECT_EQ(counters().acks, 1U);
    // Another one of the same number is not the same.
    EXPECT_EQ(answer_to(disconnect("2").signed_with(kSecret)).code, 42);
}

TEST_F(AuthorizationServerTest, DropsWhatIsNotFromWhoKnowsTheSecret) {
    EXPECT_EQ(ask(disconnect().signed_with("another")), Bytes());
    EXPECT_EQ(counters().forged, 1U);
    EXPECT_EQ(ask(disconnect().authenticated(kSecret)), Bytes());
    EXPECT_EQ(counters().is_unsigned, 1U);
    EXPECT_EQ(ask(disconnect().add(80, Md5{}).authenticated(kSecret)), Bytes());
    EXPECT_EQ(counters().forged, 2U);
    EXPECT_EQ(ask({40, 7, 0, 20}), Bytes());
    EXPECT_EQ(ask({}), Bytes());
    EXPECT_EQ(counters().malformed, 2U);
    Bytes padded = disconnect().signed_with(kSecret);
    padded.resize(5000);
    EXPECT_EQ(read_answer(padded, ask(padded), kSecret).code, 41) << "only the length counts";
    EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(AuthorizationServerTest, DropsWhatIsFromElsewhere) {
    const Ipv4Address other{0x7f000002};
    EXPECT_EQ(ask(disconnect().signed_with(kSecret), kLoopback, other), Bytes());
    EXPECT_EQ(counters().strangers, 1U);
    settings_.dynamic_authorization_clients = {IpAddress(other)};
    open();
    EXPECT_NE(ask(disconnect().signed_with(kSecret), kLoopback, other), Bytes());
    EXPECT_EQ(ask(disconnect("2").signed_with(kSecret)), Bytes());
}

TEST_F(AuthorizationServerTest, DropsWhatWasMadeLongAgo) {
    const auto window = static_cast<std::uint32_t>(kRequestWindow.count());
    const auto made = [](std::uint32_t at) {
        return RadiusBuilder(kDisconnect).add(1, "alice").add(55, at).signed_with(kSecret);
    };
    for (const std::uint32_t at : {unix_s() - window - 2, unix_s() + window + 2, 0U, 0xffffffffU}) {
        EXPECT_EQ(ask(made(at)), Bytes()) << at;
    }
    EXPECT_EQ(counters().stale, 4U);
    for (const std::uint32_t at : {unix_s() - window + 5, unix_s() + window - 5, unix_s()}) {
        EXPECT_EQ(answer_to(made(at)).code, 41) << at;
    }
}

TEST_F(AuthorizationServerTest, RefusesWhatIsForAnotherNasOrHasAFlaw) {
    EXPECT_EQ(answer_to(disconnect().add(32, "vpnha").signed_with(kSecret)).code, 41);
    EXPECT_EQ(answer_to(disconnect().add(32, "other").signed_with(kSecret)).error_cause(), 403U);
    EXPECT_EQ(answer_to(disconnect().add(27, 60).signed_with(kSecret)).error_cause(), 401U);
    EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(AuthorizationServerTest, ReportsWhyItCannotListen) {
    const auto second = AuthorizationServer::open(loop_, settings_, nullptr);
    ASSERT_FALSE(second.has_value());
    EXPECT_THAT(second.error().detail,
                HasSubstr(std::to_string(settings_.dynamic_authorization_port)));
    settings_.secret_file = "/nonexistent";
    const auto without = AuthorizationServer::open(loop_, settings_, nullptr);
    ASSERT_FALSE(without.has_value());
    EXPECT_THAT(without.error().detail, HasSubstr("no such file"));
}

TEST(AnswerMemoryTest, KnowsTheNewestForAWhile) {
    const auto request = [](std::size_t number) {
        AnswerMemory::Request made{kLoopback, {}};
        made.authenticator[0] = static_cast<std::uint8_t>(number);
        made.authenticator[1] = static_cast<std::uint8_t>(number >> 8);
        return made;
    };
    AnswerMemory memory;
    const TimePoint begin{std::chrono::hours(1)};
    for (std::size_t i = 0; i < kAnswersMax; ++i) {
        memory.put(request(i), {static_cast<std::uint8_t>(i)}, begin);
    }
    EXPECT_EQ(*memory.find(request(0), begin), Bytes{0});
    EXPECT_EQ(memory.find({Ipv4Address{1}, request(0).authenticator}, begin), nullptr);
    memory.put(request(kAnswersMax), {1}, begin + std::chrono::seconds(1));
    EXPECT_EQ(memory.find(request(0), begin), nullptr) << "the oldest went";
    const TimePoint end = begin + kAnswerKept;
    EXPECT_NE(memory.find(request(1), end), nullptr);
    EXPECT_EQ(memory.find(request(1), end + std::chrono::milliseconds(1)), nullptr);
    EXPECT_NE(memory.find(request(kAnswersMax), end), nullptr);
}

}  // namespace authorization_server_test
}  // namespace vpnha::adapters
