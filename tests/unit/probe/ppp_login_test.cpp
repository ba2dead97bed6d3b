// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ppp_login.hpp"

#include <gmock/gmock.h>

#include "ppp_server.hpp"

namespace vpnha::probe {
namespace ppp_login_test {

using ppp_server::account_of;
using ppp_server::address_option;
using ppp_server::Asked;
using ppp_server::Code;
using ppp_server::frame;
using ppp_server::kGivenAddress;
using ppp_server::kServerAddress;
using ppp_server::lcp_request;
using ppp_server::open;
using ppp_server::Protocol;
using ppp_server::reply_to;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Step = PppLogin::Step;

constexpr PppNumbers kNumbers{.challenge = {1, 2, 3}, .ping = 0x4711};
const Bytes kChapMd5{3, 5, 0xc2, 0x23, 5};
const Bytes kMsChapV2{3, 5, 0xc2, 0x23, 0x81};
const Bytes kPap{3, 4, 0xc0, 0x23};
constexpr auto kCcp = static_cast<Protocol>(0x80fd);
const Bytes k128{18, 6, 1, 0, 0, 0x40};

class Link {
  public:
    explicit Link(Ipv4Address target = {}) : login(account_of(), kNumbers, target) {}

    // The only answer.
    Asked answer_to(const Bytes& bytes) {
        EXPECT_TRUE(login.on_frame(bytes));
        const auto answers = login.take_answers();
        EXPECT_THAT(answers, SizeIs(1));
        return answers.empty() ? Asked{} : open(answers.front());
    }
    void take(const Bytes& bytes) {
        const auto taken = login.on_frame(bytes);
        EXPECT_TRUE(taken) << taken.error().detail;
        static_cast<void>(login.take_answers());
    }
    void acknowledge() {
        const Asked asked = open(login.request());
        take(frame(asked.protocol, Code::configure_ack, asked.id, asked.data));
    }
    void reach_login(const Bytes& wanted = kChapMd5) {
        take(lcp_request(1, wanted));
        acknowledge();
    }
    // The server has taken the login, and has not begun anything else.
    void reach_success_of_ms() {
        reach_login(kMsChapV2);
        Bytes challenge(17, 0x5a);
        challenge[0] = 16;
        take(frame(Protocol::chap, 1, 4, challenge));
        keys = mppe_keys_of(account_of(), ByteView(open(login.request()).data).subspan(1));
        take(frame(Protocol::chap, 3, 4));
        ASSERT_EQ(login.step(), Step::login);
        ASSERT_THAT(login.request(), IsEmpty()) << "the server speaks first";
    }
    void reach_encryption() {
        reach_success_of_ms();
        EXPECT_EQ(answer_to(frame(kCcp, Code::configure_request, 1, k128)).code,
                  Code::configure_ack);
        ASSERT_EQ(login.step(), Step::encryption);
    }
    void agree_on_address() {
        take(frame(Protocol::ipcp, Code::configure_nak, open(login.request()).id,
                   address_option(kGivenAddress)));
        take(frame(Protocol::ipcp, Code::configure_request, 1, address_option(kServerAddress)));
        acknowledge();
        ASSERT_EQ(login.step(), Step::ping);
    }
    void reach_address() {
        reach_login();
        take(frame(Protocol::chap, 3, 9));
        ASSERT_EQ(login.step(), Step::address);
    }
    void reach_ping() {
        reach_address();
        agree_on_address();
    }
    Error refusal(const Bytes& bytes) {
        const auto taken = login.on_frame(bytes);
        EXPECT_FALSE(taken);
        return taken ? Error{} : taken.error();
    }

    PppLogin login;
    MppeKeys keys;
};

TEST(PppLoginTest, GoesTheWholeWay) {
    Link link;
    EXPECT_THAT(link.login.request(), IsEmpty()) << "the server begins";
    const Asked ack = link.answer_to(lcp_request(7));
    EXPECT_EQ(ack.code, Code::configure_ack);
    EXPECT_EQ(ack.id, 7);
    EXPECT_EQ(ack.data, open(lcp_request(7)).data);
    EXPECT_EQ(open(link.login.request()).code, Code::configure_request);
    link.acknowledge();
    EXPECT_EQ(link.login.step(), Step::login);
    EXPECT_THAT(link.login.request(), IsEmpty()) << "the server asks";
    link.take(frame(Protocol::chap, 1, 9, {3, 0xa, 0xb, 0xc, 'v', 'p', 'n'}));
    const Asked response = open(link.login.request());
    EXPECT_EQ(response.protocol, Protocol::chap);
    EXPECT_EQ(static_cast<int>(response.code), 2);
    EXPECT_EQ(response.id, 9);
    Bytes value{16};
    const Bytes md5 = answer_md5(account_of(), 9, Bytes{0xa, 0xb, 0xc});
    value.insert(value.end(), md5.begin(), md5.end());
    for (const char each : std::string("probe")) {
        value.push_back(static_cast<std::uint8_t>(each));
    }
    EXPECT_EQ(response.data, value);
    link.take(frame(Protocol::chap, 3, 9));
    EXPECT_EQ(link.login.step(), Step::address);
    EXPECT_EQ(open(link.login.request()).data, address_option({}));
    link.take(frame(Protocol::ipcp, Code::configure_nak, open(link.login.request()).id,
                    address_option(kGivenAddress)));
    EXPECT_EQ(open(link.login.request()).data, address_option(kGivenAddress));
    link.acknowledge();
    EXPECT_EQ(link.login.step(), Step::address) << "the server's address is not known yet";
    EXPECT_EQ(link.answer_to(frame(Protocol::ipcp, Code::configure_request, 3,
                                   address_option(kServerAddress)))
                  .code,
              Code::configure_ack);
    EXPECT_EQ(link.login.step(), Step::ping);
    const Bytes ping = link.login.request();
    EXPECT_EQ(internet_checksum(0, ByteView(ping).subspan(2, 20)), 0);
    EXPECT_EQ(internet_checksum(0, ByteView(ping).subspan(22)), 0);
    link.take(reply_to(ping));
    EXPECT_EQ(link.login.step(), Step::hang_up);
    const Asked end = open(link.login.request());
    EXPECT_EQ(end.code, Code::terminate_request);
    link.take(frame(Protocol::lcp, Code::terminate_ack, end.id));
    EXPECT_EQ(link.login.step(), Step::over);
    EXPECT_THAT(link.login.request(), IsEmpty());
}

TEST(PppLoginTest, WhoWaitsInVainForTheServerAsks) {
    Link link;
    link.login.ask();
    const Bytes first = link.login.request();
    EXPECT_EQ(open(first).code, Code::configure_request);
    link.login.ask();
    EXPECT_EQ(link.login.request(), first);
    link.acknowledge();
    link.login.ask();
    EXPECT_THAT(link.login.request(), IsEmpty()) << "it is acknowledged; two would begin anew";
}

TEST(PppLoginTest, LogsInByMsChapV2AndByPap) {
    Link ms;
    ms.reach_login(kMsChapV2);
    Bytes challenge(17, 0x5a);
    challenge[0] = 16;
    ms.take(frame(Protocol::chap, 1, 4, challenge));
    EXPECT_EQ(open(ms.login.request()).data[0], 49);
    Link pap;
    pap.reach_login(kPap);
    EXPECT_EQ(open(pap.login.request()).data,
              (Bytes{5, 'p', 'r', 'o', 'b', 'e', 6, 's', 'e', 'c', 'r', 'e', 't'}));
    pap.take(frame(Protocol::pap, 2, 1, {0}));
    EXPECT_EQ(pap.login.step(), Step::address);
    Link none;
    none.reach_login({});
    EXPECT_EQ(none.login.step(), Step::address);
}

TEST(PppLoginTest, EncryptsWhereTheServerAsksForIt) {
    Link link;
    link.reach_encryption();
    const Asked wish = open(link.login.request());
    EXPECT_EQ(wish.protocol, kCcp);
    EXPECT_EQ(wish.data, k128);
    link.acknowledge();
    EXPECT_EQ(link.login.step(), Step::address);
    EXPECT_EQ(link.answer_to(frame(kCcp, Code::configure_request, 1, k128)).code,
              Code::configure_ack)
        << "its acknowledgement was lost";
    EXPECT_EQ(link.login.step(), Step::address);
    link.agree_on_address();
    mppe::ReceiverCounters counters;
    mppe::Receiver server(mppe::KeyChain(mppe::Strength::bits128, link.keys.send), counters, false);
    link.login.ask();
    const Bytes second = link.login.request();
    ASSERT_EQ(to_hex(ByteView(second).first(2)), "00fd");
    Bytes ping{0x00, 0x21};
    Bytes opened(second.size());
    const auto packet = server.open(ByteView(second).subspan(2), 2, TimePoint{}, opened.data());
    ASSERT_TRUE(packet);
    ping.insert(ping.end(), packet->begin(), packet->end());
    mppe::Sender sender(mppe::KeyChain(mppe::Strength::bits128, link.keys.receive));
    const Bytes reply = reply_to(ping);
    Bytes text(reply.size() + mppe::kHeaderBytes);
    sender.seal(reply, text.data());
    ByteWriter sealed;
    sealed.u16(0x00fd).bytes(text);
    link.take(std::move(sealed).take());
    EXPECT_EQ(link.login.step(), Step::hang_up);
}

TEST(PppLoginTest, BehindMsChapV2TheServerSpeaksFirst) {
    Link plain;
    plain.reach_success_of_ms();
    plain.take(frame(Protocol::ipcp, Code::configure_request, 1, address_option(kServerAddress)));
    EXPECT_EQ(plain.login.step(), Step::address);
    EXPECT_EQ(open(plain.login.request()).protocol, Protocol::ipcp);
    Link silent;
    silent.reach_success_of_ms();
    silent.login.ask();
    EXPECT_EQ(silent.login.step(), Step::address);
    Link without_keys;
    without_keys.reach_address();
    const Asked rejected = without_keys.answer_to(frame(kCcp, Code::configure_request, 3, k128));
    EXPECT_EQ(rejected.code, Code::protocol_reject);
    Link late;
    late.reach_success_of_ms();
    late.login.ask();
    late.agree_on_address();
    EXPECT_EQ(late.answer_to(frame(kCcp, Code::configure_request, 3, k128)).code,
              Code::protocol_reject);
    EXPECT_EQ(late.login.step(), Step::ping);
}

TEST(PppLoginTest, AServerThatAgreesOnNoEncryptionRefuses) {
    for (const Code code : {Code::configure_nak, Code::configure_reject, Code::terminate_request}) {
        Link link;
        link.reach_encryption();
        const Error refused = link.refusal(frame(kCcp, code, open(link.login.request()).id, {}));
        EXPECT_EQ(refused.code, Errc::unreachable);
        EXPECT_EQ(refused.detail, "agrees on no encryption");
    }
    Link weaker;
    weaker.reach_encryption();
    const Bytes k40{18, 6, 1, 0, 0, 0x20};
    weaker.take(frame(kCcp, Code::configure_nak, open(weaker.login.request()).id, k40));
    EXPECT_EQ(open(weaker.login.request()).data, k40);
    weaker.acknowledge();
    EXPECT_EQ(weaker.login.step(), Step::encryption) << "its own was of another strength";
    Link endless;
    endless.reach_encryption();
    for (int i = 0; i < 5; ++i) {
        endless.take(frame(kCcp, Code::configure_nak, open(endless.login.request()).id, k128));
    }
    EXPECT_EQ(
        endless.refusal(frame(kCcp, Code::configure_nak, open(endless.login.request()).id, k128))
            .code,
        Errc::unreachable);
}

TEST(PppLoginTest, AWrongSecretIsARefusalWithTheServersWords) {
    Link chap;
    chap.reach_login();
    const Error of_chap = chap.refusal(frame(Protocol::chap, 4, 9, {'n', 'o', '|'}));
    EXPECT_EQ(of_chap.code, Errc::unreachable);
    EXPECT_EQ(of_chap.detail, "refuses the login of 'probe' (no|)");
    Link pap;
    pap.reach_login(kPap);
    EXPECT_EQ(pap.refusal(frame(Protocol::pap, 3, 1, {2, 'n', 7})).detail,
              "refuses the login of 'probe' (n?)");
}

TEST(PppLoginTest, AServerWithoutAnAddressIsARefusal) {
    Link naks;
    naks.reach_address();
    EXPECT_EQ(naks.refusal(frame(Protocol::ipcp, Code::configure_nak, open(naks.login.request()).id,
                                 address_option({})))
                  .detail,
              "gives no address");
    Link rejects;
    rejects.reach_address();
    EXPECT_EQ(rejects
                  .refusal(frame(Protocol::ipcp, Code::configure_reject,
                                 open(rejects.login.request()).id, address_option({})))
                  .detail,
              "gives no address");
    Link acks;
    acks.reach_address();
    EXPECT_EQ(acks.refusal(frame(Protocol::ipcp, Code::configure_ack, open(acks.login.request()).id,
                                 address_option({})))
                  .detail,
              "gives no address");
    Link ends;
    ends.reach_address();
    EXPECT_THAT(ends.refusal(frame(Protocol::ipcp, Code::terminate_request, 2)).detail,
                HasSubstr("gives no address"));
    Link without;
    without.reach_address();
    EXPECT_THAT(
        without.refusal(frame(Protocol::lcp, Code::protocol_reject, 2, {0x80, 0x21})).detail,
        HasSubstr("no IPv4"));
    Link endless;
    endless.reach_address();
    for (int i = 0; i < 5; ++i) {
        endless.take(frame(Protocol::ipcp, Code::configure_nak, open(endless.login.request()).id,
                           address_option(kGivenAddress)));
    }
    EXPECT_EQ(endless
                  .refusal(frame(Protocol::ipcp, Code::configure_nak,
                                 open(endless.login.request()).id, address_option(kGivenAddress)))
                  .code,
              Errc::unreachable);
}

TEST(PppLoginTest, AHangUpNamesTheStepAndTheServersWords) {
    Link link;
    link.reach_login();
    const Error hung_up =
        link.refusal(frame(Protocol::lcp, Code::terminate_request, 5, {'b', 'y', 'e'}));
    EXPECT_EQ(hung_up.detail, "hangs up at 'login' (bye)");
    const auto answers = link.login.take_answers();
    ASSERT_THAT(answers, SizeIs(1));
    EXPECT_EQ(open(answers[0]).code, Code::terminate_ack);
    Link last;
    last.reach_ping();
    last.take(reply_to(last.login.request()));
    last.take(frame(Protocol::lcp, Code::terminate_request, 6));
    EXPECT_EQ(last.login.step(), Step::over);
}

TEST(PppLoginTest, WhatItDoesNotSpeakIsRejected) {
    Link link;
    // EAP; then multilink, and compression.
    const Asked nak = link.answer_to(lcp_request(1, {3, 4, 0xc2, 0x27}));
    EXPECT_EQ(nak.code, Code::configure_nak);
    EXPECT_EQ(nak.data, kMsChapV2);
    const Asked reject =
        link.answer_to(frame(Protocol::lcp, Code::configure_request, 2, {17, 4, 5, 6, 5, 2}));
    EXPECT_EQ(reject.code, Code::configure_reject);
    EXPECT_EQ(reject.data, (Bytes{17, 4, 5, 6}));
    const Asked of_ccp = link.answer_to(
        ppp::encode_control_frame(static_cast<Protocol>(0x80fd), {Code::configure_request, 3, {}}));
    EXPECT_EQ(of_ccp.code, Code::protocol_reject);
    EXPECT_EQ(of_ccp.data, (Bytes{0x80, 0xfd, 1, 3, 0, 4}));
    EXPECT_EQ(
        link.answer_to(frame(Protocol::ipcp, Code::configure_request, 4, {2, 4, 0, 0x2d})).code,
        Code::configure_reject);
    EXPECT_EQ(link.answer_to(frame(Protocol::lcp, Code::echo_request, 5, {1, 2, 3, 4})).code,
              Code::echo_reply);
}

TEST(PppLoginTest, TheLoginIsTheOneThatWasAcknowledged) {
    Link link;
    link.take(lcp_request(1));
    EXPECT_EQ(link.answer_to(lcp_request(2, {3, 4, 0xc2, 0x27})).code, Code::configure_nak);
    link.acknowledge();
    EXPECT_EQ(link.login.step(), Step::login) << "and not none";
}

TEST(PppLoginTest, TakesCompressedHeaders) {
    Link link;
    link.reach_ping();
    Bytes reply = reply_to(link.login.request());
    reply.erase(reply.begin());
    EXPECT_EQ(reply[0], 0x21);
    link.take(reply);
    EXPECT_EQ(link.login.step(), Step::hang_up);
    Link with_hdlc;
    Bytes request{0xff, 0x03};
    const Bytes plain = lcp_request(1);
    request.insert(request.end(), plain.begin(), plain.end());
    EXPECT_EQ(with_hdlc.answer_to(request).code, Code::configure_ack);
}

TEST(PppLoginTest, AnotherTargetIsPinged) {
    Link link(Ipv4Address{0xc6336435});
    link.reach_ping();
    const ByteView ping = link.login.request();
    EXPECT_EQ(to_hex(ping.subspan(14, 8)), "0ac80105c6336435");
}

TEST(PppLoginTest, AnotherReplyIsNone) {
    Link link;
    link.reach_ping();
    const Bytes reply = reply_to(link.login.request());
    for (const std::size_t at : {2U, 11U, 17U, 21U, 22U, 27U}) {
        Bytes other = reply;
        other[at] = static_cast<std::uint8_t>(other[at] + 1);
        link.take(other);
        EXPECT_EQ(link.login.step(), Step::ping) << at;
    }
    link.take(reply);
    EXPECT_EQ(link.login.step(), Step::hang_up);
}

TEST(PppLoginTest, AServerThatBeginsAnewIsLoggedInToAnew) {
    Link link;
    link.reach_address();
    link.take(lcp_request(9, kPap));
    EXPECT_EQ(link.login.step(), Step::login);
    EXPECT_EQ(open(link.login.request()).protocol, Protocol::pap);
    link.take(frame(Protocol::pap, 2, open(link.login.request()).id, {0}));
    EXPECT_EQ(link.login.step(), Step::address);
    Link encrypted;
    encrypted.reach_encryption();
    encrypted.acknowledge();
    encrypted.take(lcp_request(9, kPap));
    encrypted.take(frame(Protocol::pap, 2, open(encrypted.login.request()).id, {0}));
    encrypted.agree_on_address();
    EXPECT_EQ(to_hex(ByteView(encrypted.login.request()).first(2)), "0021");
    // What is not acknowledged begins nothing.
    EXPECT_EQ(link.answer_to(lcp_request(10, {3, 4, 0xc2, 0x27})).code, Code::configure_nak);
    EXPECT_EQ(link.login.step(), Step::address);
}

TEST(PppLoginTest, GarbageChangesNothing) {
    Link link;
    link.reach_login();
    const Bytes cases[] = {{},
                           {0xc0},
                           {0xff, 0x03},
                           {0xc0, 0x21, 1},
                           {0xc2, 0x23, 1, 1, 0, 4},
                           {0xc2, 0x23, 1, 1, 0, 6, 200, 1},
                           {0xc2, 0x23, 9, 1, 0, 4},
                           {0xc0, 0x23, 2, 1, 0, 4},
                           {0xc0, 0x21, 1, 1, 0, 7, 5, 1, 0},
                           {0x00, 0x21, 0x45}};
    for (const Bytes& each : cases) {
        link.take(each);
        EXPECT_EQ(link.login.step(), Step::login) << to_hex(each);
        EXPECT_THAT(link.login.request(), IsEmpty()) << to_hex(each);
    }
}

}  // namespace ppp_login_test
}  // namespace vpnha::probe
