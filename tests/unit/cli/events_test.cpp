// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace vpnha::cli {
namespace events_test {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

json event(std::uint64_t sequence, const char* word, const char* gateway) {
    const std::string text = std::string("so it is event=") + word;
    json fields = json::object();
    if (*gateway != '\0') {
        fields["gateway"] = gateway;
    }
    return {{"sequence", sequence}, {"time", "2026-11-24T20:00:00.000001Z"},
            {"level", "info"},      {"event", word},
            {"fields", fields},     {"text", text}};
}

// A vpnhad whose next one takes its place, or that is away, when the reader pauses.
class EventsTest : public ::testing::Test {
  protected:
    ExitCode run(const EventsOrder& order) {
        return show_events(order,
                           {[&](std::string_view verb, const json& arguments) -> Result<json> {
                                EXPECT_EQ(verb, "events");
                                if (is_away_) {
                                    return fail(Errc::unreachable, "nobody listens");
                                }
                                json behind = json::array();
                                for (const json& each : events_) {
                                    if (each.at("sequence") > arguments.at("after")) {
                                        behind.push_back(each);
                                    }
                                }
                                return json{{"instance", instance_}, {"events", behind}};
                            },
                            out_, err_,
                            [this](std::chrono::milliseconds) {
                                if (!turns_.empty()) {
                                    turns_.front()();
                                    turns_.erase(turns_.begin());
                                }
                            }},
                           [this] { return !turns_.empty(); });
    }
    std::vector<std::string> words() const {
        std::vector<std::string> found;
        std::istringstream lines(out_.str());
        for (std::string line; std::getline(lines, line);) {
            found.push_back(json::parse(line).at("event"));
        }
        return found;
    }

    std::string instance_ = "a1";
    json events_ = {event(1, "started", ""), event(2, "promoted", "dialin"),
                    event(3, "promoted", "office")};
    bool is_away_ = false;
    std::vector<std::function<void()>> turns_;
    std::ostringstream out_;
    std::ostringstream err_;
};

TEST_F(EventsTest, ALineEachForAHuman) {
    EXPECT_EQ(run({}), ExitCode::ok);
    EXPECT_THAT(out_.str(),
                HasSubstr("2026-11-24T20:00:00.000001Z info: so it is event=promoted\n"));
}

TEST_F(EventsTest, OfOneGatewayOrOneWord) {
    EXPECT_EQ(run({.gateway = "office", .as_json = true}), ExitCode::ok);
    EXPECT_THAT(words(), ElementsAre("promoted"));
    EXPECT_EQ(run({.event = "started", .as_json = true}), ExitCode::ok);
    EXPECT_THAT(words(), ElementsAre("promoted", "started"));
}

TEST_F(EventsTest, WhoFollowsGetsEachOnceOverRestarts) {
    turns_ = {[&] { events_.push_back(event(4, "demoted", "dialin")); }, [&] { is_away_ = true; },
              [] {},
              [&] {
                  is_away_ = false;
                  instance_ = "a2";
                  events_ = {event(1, "restarted", "")};
              }};
    EXPECT_EQ(run({.follow = true, .as_json = true}), ExitCode::ok);
    EXPECT_THAT(words(), ElementsAre("started", "promoted", "promoted", "demoted", "restarted"));
    EXPECT_EQ(err_.str(), "vpnha: vpnhad is not there; waiting for the next one\n");
}

TEST_F(EventsTest, WithoutAVpnhadThereIsNothingToFollow) {
    is_away_ = true;
    turns_ = {[] {}};
    EXPECT_EQ(run({.follow = true}), ExitCode::unreachable);
}

}  // namespace events_test
}  // namespace vpnha::cli
