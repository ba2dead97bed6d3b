// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/data_path.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <csignal>
#include <ctime>
#include <fstream>

#include "host/os/text_file.hpp"
#include "protocols/pptp/backend/path_mailbox.hpp"
#include "protocols/pptp/backend/path_message.hpp"
#include "protocols/pptp/work.hpp"
#include "support/temporary_path.hpp"
#include "unit/protocols/pptp/backend/pptp_client.hpp"

namespace vpnha::adapters {
namespace data_path_test {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr GatewayId kNobodys{7};

class DataPathTest : public PptpClientTest {
  protected:
    [[nodiscard]] static bool has_device() { return if_nametoindex("vpnp-0") != 0; }
    // A route to the client, and the address that it knows.
    [[nodiscard]] static bool has_way() {
        return testing::output_of("ip route show table 700; ip addr show dev vpnp-0")
                   .find("10.0.0.") != std::string::npos;
    }
    // Numbers of test packets that came out of the device.
    [[nodiscard]] static std::vector<std::uint32_t> arrived(const testing::Capture& device) {
        std::vector<std::uint32_t> numbers;
        while (const auto packet = device.next(0ms)) {
            if (packet->size() >= 24) {
                numbers.push_back(ByteReader(ByteView(*packet).subspan(20)).u32());
            }
        }
        return numbers;
    }
    void expect_data_flows() {
        const testing::Capture device("vpnp-0");
        send_data(70'001);
        model_.send_data(70'002, boot_time());
        EXPECT_TRUE(run_until([&] { return !model_.data.empty(); }));
        EXPECT_THAT(model_.data, Contains(70'001U));
        std::vector<std::uint32_t> numbers;
        EXPECT_TRUE(run_until([&] { return !(numbers = arrived(device)).empty(); }));
        EXPECT_THAT(numbers, ElementsAre(70'002U));
        EXPECT_EQ(model_.undecipherable, 0U);
    }
    void expect_control_answers(std::uint32_t id) {
        received_.clear();
        emit(pptp::build_echo_request(id));
        EXPECT_TRUE(run_until([&] { return received_ == pptp::build_echo_reply(id); }))
            << to_hex(received_);
        EXPECT_FALSE(is_closed_);
    }
};

TEST_F(DataPathTest, WithFinalNumbersACallContinuesAtOnceAndWastesNone) {
    stock_sends(100);
    checkpoint();
    die();
    take_over(true);
    EXPECT_EQ(resumed_[0].how, "exact");
    expect_data_flows();
    EXPECT_THAT(gre_numbers_, Contains(101U));
    expect_control_answers(9);
    EXPECT_THAT(harm(), IsEmpty());
}

TEST_F(DataPathTest, WithOldNumbersItAsksTheClient) {
    stock_sends(100);
    stock_echo(7);
    checkpoint();
    known_.echo_id = 7;
    stock_sends(600);
    stock_echo(8);
    stock_echo(9);
    die();
    take_over(false);
    // On a busy machine the client's delayed acknowledgement comes first, and moves the ladder up.
    EXPECT_THAT(resumed_[0].how,
                AnyOf(HasSubstr("rung 2"), HasSubstr("600 packets were missed at most")));
    // Its indexes have jumped: that is told at once, should this node die as well.
    ASSERT_THAT(read_, SizeIs(1));
    EXPECT_GT(read_[0].calls.at(0).numbers.mppe_out, 700U);
    expect_data_flows();
    expect_control_answers(10);
    EXPECT_THAT(harm(), IsEmpty());
}

TEST_F(DataPathTest, AnEchoThatNobodyHasAnsweredIsAnswered) {
    stock_echo(7);
    checkpoint();
    known_.echo_id = 7;
    emit(pptp::build_echo_request(8));
    die();
    take_over(false);
    EXPECT_TRUE(run_until([&] { return received_ == pptp::build_echo_reply(8); }))
        << to_hex(received_);
    expect_data_flows();
    EXPECT_THAT(harm(), IsEmpty());
}

TEST_F(DataPathTest, WhoIsDismissedIsResetByTheKernel) {
    stock_sends(100);
    checkpoint();
    stock_echo(7);
    die();
    start_path();
    ASSERT_EQ(testing::output_of("nft flush chain ip gate out 2>&1"), "");
    pptp::ControlProbe probe(record_.tcp, known_, Duration{});
    path_->post(node::DismissCall{kGateway, record_.key, record_.tcp.timestamps,
                                  *probe.on_time(boot_time())});
    EXPECT_TRUE(run_until([&] { return is_closed_; }));
}

TEST_F(DataPathTest, APausedCallLosesNothingAndUsesNoNumber) {
    checkpoint();
    die();
    take_over(true);
    expect_data_flows();
    path_->post(node::PauseCalls{kGateway});
    run_for(50ms);
    model_.data.clear();
    gre_numbers_.clear();
    const std::uint32_t last = model_.last();
    for (std::uint32_t number = 1; number <= 5; ++number) {
        send_data(number);
    }
    const std::clock_t begun = std::clock();
    run_for(400ms);
    EXPECT_THAT(gre_numbers_, IsEmpty());
    // What waits at the device wakes nobody.
    EXPECT_LT(std::clock() - begun, CLOCKS_PER_SEC / 20);
    path_->post(node::ResumeCalls{kGateway, {record_.key}, true});
    EXPECT_TRUE(run_until([&] { return model_.data.size() == 5; }));
    EXPECT_THAT(model_.data, ElementsAre(1U, 2U, 3U, 4U, 5U));
    EXPECT_THAT(gre_numbers_, ElementsAre(last + 1, last + 2, last + 3, last + 4, last + 5));
    expect_control_answers(3);
    EXPECT_THAT(harm(), IsEmpty());
}

TEST_F(DataPathTest, WhatGoesOutWaitsUntilTheGroupKnowsTheNumbers) {
    checkpoint();
    die();
    start_path();
    prepare();
    resume(false);
    model_.data.clear();
    for (std::uint32_t number = 1; number <= 5; ++number) {
        send_data(number);
    }
    model_.send_data(9, boot_time());
    EXPECT_TRUE(run_until([&] {
        return !read_.empty() && !read_.back().calls.empty() &&
               read_.back().calls[0].numbers.mppe_in == 1;
    })) << "what comes in does not wait";
    run_for(200ms);
    EXPECT_THAT(model_.data, IsEmpty());
    path_->post(node::PauseCalls{kGateway});
    path_->post(node::ResumeCalls{kGateway, {record_.key}, false});
    run_for(100ms);
    EXPECT_THAT(model_.data, IsEmpty()) << "nor does a pause release it";
    release();
    EXPECT_TRUE(run_until([&] { return model_.data.size() == 5; }));
    EXPECT_THAT(model_.data, ElementsAre(1U, 2U, 3U, 4U, 5U));
}

TEST_F(DataPathTest, AnotherNodeContinuesWithNumbersThatWereRead) {
    checkpoint();
    die();
    take_over(true);
    expect_data_flows();
    expect_control_answers(3);
    path_->post(node::PauseCalls{kGateway});
    path_->post(node::ReadCalls{kGateway, 77});
    ASSERT_TRUE(run_until([&] { return !read_.empty() && read_.back().ticket == 77; }));
    ASSERT_THAT(read_.back().calls, SizeIs(1));
    known_ = read_.back().calls[0].numbers;
    path_.reset();
    EXPECT_FALSE(has_device());
    prepared_.clear();
    resumed_.clear();
    const std::uint32_t last = model_.last();
    model_.data.clear();
    take_over(true);
    expect_data_flows();
    EXPECT_THAT(gre_numbers_, Contains(last + 1));
    expect_control_answers(4);
    EXPECT_THAT(harm(), IsEmpty());
}

TEST_F(DataPathTest, ANodeThatHasNothingPreparedKeepsSilent) {
    start_path();
    model_.send_data(1, boot_time());
    run_for(100ms);
    EXPECT_THAT(harm(), IsEmpty());
}

TEST_F(DataPathTest, ARemovedCallGoesWithoutAWord) {
    checkpoint();
    die();
    take_over(true);
    expect_data_flows();
    EXPECT_TRUE(has_way());
    path_->post(node::RemoveCall{kGateway, record_.key});
    EXPECT_TRUE(run_until([] { return !has_way(); }));
    run_for(50ms);
    EXPECT_THAT(harm(), IsEmpty());
    EXPECT_FALSE(is_closed_);
    EXPECT_THAT(ended_, IsEmpty());
    // The next call has the same device.
    prepared_.clear();
    prepare();
    EXPECT_TRUE(has_way());
    EXPECT_EQ(if_nametoindex("vpnp-1"), 0U);
    // What it has counted is none of that call's.
    EXPECT_EQ(prepared_[0].device, if_nametoindex("vpnp-0"));
    EXPECT_GT(prepared_[0].before.packets_in, 0U);
    EXPECT_GT(prepared_[0].before.octets_out, 0U);
}

TEST_F(DataPathTest, WithIpv6cpItsDeviceHasTheLinksAddressesAndTheNetworksBehindTheClient) {
    const auto addresses = [] { return testing::output_of("ip -6 -o addr show dev vpnp-0"); };
    const auto routes = [] {
        return testing::output_of(
            "(ip route show table 700; ip -6 route show table 700) 2>/dev/null");
    };
    std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << 0;
    ASSERT_TRUE(testing::ip_command("-6 rule add from all lookup 700 pref 100"));
    record_.facts.ipv6 = {1, 2};
    record_.facts.routes = {*parse_ip_prefix("2001:db8:51::/64"),
                            *parse_ip_prefix("10.99.51.0/24")};
    checkpoint();
    die();
    take_over(true);
    EXPECT_THAT(addresses(), HasSubstr("fe80::1 peer fe80::2/128"));
    EXPECT_THAT(routes(), HasSubstr("2001:db8:51::/64 dev vpnp-0"));
    EXPECT_THAT(routes(), HasSubstr("10.99.51.0/24 dev vpnp-0"));
    model_.data.clear();
    const UniqueFd raw(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, kProtocol));
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    ASSERT_EQ(::inet_pton(AF_INET6, "2001:db8:51::7", &to.sin6_addr), 1);
    const Bytes payload{0, 0, 0, 0, 0, 1, 2, 3};  // The number is where ICMPv6 has one.
    ASSERT_EQ(::sendto(raw.get(), payload.data(), payload.size(), 0,
                       reinterpret_cast<const sockaddr*>(&to), sizeof to),
              8);
    // The kernel's own packets, as those of multicast groups, may come before it.
    EXPECT_TRUE(
        run_until([&] { return std::ranges::find(model_.data, 0x010203U) != model_.data.end(); }));
    const testing::Capture device("vpnp-0");
    const Bytes received = mppe::test::ip6_packet(9);
    model_.send_packet(received, boot_time());
    std::vector<Bytes> came;
    EXPECT_TRUE(run_until([&] {
        if (const auto packet = device.next(0ms)) {
            came.push_back(*packet);
        }
        return std::ranges::find(came, received) != came.end();
    }));
    EXPECT_EQ(model_.undecipherable, 0U);

    // The next call has the same device, and nothing of the first one's.
    path_->post(node::RemoveCall{kGateway, record_.key});
    EXPECT_TRUE(run_until([] { return !has_way(); }));
    EXPECT_EQ(addresses(), "");
    EXPECT_EQ(routes(), "");
    record_.facts.ipv6.reset();
    record_.facts.routes.clear();
    prepared_.clear();
    prepare();
    EXPECT_EQ(prepared_[0].device, if_nametoindex("vpnp-0"));
    EXPECT_EQ(addresses(), "");
}

TEST_F(DataPathTest, AMeantEndGetsItsFinWhenTheGateKnows) {
    may_end_ = false;
    checkpoint();
    die();
    take_over(true);
    Bytes stop{0, 16, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 3, 0, 0, 1, 0, 0, 0};
    emit(stop);
    ASSERT_TRUE(run_until([&] { return meant_ends_ == 1; }));
    run_for(100ms);
    EXPECT_THAT(harm(), IsEmpty());
    path_->post(DataPath::MayEnd{record_.key});
    EXPECT_TRUE(run_until([&] { return is_closed_ && !ended_.empty(); }));
    EXPECT_THAT(harm(), ElementsAre("FIN"));
    EXPECT_THAT(ended_[0].reason, HasSubstr("Stop-Control"));
    EXPECT_FALSE(has_way());
    // Stop-Control-Connection-Reply.
    ASSERT_GE(received_.size(), 16U);
    EXPECT_EQ(received_[9], 4);
}

TEST_F(DataPathTest, AnEndedCallIsReportedToTheClient) {
    checkpoint();
    die();
    take_over(true);
    expect_data_flows();
    received_.clear();
    path_->post(
        node::EndCall{kGateway, record_.key, "its time is over", EndCause::session_timeout});
    EXPECT_TRUE(run_until([&] { return is_closed_ && !ended_.empty(); }));
    EXPECT_EQ(received_, pptp::build_call_disconnect_notify(record_.key.id));
    EXPECT_THAT(harm(), ElementsAre("FIN"));
    EXPECT_EQ(ended_[0].reason, "its time is over");
    EXPECT_EQ(ended_[0].cause, EndCause::session_timeout);
    EXPECT_FALSE(has_way());
}

TEST_F(DataPathTest, ASocketThatADeadProcessLeftIsDestroyed) {
    checkpoint();
    take_over(true);  // The stock one is still there.
    expect_data_flows();
    expect_control_answers(9);
    EXPECT_THAT(harm(), IsEmpty());
}

TEST_F(DataPathTest, ItReportsNumbersThatHaveChanged) {
    checkpoint();
    die();
    take_over(true);
    expect_data_flows();
    const auto is_notified = [&] {
        return !read_.empty() && !read_.back().calls.empty() &&
               read_.back().calls[0].numbers.mppe_out == 1 &&
               read_.back().calls[0].numbers.mppe_in == 1;
    };
    EXPECT_TRUE(run_until(is_notified));
    EXPECT_EQ(read_.back().ticket, 0U);
    // Without packets there is nothing new.
    run_for(300ms);
    read_.clear();
    run_for(300ms);
    EXPECT_THAT(read_, IsEmpty());
}

// proc(5), capabilities(7). The bounding set is empty where the starter has CAP_SETPCAP, as here.
TEST_F(DataPathTest, ItsProgramHasNoPrivileges) {
    start_path();
    const std::string status = read_text(fmt::format("/proc/{}/status", path_->program()));
    for (const char* const set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
        EXPECT_THAT(status, HasSubstr(fmt::format("{}:\t0000000000000000\n", set)));
    }
    EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1\n"));
#if !defined(__SANITIZE_ADDRESS__)
    EXPECT_THAT(status, HasSubstr("Seccomp:\t2\n"));
#endif
    const std::string limits = read_text(fmt::format("/proc/{}/limits", path_->program()));
    EXPECT_THAT(limits, ContainsRegex("Max core file size +0 +0 "));
    EXPECT_EQ(read_text(fmt::format("/proc/{}/environ", path_->program())), "");
    // Streams, its socket, epoll; two sockets of the VIP.
    const std::string files = fmt::format("ls /proc/{}/fd | wc -l", path_->program());
    EXPECT_TRUE(run_until([&] { return testing::output_of(files) == "7\n"; }));
}

TEST_F(DataPathTest, TheDeathOfItsProgramIsAFailureAndNobodyLearnsOfIt) {
    checkpoint();
    die();
    take_over(true);
    expect_data_flows();
    expect_control_answers(9);
    ASSERT_EQ(::kill(path_->program(), SIGKILL), 0);
    ASSERT_TRUE(run_until([&] { return path_->failure().has_value(); }));
    EXPECT_THAT(path_->failure()->detail, HasSubstr("(signal 9)"));
    path_->post(node::ReadCalls{kGateway, 1});
    run_for(100ms);
    path_.reset();
    run_for(50ms);
    EXPECT_THAT(harm(), IsEmpty());
    EXPECT_FALSE(is_closed_);
    EXPECT_FALSE(has_device());
}

TEST_F(DataPathTest, AProgramThatHangsIsAFailureInTenSeconds) {
    start_path();
    ASSERT_EQ(::kill(path_->program(), SIGSTOP), 0);
    ASSERT_TRUE(run_until([&] { return path_->failure().has_value(); }, 15s));
    EXPECT_THAT(path_->failure()->detail, HasSubstr("has not answered for 10 s"));
}

TEST_F(DataPathTest, AProgramThatDoesNotStartIsAnError) {
    const auto missing = DataPath::start("/nowhere/carry-calls", {record_.key.local.address});
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().detail, HasSubstr("starting /nowhere/carry-calls: No such file"));
    const auto wrong = DataPath::start("/bin/true", {record_.key.local.address});
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().detail, HasSubstr("does not start: the other end is closed"));
}

TEST(PathMailboxTest, CommandsThatNobodyTakesAreAFailure) {
    PathMailbox mailbox(UniqueFd(::eventfd(0, EFD_NONBLOCK)), UniqueFd(::eventfd(0, EFD_NONBLOCK)));
    for (std::size_t i = 0; i < PathMailbox::kCommandsMax; ++i) {
        mailbox.post(node::PauseCalls{kNobodys});
    }
    EXPECT_FALSE(mailbox.failure());
    mailbox.post(node::PauseCalls{kNobodys});
    ASSERT_TRUE(mailbox.failure());
    EXPECT_EQ(mailbox.failure()->code, Errc::limit);
    EXPECT_THAT(mailbox.take_commands(), IsEmpty());
    eventfd_t events = 0;
    EXPECT_EQ(::eventfd_read(mailbox.events_fd(), &events), 0) << "the loop is told";
}

// A shell in place of carry-calls. Each of its printf makes one write, which is one message.
class FalsePathTest : public DataPathTest {
  protected:
    // A program that is ready and then reports this.
    [[nodiscard]] std::string failure_of(const PathReport& report) {
        const std::string program = temporary_path("false-carry-calls");
        {
            std::ofstream script(program);
            script << "#!/bin/bash\n"
                   << emits(encode_report(PathReady{})) << emits(encode_report(report))
                   << "read -r -t 5 -u 3\n";
        }
        EXPECT_EQ(::chmod(program.c_str(), 0755), 0);
        auto path = DataPath::start(program, {record_.key.local.address});
        EXPECT_TRUE(path) << path.error().detail;
        if (!path) {
            return "";
        }
        path_ = std::move(*path);
        EXPECT_TRUE(run_until([&] { return path_->failure().has_value(); }));
        return path_->failure() ? path_->failure()->detail : "";
    }

  private:
    [[nodiscard]] static std::string emits(const Bytes& message) {
        std::string text;
        for (const std::uint8_t octet : message) {
            text += fmt::format("\\x{:02x}", octet);
        }
        return "printf '" + text + "' >&3\n";
    }
};

TEST_F(FalsePathTest, AReportThatCannotBeTrueIsAFailure) {
    EXPECT_THAT(failure_of(CallIsPrepared{5}), HasSubstr("it reports call 5: there is none"));
    EXPECT_THAT(failure_of(CallHasEnded{5, "", EndCause::user_request}), HasSubstr("call 5"));
    EXPECT_THAT(failure_of(CallWantsConnection{5, {}}), HasSubstr("call 5"));
    EXPECT_THAT(failure_of(PathReady{}), HasSubstr("it reports that it is ready"));
    EXPECT_THAT(failure_of(PathNumbersRead{kGateway, 1, true, {{5, {}}}}), HasSubstr("call 5"));
}

TEST_F(DataPathTest, ACallOfAnotherAddressIsNotPrepared) {
    start_path();
    record_.key.local.address = testing::ip("192.0.2.77");
    path_->post(DataPath::Prepare{{kGateway, record_, known_, 5},
                                  pptp::StartKeys{mppe::test::kStartKey, mppe::test::kStartKey},
                                  kTable});
    ASSERT_TRUE(run_until([&] { return !prepared_.empty(); }));
    EXPECT_FALSE(prepared_[0].result);
    path_->post(node::ResumeCalls{kGateway, {record_.key}, false});
    EXPECT_TRUE(run_until([&] { return ended_.size() == 1; }));
}

}  // namespace data_path_test
}  // namespace vpnha::adapters
