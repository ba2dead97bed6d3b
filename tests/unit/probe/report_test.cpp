// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/report.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace vpnha::probe {
namespace report_test {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

Report answered() {
    return {.protocol = "l2tp",
            .host = "192.0.2.100",
            .outcome = {.steps = {{"sccrq", 1200us}, {"stopccn", 300us}}, .error = {}},
            .thresholds = {.warning = {}, .critical = {}, .timeout = 5s}};
}

Report failed(Errc code) {
    Report report = answered();
    report.outcome.steps.pop_back();
    report.outcome.error = Error{code, "stopccn was not answered"};
    return report;
}

TEST(ReportTest, AnAnswerIsOneLineWithItsTimes) {
    EXPECT_EQ(answered().line(),
              "L2TP OK: 192.0.2.100 has answered after 1.5 ms | time=0.001500s;;;0;5 "
              "sccrq=0.001200s stopccn=0.000300s");
}

TEST(ReportTest, ThresholdsAreOfAllStepsTogether) {
    Report report = answered();
    report.thresholds.warning = 1501us;
    EXPECT_EQ(report.status(), Status::ok);
    report.thresholds.warning = 1500us;
    EXPECT_EQ(report.status(), Status::warning);
    report.thresholds.critical = 1500us;
    EXPECT_EQ(report.status(), Status::critical);
    EXPECT_THAT(report.line(), HasSubstr("time=0.001500s;0.0015;0.0015;0;5"));
}

TEST(ReportTest, NoAnswerIsCriticalAndWhatThisMachineMissesIsUnknown) {
    for (const Errc code : {Errc::timeout, Errc::unreachable, Errc::malformed}) {
        EXPECT_EQ(failed(code).status(), Status::critical);
    }
    for (const Errc code : {Errc::system, Errc::not_found, Errc::permission, Errc::unsupported}) {
        EXPECT_EQ(failed(code).status(), Status::unknown);
    }
    EXPECT_EQ(failed(Errc::timeout).line(),
              "L2TP CRITICAL: 192.0.2.100: stopccn was not answered | time=0.001200s;;;0;5 "
              "sccrq=0.001200s");
}

TEST(ReportTest, WithoutAnAnswerThereAreNoTimes) {
    Report report = failed(Errc::timeout);
    report.outcome.steps.clear();
    EXPECT_EQ(report.line(), "L2TP CRITICAL: 192.0.2.100: stopccn was not answered");
}

TEST(ReportTest, TheLineStaysOne) {
    Report report = failed(Errc::not_found);
    report.host = "a|b\nc";
    report.outcome.steps.clear();
    EXPECT_THAT(report.line(), Not(HasSubstr("\n")));
    EXPECT_THAT(report.line(), Not(HasSubstr("|")));
}

TEST(ReportTest, JsonHasTheSame) {
    const json object = json::parse(answered().json());
    EXPECT_EQ(object["version"], 1);
    EXPECT_EQ(object["protocol"], "l2tp");
    EXPECT_EQ(object["host"], "192.0.2.100");
    EXPECT_EQ(object["status"], "ok");
    EXPECT_EQ(object["exit_code"], 0);
    EXPECT_DOUBLE_EQ(object["seconds"].get<double>(), 0.0015);
    EXPECT_EQ(object["steps"].size(), 2U);
    EXPECT_EQ(object["steps"][0]["name"], "sccrq");
    EXPECT_DOUBLE_EQ(object["steps"][0]["seconds"].get<double>(), 0.0012);
    const json other = json::parse(failed(Errc::timeout).json());
    EXPECT_EQ(other["status"], "critical");
    EXPECT_EQ(other["exit_code"], 2);
    EXPECT_EQ(other["text"], "192.0.2.100: stopccn was not answered");
}

}  // namespace report_test
}  // namespace vpnha::probe
