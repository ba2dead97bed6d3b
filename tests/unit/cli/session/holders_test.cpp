// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/session/holders.hpp"

#include <gtest/gtest.h>

#include "unit/cli/sample.hpp"

namespace vpnha::cli::session {
namespace holders_test {

using nlohmann::json;

// gw2 held the lease from 2025-12-31 on, gw1 from 2026-01-01T00:00:00Z on.
json session_of(const char* established) {
    return {{"gateway", "dialin"}, {"established", established}};
}

TEST(SessionHoldersTest, ThoseThatHaveServedSinceItBegan) {
    EXPECT_EQ(render_holders(sample_status(), session_of("2025-12-31T12:00:00Z")),
              "served by    gw2 (2) since 2025-12-31T00:00:00Z\n"
              "             gw1 (1) since 2026-01-01T00:00:00Z\n");
    EXPECT_EQ(render_holders(sample_status(), session_of("2026-01-01T12:00:00Z")),
              "served by    gw1 (1) since 2026-01-01T00:00:00Z\n");
    EXPECT_EQ(holders_since(sample_status(), session_of("2026-01-01T12:00:00Z")).size(), 1U);
}

TEST(SessionHoldersTest, ThereIsMoreThanVpnhadOfThisNodeKnows) {
    EXPECT_EQ(render_holders(sample_status(), session_of("2025-12-30T12:00:00Z")),
              "served by    an earlier node, which this vpnhad does not know\n"
              "             gw2 (2) since 2025-12-31T00:00:00Z\n"
              "             gw1 (1) since 2026-01-01T00:00:00Z\n");
    EXPECT_EQ(render_holders(sample_status(), session_of("2025-12-30T23:59:59Z")),
              "served by    gw2 (2) since 2025-12-31T00:00:00Z\n"
              "             gw1 (1) since 2026-01-01T00:00:00Z\n");
}

TEST(SessionHoldersTest, AnOlderVpnhadHasNoSuchList) {
    json status = sample_status();
    status.at("gateways").at(0).erase("holders");
    EXPECT_EQ(render_holders(status, session_of("2026-01-01T12:00:00Z")), "");
}

}  // namespace holders_test
}  // namespace vpnha::cli::session
