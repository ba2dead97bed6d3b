// SPDX-License-Identifier: GPL-2.0-or-later
// Accounting-Requests as a server of this test reads them from UDP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/limits.hpp"
#include "host/os/unique_fd.hpp"
#include "services/accounting/backend/accounting_client.hpp"
#include "services/accounting/backend/accounting_packet.hpp"
#include "services/accounting/backend/traffic_reader.hpp"
#include "services/accounting/work.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace accounting_test {

using node::AccountingRequest;
using node::AccountingResult;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = AccountingRequest::Kind;

constexpr const char* kSecret = "a secret, of blanks: and commas";

std::array<std::uint8_t, 16> md5(const Bytes& octets) {
    std::array<std::uint8_t, 16> digest{};
    EVP_Digest(octets.data(), octets.size(), digest.data(), nullptr, EVP_md5(), nullptr);
    return digest;
}

// RFC 2866: answers each request with its own secret, or does not answer. The first answer comes
// when there are `gathered` requests.
class Server {
  public:
    explicit Server(std::string secret, bool silent = false, std::size_t gathered = 1)
        : secret_(std::move(secret)),
          silent_(silent),
          gathered_(gathered),
          fd_(::socket(AF_INET, SOCK_DGRAM, 0)) {
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof name;
        EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&name), length), 0);
        EXPECT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&name), &length), 0);
        endpoint_ = {Ipv4Address{INADDR_LOOPBACK}, ntohs(name.sin_port)};
        thread_ = std::thread([this] { serve(); });
    }
    ~Server() {
        ::shutdown(fd_.get(), SHUT_RDWR);
        thread_.join();
    }
    [[nodiscard]] Ipv4Endpoint endpoint() const { return endpoint_; }
    // By the attribute's number, in their order.
    using Attributes = std::multimap<int, Bytes>;
    [[nodiscard]] std::vector<Attributes> requests() {
        const std::lock_guard lock(mutex_);
        return requests_;
    }
    [[nodiscard]] std::set<std::uint8_t> identifiers() {
        const std::lock_guard lock(mutex_);
        return identifiers_;
    }

  private:
    void serve() {
        Bytes buffer(4096);
        while (true) {
            sockaddr_in from{};
            socklen_t length = sizeof from;
            const ssize_t got = ::recvfrom(fd_.get(), buffer.data(), buffer.size(), 0,
                                           reinterpret_cast<sockaddr*>(&from), &length);
            if (got < 20) {
                return;
            }
            note(ByteView(buffer).first(static_cast<std::size_t>(got)));
            if (silent_) {
                continue;
            }
            unanswered_.emplace_back(from, answer_to(ByteView(buffer).first(20)));
            if (requests().size() < gathered_) {
                continue;
            }
            for (const auto& [to, answer] : std::exchange(unanswered_, {})) {
                ::sendto(fd_.get(), answer.data(), answer.size(), 0,
                         reinterpret_cast<const sockaddr*>(&to), sizeof to);
            }
        }
    }
    void note(ByteView request) {
        ByteWriter writer;
        writer.bytes(request.first(4)).u64(0).u64(0).bytes(request.subspan(20));
        const Bytes signed_octets = std::move(writer.bytes(to_bytes(kSecret))).take();
        const auto digest = md5(signed_octets);
        EXPECT_TRUE(std::equal(digest.begin(), digest.end(), request.begin() + 4));
        ByteReader reader(request.subspan(20));
        Attributes attributes;
        while (reader.remaining() > 2) {
            const int type = reader.u8();
            const ByteView value = reader.take(reader.u8() - 2U);
            attributes.emplace(type, Bytes(value.begin(), value.end()));
        }
        const std::lock_guard lock(mutex_);
        identifiers_.insert(request[1]);
        requests_.push_back(std::move(attributes));
    }
    [[nodiscard]] Bytes answer_to(ByteView header) const {
        Bytes answer(header.begin(), header.end());
        answer[0] = 5;
        answer[2] = 0;
        answer[3] = 20;
        Bytes signed_octets = answer;
        signed_octets.insert(signed_octets.end(), secret_.begin(), secret_.end());
        const auto digest = md5(signed_octets);
        std::copy(digest.begin(), digest.end(), answer.begin() + 4);
        return answer;
    }

    std::string secret_;
    bool silent_;
    std::size_t gathered_;
    std::vector<std::pair<sockaddr_in, Bytes>> unanswered_;  // The thread's.
    UniqueFd fd_;
    Ipv4Endpoint endpoint_;
    std::mutex mutex_;
    std::vector<Attributes> requests_;
    std::set<std::uint8_t> identifiers_;
    std::thread thread_;
};

class AccountingTest : public ::testing::Test {
  protected:
    void SetUp() override {
        settings_.secret_file = temporary_path("radius.secret");
        settings_.timeout = std::chrono::seconds(1);
        settings_.retries = 0;
        write_secret(kSecret);
    }
    void TearDown() override { ::unlink(settings_.secret_file.c_str()); }
    void write_secret(const std::string& secret, mode_t mode = 0600) {
        std::ofstream(settings_.secret_file) << secret << "\nnot a part of it\n";
        ASSERT_EQ(::chmod(settings_.secret_file.c_str(), mode), 0);
    }
    AccountingServers::Answer ask(const std::vector<Ipv4Endpoint>& servers,
                                  const AccountingRequest& request) {
        settings_.accounting_servers = servers;
        auto opened = AccountingServers::open(settings_);
        EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().detail);
        return opened ? opened->ask(request, 1) : AccountingServers::Answer{};
    }
    std::string error_of_open() {
        const auto opened = AccountingServers::open(settings_);
        return opened ? "" : opened.error().detail;
    }

    config::Radius settings_;
};

AccountingRequest stop() {
    AccountingRequest request;
    request.kind = Kind::stop;
    request.tunnel_type = 1;
    request.session = "6955b900-1-7.2-3";
    request.user = "alice";
    request.classes = {Bytes{'a', 0, 'b'}};
    request.address = Ipv4Address{0x0ac81005};
    request.peer = IpAddress(Ipv4Address{0xc0000233});
    request.delay_s = 7;
    request.traffic = {(std::uint64_t{3} << 32) + 5, 6, 7, 8};
    request.seconds = 300;
    request.cause = EndCause::lost_carrier;
    return request;
}

Bytes number(std::uint32_t value) {
    ByteWriter writer;
    writer.u32(value);
    return std::move(writer).take();
}

Bytes text(std::string_view value) {
    return {value.begin(), value.end()};
}

TEST_F(AccountingTest, AStopHasAllThatIsKnown) {
    Server server(kSecret);
    const auto answer = ask({server.endpoint()}, stop());
    EXPECT_EQ(answer.result, AccountingResult::answered);
    EXPECT_EQ(answer.server, to_string(server.endpoint()));
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 1U);
    const std::map<int, Bytes> expected{{40, number(2)},          {44, text("6955b900-1-7.2-3")},
                                        {1, text("alice")},       {25, Bytes{'a', 0, 'b'}},
                                        {32, text("vpnha")},      {61, number(5)},
                                        {6, number(2)},           {7, number(1)},
                                        {8, number(0x0ac81005)},  {64, Bytes{0, 0, 0, 1}},
                                        {66, text("192.0.2.51")}, {31, text("192.0.2.51")},
                                        {41, number(7)},          {46, number(300)},
                                        {42, number(5)},          {52, number(3)},
                                        {43, number(6)},          {53, number(0)},
                                        {47, number(7)},          {48, number(8)},
                                        {49, number(2)},          {4, number(INADDR_LOOPBACK)}};
    for (const auto& [type, value] : expected) {
        ASSERT_EQ(requests[0].count(type), 1U) << type;
        EXPECT_EQ(requests[0].find(type)->second, value) << type;
    }
}

TEST_F(AccountingTest, AnEventsTimeIsReckonedFromNow) {
    const auto packet = encode_accounting(stop(), {"vpnha", Ipv4Address{1}}, 1, {}, 1'767'225'607);
    ASSERT_TRUE(packet.has_value());
    const Bytes timestamp{55, 6, 0x69, 0x55, 0xb9, 0x00};  // 7 s before.
    EXPECT_FALSE(std::ranges::search(*packet, timestamp).empty());
}

TEST_F(AccountingTest, AStartHasNoCounters) {
    Server server(kSecret);
    AccountingRequest start = stop();
    start.kind = Kind::start;
    start.tunnel_type = 3;
    start.user = "";
    ask({server.endpoint()}, start);
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 1U);
    for (const int type : {1, 42, 43, 46, 47, 48, 49, 52, 53, 96, 97, 123}) {
        EXPECT_EQ(requests[0].count(type), 0U) << type;
    }
    EXPECT_EQ(requests[0].find(64)->second, (Bytes{0, 0, 0, 3}));
}

TEST_F(AccountingTest, WhatIsNotKnownOfASessionWithoutPppIsNotSent) {
    Server server(kSecret);
    AccountingRequest request = stop();
    request.is_ppp = false;
    request.tunnel_type = 0;
    request.traffic = {5, 6, 0, 0};
    request.address = {};
    request.peer = *parse_ip("2001:db8::51");
    ask({server.endpoint()}, request);
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 1U);
    for (const int type : {7, 8, 47, 48, 64}) {
        EXPECT_EQ(requests[0].count(type), 0U) << type;
    }
    EXPECT_EQ(requests[0].find(31)->second, text("2001:db8::51"));
    EXPECT_EQ(requests[0].find(42)->second, number(5));
}

TEST_F(AccountingTest, AnAddressOfIpv6IsSentBesideThatOfIpv4) {
    Server server(kSecret);
    AccountingRequest request = stop();
    request.address6 = parse_ip("2001:db8:200::7")->v6();
    ask({server.endpoint()}, request);
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].find(8)->second, number(0x0ac81005));
    ASSERT_EQ(requests[0].count(168), 1U) << "RFC 6911 2.1";
    EXPECT_EQ(to_hex(requests[0].find(168)->second), "20010db8020000000000000000000007");
}

TEST_F(AccountingTest, PrefixesAndTheIdentifierOfIpv6AreSent) {
    Server server(kSecret);
    AccountingRequest request = stop();
    request.prefixes = {{RadiusPrefix::Kind::framed, *parse_ip_prefix("2001:db8:200:7::/64")},
                        {RadiusPrefix::Kind::delegated, *parse_ip_prefix("2001:db8:51::/48")}};
    request.identifier = 0x0102030405060708;
    ask({server.endpoint()}, request);
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 1U);
    for (const auto& [type, value] : {std::pair{97, "004020010db8020000070000000000000000"},
                                      {123, "003020010db8005100000000000000000000"},
                                      {96, "0102030405060708"}}) {
        ASSERT_EQ(requests[0].count(type), 1U) << type;
        EXPECT_EQ(to_hex(requests[0].find(type)->second), value);
    }
}

TEST_F(AccountingTest, PacketsThatAreCountedWithoutPppAreSent) {
    Server server(kSecret);
    AccountingRequest request = stop();
    request.is_ppp = false;
    request.traffic = {5, 6, 0, 8};
    ask({server.endpoint()}, request);
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].count(7), 0U) << "Framed-Protocol";
    EXPECT_EQ(requests[0].find(47)->second, number(0));
    EXPECT_EQ(requests[0].find(48)->second, number(8));
}

TEST_F(AccountingTest, TheNextServerIsAskedWhereOneIsSilentOrHasAnotherSecret) {
    Server silent(kSecret, true);
    Server foreign("another secret");
    Server good(kSecret);
    const auto answer = ask({silent.endpoint(), foreign.endpoint(), good.endpoint()}, stop());
    EXPECT_EQ(answer.result, AccountingResult::answered);
    EXPECT_EQ(answer.server, to_string(good.endpoint()));
    EXPECT_GT(answer.took, Duration{});
    EXPECT_LT(answer.took, settings_.timeout) << "what the silent one took is not in it";
    EXPECT_FALSE(silent.requests().empty());
    EXPECT_FALSE(foreign.requests().empty());
}

TEST_F(AccountingTest, WhereNobodyAnswersItReportsWhy) {
    Server silent(kSecret, true);
    auto answer = ask({silent.endpoint()}, stop());
    EXPECT_EQ(answer.result, AccountingResult::silent);
    EXPECT_THAT(answer.server, HasSubstr("is silent"));
    // The kernel refuses that address.
    answer = ask({{Ipv4Address{INADDR_BROADCAST}, 1813}}, stop());
    EXPECT_EQ(answer.result, AccountingResult::silent);
    EXPECT_THAT(answer.server, HasSubstr("cannot be asked"));
    Server foreign("another secret");
    answer = ask({foreign.endpoint()}, stop());
    EXPECT_EQ(answer.result, AccountingResult::failed);
    EXPECT_THAT(answer.server, HasSubstr("another secret"));
}

TEST_F(AccountingTest, TheSecretIsForRootAlone) {
    write_secret(kSecret, 0640);
    EXPECT_THAT(error_of_open(), HasSubstr("chmod 0600"));
    for (const std::string& bad : {std::string(), std::string(129, 'x')}) {
        write_secret(bad);
        EXPECT_THAT(error_of_open(), HasSubstr("1 to 128 octets"));
    }
    settings_.secret_file = "/nonexistent";
    EXPECT_THAT(error_of_open(), HasSubstr("no such file"));
}

TEST_F(AccountingTest, TheLoopContinuesMeanwhile) {
    Server silent(kSecret, true);
    settings_.accounting_servers = {silent.endpoint()};
    QbLoop loop;
    std::vector<std::string> notified;
    auto client =
        AccountingClient::start(loop, std::move(*AccountingServers::open(settings_)),
                                [&](GatewayId gateway, const node::AccountingAnswered& answer) {
                                    EXPECT_EQ(gateway, GatewayId{3});
                                    notified.push_back(answer.ticket == 7 ? "answer" : "?");
                                    loop.stop();
                                });
    TrafficReader reader(loop, [&](GatewayId gateway, const node::TrafficRead& read) {
        EXPECT_EQ(gateway, GatewayId{3});
        notified.push_back(read.ticket == 8 ? "traffic" : "?");
    });
    ASSERT_TRUE(client.has_value());
    (*client)->send({GatewayId{3}, 7, stop()});
    reader.read({GatewayId{3}, 8});
    loop.run();
    EXPECT_THAT(notified, ElementsAre("traffic", "answer"));
}

// None of them has an answer before all are there.
TEST_F(AccountingTest, EightAreUnderWayEachWithItsIdentifier) {
    Server server(kSecret, false, limits::kAccountsUnderWay);
    settings_.accounting_servers = {server.endpoint()};
    QbLoop loop;
    std::set<std::uint64_t> answered;
    auto client = AccountingClient::start(loop, std::move(*AccountingServers::open(settings_)),
                                          [&](GatewayId, const node::AccountingAnswered& answer) {
                                              EXPECT_EQ(answer.result, AccountingResult::answered);
                                              answered.insert(answer.ticket);
                                              if (answered.size() == limits::kAccountsUnderWay) {
                                                  loop.stop();
                                              }
                                          });
    ASSERT_TRUE(client.has_value());
    for (std::uint64_t ticket = 1; ticket <= limits::kAccountsUnderWay; ++ticket) {
        (*client)->send({GatewayId{3}, ticket, stop()});
    }
    loop.run();
    EXPECT_EQ(server.requests().size(), limits::kAccountsUnderWay);
    EXPECT_EQ(server.identifiers().size(), limits::kAccountsUnderWay);
}

// As when the threads had no processor for a while. Another gateway's do not wait for them.
TEST_F(AccountingTest, WhatPiledUpLeavesAtTheRateOfItsGateway) {
    Server server(kSecret);
    settings_.accounting_servers = {server.endpoint()};
    settings_.requests_per_second = 20;
    constexpr std::size_t kRequests = 5;
    QbLoop loop;
    std::vector<GatewayId> answered;
    auto client = AccountingClient::start(loop, std::move(*AccountingServers::open(settings_)),
                                          [&](GatewayId gateway, const node::AccountingAnswered&) {
                                              answered.push_back(gateway);
                                              if (answered.size() == kRequests + 1) {
                                                  loop.stop();
                                              }
                                          });
    ASSERT_TRUE(client.has_value());
    const TimePoint begun = QbLoop::now();
    for (std::uint64_t ticket = 1; ticket <= kRequests; ++ticket) {
        (*client)->send({GatewayId{3}, ticket, stop()});
    }
    (*client)->send({GatewayId{4}, kRequests + 1, stop()});
    loop.run();
    EXPECT_GE(QbLoop::now() - begun, (kRequests - 1) * std::chrono::milliseconds(50));
    EXPECT_NE(answered.back(), GatewayId{4});
}

// Of this process.
std::ptrdiff_t threads() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

// Whose thread would call libcrypto while the process's exit takes it down.
TEST_F(AccountingTest, ItsEndCutsARequestShortAndLeavesNoThread) {
    Server silent(kSecret, true);
    settings_.timeout = std::chrono::seconds(30);
    settings_.accounting_servers = {silent.endpoint()};
    QbLoop loop;
    const std::ptrdiff_t before = threads();
    auto client = AccountingClient::start(loop, std::move(*AccountingServers::open(settings_)),
                                          [](GatewayId, const node::AccountingAnswered&) {});
    ASSERT_TRUE(client.has_value());
    (*client)->send({GatewayId{3}, 7, stop()});
    const TimePoint begun = QbLoop::now();
    while (silent.requests().empty() && QbLoop::now() - begun < std::chrono::seconds(5)) {
        ::poll(nullptr, 0, 1);
    }
    EXPECT_EQ(silent.requests().size(), 1U);
    client->reset();
    EXPECT_LT(QbLoop::now() - begun, std::chrono::seconds(15));
    EXPECT_EQ(threads(), before);
}

}  // namespace accounting_test
}  // namespace vpnha::adapters
