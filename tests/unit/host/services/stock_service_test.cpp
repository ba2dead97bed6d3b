// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/services/stock_service.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <thread>

#include "host/services/private_run.hpp"
#include "support/temporary_path.hpp"
#include "unit/host/os/named_namespace.hpp"

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

// Polls for what comes soon.
bool comes(const std::function<bool()>& is_there) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!is_there() && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::yield();
    }
    return is_there();
}

// As root.
class ApartServiceTest : public StockServiceTest {
  protected:
    ApartServiceTest() {
        started_.arguments = {"/bin/sh", "-c", "echo > /run/vpnha-test-file; kill -STOP $$"};
        started_.netns = there_->name();
        looks_until_ready = 1;
    }
    ~ApartServiceTest() override {
        static_cast<void>(service().stop());
        std::filesystem::remove_all(run_);
    }

    std::optional<vpnha::testing::NamedNamespace> there_{std::in_place};
    std::string run_ = run_directory(there_->name());
};

TEST_F(ApartServiceTest, ADaemonIsInItsNetworkAndHasARunOfItsOwn) {
    const ino_t home = vpnha::testing::network_here();
    const Result<void> started = service().start(started_);
    ASSERT_TRUE(started) << started.error().detail;
    EXPECT_TRUE(comes([this] { return std::filesystem::exists(run_ + "/vpnha-test-file"); }));
    EXPECT_FALSE(std::filesystem::exists("/run/vpnha-test-file"));
    std::string pid;
    std::getline(std::ifstream(service().path("pid")), pid);
    struct stat network {};
    ASSERT_EQ(stat(("/proc/" + pid + "/ns/net").c_str(), &network), 0);
    EXPECT_EQ(network.st_ino, there_->number());
    EXPECT_EQ(service().read_started(), started_);
    EXPECT_EQ(service().status().value_or(StockService::State::dead), StockService::State::running);
    EXPECT_EQ(vpnha::testing::network_here(), home);
}

TEST_F(ApartServiceTest, WithoutItsNetworkItIsEndedAndNotStarted) {
    ASSERT_TRUE(service().start(started_));
    there_.reset();
    const Result<void> again = service().reset();
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::not_found);
    EXPECT_TRUE(service().stop());
    const Result<void> started = service().start(started_);
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().detail, HasSubstr("there is no network namespace"));
}

}  // namespace stock_service_test
}  // namespace vpnha::adapters
