// SPDX-License-Identifier: GPL-2.0-or-later
// The end of a fenced life, on a machine that only says that it was reset.
#include "daemon/fencing.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "host/lease/fenced_file.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::runtime {
namespace fencing_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Each notes what was done to it.
struct FakeServices final : ports::Services {
    explicit FakeServices(std::vector<std::string>& notes) : done(notes) {}
    Result<void> reset(GatewayId, Done) override { return fail(Errc::system, "not now"); }
    Result<void> end(GatewayId gateway) override {
        done.push_back("services " + std::to_string(gateway.value));
        return gateway == GatewayId{1} ? fail(Errc::timeout, "one does not end") : Result<void>();
    }
    void watch(GatewayId) override { done.emplace_back("watched"); }
    std::vector<std::string>& done;
};

struct FakeMachine final : ports::Machine {
    explicit FakeMachine(std::vector<std::string>& notes) : done(notes) {}
    void limit_life() override { done.emplace_back("two seconds"); }
    Error reset() override {
        done.emplace_back("reset");
        return {Errc::system, "in a container"};
    }
    std::vector<std::string>& done;
};

struct FencingTest : ::testing::Test {
    FencingTest() {
        std::filesystem::create_directories(directory);
        config.control_socket = directory + "/control.sock";
        config.gateways.resize(2);
        config.gateways[0].id = GatewayId{1};
        config.gateways[1].id = GatewayId{2};
    }
    ~FencingTest() override { std::filesystem::remove_all(directory); }

    std::string directory = temporary_path("fencing");
    config::Config config;
    std::vector<std::string> done;
    FakeServices services{done};
    FakeMachine machine{done};
};

TEST_F(FencingTest, TheMachineIsResetBehindItsServicesAndWithinTwoSecondsInAnyCase) {
    const Error why = end_fenced_life(config, services, machine);
    EXPECT_THAT(done, ElementsAre("two seconds", "services 1", "services 2", "reset"));
    EXPECT_TRUE(adapters::is_fenced(config.control_socket));
    EXPECT_THAT(why.detail, HasSubstr("in a container"));
}

TEST_F(FencingTest, AMachineThatMustNotBeResetIsNotTouched) {
    config.fencing_reset = false;
    const Error why = end_fenced_life(config, services, machine);
    EXPECT_THAT(done, ElementsAre("services 1", "services 2"));
    EXPECT_TRUE(adapters::is_fenced(config.control_socket));
    EXPECT_THAT(why.detail, HasSubstr("reset the machine"));
}

}  // namespace fencing_test
}  // namespace vpnha::runtime
