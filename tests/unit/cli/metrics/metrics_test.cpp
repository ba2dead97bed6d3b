// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/metrics/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "support/contents_of.hpp"
#include "unit/cli/sample.hpp"

namespace vpnha::cli {
namespace metrics_test {

using nlohmann::json;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

// Names of metrics by the words behind `mark`.
std::set<std::string> names_behind(std::string_view mark, const std::string& text) {
    std::set<std::string> names;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(mark)) {
            const std::size_t end = line.find_first_of(" `", mark.size());
            names.insert(line.substr(mark.size(), end - mark.size()));
        }
    }
    return names;
}

Answers rich_answers() {
    return {sample_status(),
            sample_gate(),
            PppdUse{.processes = 40, .memory_bytes = 167'772'160, .processor_s = 12.5},
            {{"dialin", false}}};
}

TEST(MetricsTest, OfARichAnswerAreThoseOfTheGolden) {
    EXPECT_EQ(render_metrics(rich_answers()), contents_of(VPNHA_METRICS_GOLDEN));
}

TEST(MetricsTest, ARichAnswerHasThemAll) {
    const std::string text = render_metrics(rich_answers());
    EXPECT_EQ(names_behind("# TYPE ", text), names_behind("| `", metrics_manual()));
}

TEST(MetricsTest, NamesFollowPrometheus) {
    std::istringstream rows(metrics_manual());
    std::set<std::string> seen;
    for (std::string row; std::getline(rows, row);) {
        if (!row.starts_with("| `")) {
            continue;
        }
        const std::string name = row.substr(3, row.find('`', 3) - 3);
        EXPECT_TRUE(seen.insert(name).second) << name << " is there twice";
        EXPECT_TRUE(name.starts_with("vpnha_")) << name;
        EXPECT_EQ(name.ends_with("_total"), row.find("| counter |") != std::string::npos) << name;
        EXPECT_EQ(row.find("user"), std::string::npos) << name;
    }
}

TEST(MetricsTest, AreAllInTheDocuments) {
    EXPECT_THAT(contents_of(VPNHA_DOCS_DIR "/operate/metrics.md"),
                EndsWith("\n" + metrics_manual()))
        << "replace the table at the end by the output of: vpnha metrics --list";
}

TEST(MetricsTest, WithoutGatewaysAreThoseOfTheNode) {
    json status = sample_status();
    status["gateways"] = json::array();
    const std::string text = render_metrics({status, json::parse(R"({"gateways": []})")});
    EXPECT_THAT(text, HasSubstr("\nvpnha_up 1\n"));
    EXPECT_THAT(text, HasSubstr("\nvpnha_members 3\n"));
    EXPECT_THAT(text, Not(HasSubstr("gateway=")));
    EXPECT_THAT(text, Not(HasSubstr("vpnha_role")));
}

TEST(MetricsTest, WithoutTheKernelsWordAreAllButThoseOfTheGate) {
    const std::string text = render_metrics({sample_status(), {}});
    EXPECT_THAT(text, HasSubstr(R"(vpnha_role{gateway="dialin",role="promoted"} 1)"));
    EXPECT_THAT(text, Not(HasSubstr("vpnha_gate_")));
}

TEST(MetricsTest, WithoutASightOfOtherProcessesThereAreNoPppds) {
    EXPECT_THAT(render_metrics({sample_status(), sample_gate()}), Not(HasSubstr("vpnha_pppd")));
}

TEST(MetricsTest, AnOlderVpnhadsAnswerGivesWhatItHas) {
    json status = sample_status();
    status["gateways"][0].erase("counters");
    status.erase("counters");
    const std::string text = render_metrics({status, sample_gate()});
    EXPECT_THAT(text, HasSubstr(R"(vpnha_records{gateway="dialin"} 2)"));
    EXPECT_THAT(text, Not(HasSubstr("vpnha_replica_resyncs_total")));
}

TEST(MetricsTest, NamesOfGatewaysAreEscaped) {
    json status = sample_status();
    status["gateways"][0]["name"] = "a\"b\\c\n";
    EXPECT_THAT(render_metrics({status, {}}),
                HasSubstr("\nvpnha_standbys{gateway=\"a\\\"b\\\\c\\n\"} 2\n"));
}

TEST(MetricsTest, AnAnswerOfSomethingElseIsNone) {
    EXPECT_THROW(static_cast<void>(render_metrics({json::object(), {}})), json::exception);
    EXPECT_THROW(static_cast<void>(render_metrics({json::array(), {}})), json::exception);
}

TEST(MetricsTest, WithoutVpnhadThereIsOne) {
    EXPECT_EQ(render_metrics_down(),
              "# HELP vpnha_up Whether vpnhad answered.\n# TYPE vpnha_up gauge\nvpnha_up 0\n");
}

}  // namespace metrics_test
}  // namespace vpnha::cli
