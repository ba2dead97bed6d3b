// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/bandwidth/backend/bandwidth.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <net/if.h>

#include "services/bandwidth/backend/traffic_control.hpp"

namespace vpnha::runtime {
namespace bandwidth_test {

using namespace std::chrono_literals;
using bandwidth::RemoveRate;
using bandwidth::SetRate;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr GatewayId kGateway{7};
constexpr Rate kRate{20'000'000, 5'000'000};

// The kernel, as far as it is asked.
class FakeLimiter final : public ports::Limiter {
  public:
    FakeLimiter(std::vector<std::string>& done, std::optional<Errc>& refusal)
        : done_(done), refusal_(refusal) {}
    [[nodiscard]] Result<void> set(std::uint32_t link, const bandwidth::Shaping& shaping) override {
        if (refusal_) {
            return fail(*refusal_, "no such qdisc");
        }
        done_.push_back(fmt::format("{}: {}", link, shaping.down.octets_per_s));
        return {};
    }
    [[nodiscard]] Result<void> remove(std::uint32_t link) override {
        done_.push_back(fmt::format("{}: none", link));
        return {};
    }

  private:
    std::vector<std::string>& done_;
    std::optional<Errc>& refusal_;
};

wire::RecordKey session(std::uint8_t number) {
    const Bytes id{number};
    return {wire::RecordType::l2tp_session, wire::RecordId(id)};
}

class BandwidthTest : public ::testing::Test {
  protected:
    void execute(effects::ProtocolWork work) { EXPECT_TRUE(bandwidth_.execute(work)); }
    void on_device(std::uint8_t number, std::uint32_t device) {
        execute(SetRate{kGateway, session(number), kRate, 1500, device, {}});
    }
    // What was done since the last call.
    std::vector<std::string> done() {
        loop_.set_timer(1, loop_.now() + 20ms, [this] { loop_.stop(); });
        loop_.run();
        return std::exchange(done_, {});
    }
    std::uint64_t status(const char* key) {
        return std::get<std::uint64_t>(bandwidth_.status().at(key));
    }

    adapters::QbLoop loop_;
    std::vector<std::string> done_;
    std::optional<Errc> refusal_;
    std::string known_ = "lo";  // Of the protocol's backend.
    Bandwidth bandwidth_{loop_, [this](const wire::RecordKey&) { return known_; },
                         std::make_unique<FakeLimiter>(done_, refusal_)};
};

TEST_F(BandwidthTest, TheDeviceIsNamedByWhoKnowsIt) {
    on_device(1, 41);
    EXPECT_THAT(done(), ElementsAre("41: 2500000"));
    const std::string own = fmt::format("{}: 2500000", if_nametoindex("lo"));
    execute(SetRate{kGateway, session(2), kRate, 1500, 0, "lo"});
    EXPECT_THAT(done(), ElementsAre(own));
    execute(SetRate{kGateway, session(3), kRate, 1500, 0, {}});
    EXPECT_THAT(done(), ElementsAre(own));
    known_.clear();
    execute(SetRate{kGateway, session(4), kRate, 1500, 0, {}});
    execute(SetRate{kGateway, session(5), kRate, 1500, 0, "gone0"});
    EXPECT_THAT(done(), IsEmpty());
}

TEST_F(BandwidthTest, TheDeviceThatASessionHadHasNoneAnyMore) {
    on_device(1, 41);
    on_device(1, 42);
    EXPECT_THAT(done(), ElementsAre("41: 2500000", "41: none", "42: 2500000"));
    EXPECT_EQ(status("bandwidth/limited"), 1U);
    execute(RemoveRate{kGateway, session(1)});
    execute(RemoveRate{kGateway, session(1)});
    EXPECT_THAT(done(), ElementsAre("42: none"));
    EXPECT_EQ(status("bandwidth/limited"), 0U);
}

TEST_F(BandwidthTest, WhatTheDeviceHasIsNotSetAgain) {
    on_device(1, 41);
    on_device(1, 41);
    execute(SetRate{kGateway, session(1), {kRate.down, 0}, 1500, 41, {}});
    EXPECT_THAT(done(), ElementsAre("41: 2500000", "41: 2500000"));
    execute(RemoveRate{kGateway, session(1)});
    on_device(1, 41);
    EXPECT_THAT(done(), ElementsAre("41: none", "41: 2500000"));
}

// Devices of PPTP calls wait for other calls.
TEST_F(BandwidthTest, WhatAnotherSessionHasByNowStays) {
    on_device(1, 41);
    on_device(2, 41);
    EXPECT_THAT(done(), ElementsAre("41: 2500000", "41: 2500000"));
    execute(RemoveRate{kGateway, session(1)});
    EXPECT_THAT(done(), IsEmpty());
    execute(RemoveRate{kGateway, session(2)});
    EXPECT_THAT(done(), ElementsAre("41: none"));
}

TEST_F(BandwidthTest, ARefusalIsCountedAndADeviceThatIsGoneIsNone) {
    refusal_ = Errc::not_found;
    on_device(1, 41);
    EXPECT_THAT(done(), IsEmpty());
    EXPECT_EQ(status("bandwidth/failed"), 0U);
    refusal_ = Errc::system;
    on_device(1, 41);
    on_device(2, 42);
    EXPECT_THAT(done(), IsEmpty());
    EXPECT_EQ(status("bandwidth/failed"), 2U);
    EXPECT_EQ(status("bandwidth/limited"), 0U);
}

TEST_F(BandwidthTest, OfADeviceThatIsGoneTheKernelReportsSo) {
    constexpr std::uint32_t kGone = 0x7ffffff0;
    auto control = adapters::TrafficControl::open();
    ASSERT_TRUE(control) << control.error().detail;
    EXPECT_EQ(control->set(kGone, bandwidth::shaping_of(kRate, 1500)).error().code,
              Errc::not_found);
    EXPECT_TRUE(control->remove(kGone));
}

}  // namespace bandwidth_test
}  // namespace vpnha::runtime
