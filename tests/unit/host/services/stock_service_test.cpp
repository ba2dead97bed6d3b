// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/services/stock_service.hpp"

#include <gmock/gmock.h>

#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace stock_service_test {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// A daemon that takes requests when it was looked at so often.
int looks_until_ready = 0;
// For what comes behind that.
std::chrono::milliseconds left{};

const StockKind& late_kind() {
    static const StockKind kKind{
        .name = "late",
        .start_timeout = 1ms,
        .is_ready = [](const StockInstance&) { return --looks_until_ready <= 0; },
        .is_serving = [](const StockInstance&) { return true; },
        .why_ended = [](const StockInstance&) { return std::string("it ended"); },
        .why_not_ready = [](const StockInstance&) { return std::string("is not ready"); },
        .after_start =
            [](const StockInstance&, std::chrono::milliseconds patience) {
                left = patience;
                return Result<void>();
            }};
    return kKind;
}

class StockServiceTest : public ::testing::Test {
  protected:
    ~StockServiceTest() override { static_cast<void>(service().stop()); }
    StockService service() const { return {late_kind(), "west", temporary_path("stock")}; }
    StockStarted started_ = {.arguments = {"/bin/sh", "-c", "kill -STOP $$"}};
};

TEST_F(StockServiceTest, AStartWaitsForAsLongAsItsCallerHas) {
    looks_until_ready = 1'000'000;
    const Result<void> refused = service().start(started_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::timeout);
    EXPECT_THAT(refused.error().detail, HasSubstr("is not ready"));
    ASSERT_TRUE(service().stop());
    looks_until_ready = 20;
    const Result<void> started = service().start(started_, 1min);
    EXPECT_TRUE(started) << started.error().detail;
    EXPECT_GT(left, 1s);
    EXPECT_LT(left, 1min);
}

}  // namespace stock_service_test
}  // namespace vpnha::adapters
