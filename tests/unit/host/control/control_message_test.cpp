// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/control/control_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace vpnha::adapters {
namespace control_message_test {

using nlohmann::json;
using testing::HasSubstr;

TEST(ControlFrameReaderTest, JoinsPiecesAndSplitsWhatCameTogether) {
    ControlFrameReader reader(100);
    const std::string both = frame("one") + frame("two");
    for (const char byte : both.substr(0, both.size() - 1)) {
        ASSERT_TRUE(reader.feed(to_bytes({&byte, 1})).has_value());
    }
    EXPECT_EQ(reader.next(), "one");
    EXPECT_EQ(reader.next(), std::nullopt);
    EXPECT_TRUE(reader.is_within_message());
    ASSERT_TRUE(reader.feed(to_bytes("o")).has_value());
    EXPECT_EQ(reader.next(), "two");
    EXPECT_FALSE(reader.is_within_message());
}

TEST(ControlFrameReaderTest, RefusesWhatIsAnnouncedTooLargeOrEmpty) {
    const Bytes cases[] = {{0, 0, 0, 101}, {0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 0}};
    for (const Bytes& announced : cases) {
        ControlFrameReader reader(100);
        EXPECT_FALSE(reader.feed(announced).has_value());
        EXPECT_EQ(reader.next(), std::nullopt);
    }
    ControlFrameReader reader(100);
    EXPECT_TRUE(reader.feed(to_bytes(frame(std::string(100, 'x')))).has_value());
    EXPECT_EQ(reader.next(), std::string(100, 'x'));
}

TEST(BoundedJsonTest, CountsNestingOutsideOfStringsOnly) {
    const std::size_t max = limits::kControlJsonDepthMax;
    EXPECT_TRUE(parse_bounded_json(std::string(max, '[') + std::string(max, ']')).has_value());
    const Result<json> deep =
        parse_bounded_json(std::string(max + 1, '[') + std::string(max + 1, ']'));
    ASSERT_FALSE(deep.has_value());
    EXPECT_EQ(deep.error().code, Errc::limit);
    EXPECT_TRUE(parse_bounded_json("[\"" + std::string(99, '[') + "\\\"[[[\"]").has_value());
    EXPECT_FALSE(parse_bounded_json(std::string(1'000'000, '[')).has_value());
}

TEST(BoundedJsonTest, RefusesWhatIsNotJson) {
    for (const char* text : {"", "{", "{}x", "\"\xff\"", "{\"a\":}", "nan", "]"}) {
        EXPECT_FALSE(parse_bounded_json(text).has_value()) << text;
    }
}

TEST(ControlRequestTest, IsReadBackAsItWasWritten) {
    const Result<ControlCall> call =
        parse_control_request(encode_control_request({"sessions", {{"gateway", "dialin"}}}));
    ASSERT_TRUE(call.has_value());
    EXPECT_EQ(call->verb, "sessions");
    EXPECT_EQ(call->arguments.at("gateway"), "dialin");
}

TEST(ControlRequestTest, NeedsVersionAndVerb) {
    EXPECT_TRUE(parse_control_request(R"({"version":1,"verb":"ping"})").has_value());
    const std::pair<const char*, Errc> cases[] = {
        {R"({"verb":"ping"})", Errc::unsupported},
        {R"({"version":2,"verb":"ping"})", Errc::unsupported},
        {R"({"version":"1","verb":"ping"})", Errc::unsupported},
        {R"({"version":-1,"verb":"ping"})", Errc::unsupported},
        {R"({"version":1})", Errc::malformed},
        {R"({"version":1,"verb":1})", Errc::malformed},
        {R"({"version":1,"verb":""})", Errc::malformed},
        {R"({"version":1,"verb":"a-verb-that-has-more-than-thirty-two"})", Errc::malformed},
        {R"({"version":1,"verb":"ping","arguments":[]})", Errc::malformed},
        {"[]", Errc::malformed},
        {"1", Errc::malformed},
    };
    for (const auto& [text, code] : cases) {
        const Result<ControlCall> call = parse_control_request(text);
        ASSERT_FALSE(call.has_value()) << text;
        EXPECT_EQ(call.error().code, code) << text;
    }
}

TEST(ControlAnswerTest, CarriesAResult) {
    const Result<json> result = parse_control_answer(encode_control_answer(json{{"a", 1}}));
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->at("a"), 1);
}

TEST(ControlAnswerTest, CarriesEveryErrorWithItsCode) {
    for (int i = 0; i <= static_cast<int>(Errc::system); ++i) {
        const auto code = static_cast<Errc>(i);
        const Result<json> result = parse_control_answer(encode_control_answer(Error{code, "why"}));
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().code, code);
        EXPECT_EQ(result.error().detail, "why");
    }
}

TEST(ControlAnswerTest, UnknownCodesAndShapesAreErrorsToo) {
    const auto error_of = [](const char* text) {
        const Result<json> result = parse_control_answer(text);
        return result ? Error{Errc::busy, "no error"} : result.error();
    };
    EXPECT_EQ(error_of(R"({"version":1,"ok":false,"error":{"code":"new","detail":"x"}})").code,
              Errc::system);
    EXPECT_EQ(error_of(R"({"version":1,"ok":true})").code, Errc::malformed);
    EXPECT_EQ(error_of(R"({"version":1,"ok":1,"result":{}})").code, Errc::malformed);
    EXPECT_EQ(error_of(R"({"version":1,"ok":false,"error":"x"})").code, Errc::malformed);
    EXPECT_EQ(error_of(R"({"version":9,"ok":true,"result":{}})").code, Errc::unsupported);
}

TEST(ControlAnswerTest, BytesThatAreNoUtf8AreReplaced) {
    EXPECT_THAT(encode_control_answer(json{{"user", "al\xff"}}), HasSubstr("al\xef\xbf\xbd"));
}

TEST(ReadOnlyVerbTest, AreThoseThatChangeNothing) {
    for (const char* verb : {"status", "sessions", "events", "gate", "peers", "ping", "plan"}) {
        EXPECT_TRUE(is_read_only(verb)) << verb;
    }
    for (const char* verb : {"", "config", "promote", "resync", "Status", "status "}) {
        EXPECT_FALSE(is_read_only(verb)) << verb;
    }
}

}  // namespace control_message_test
}  // namespace vpnha::adapters
