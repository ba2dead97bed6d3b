// SPDX-License-Identifier: GPL-2.0-or-later
// announce-prefixes beside a gate of the test: what it announces is what the gate lets pass.
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "host/os/text_file.hpp"
#include "host/services/detached_program.hpp"
#include "support/temporary_path.hpp"
#include "unit/host/gate/gate_host.hpp"

namespace vpnha::adapters {
namespace announce_program_test {

using namespace std::chrono_literals;
using testing::output_of;

constexpr const char* kConfig = R"(
[gateway.vpn]
id = 7
ppp_local = "10.64.0.1"
pools = ["10.64.1.0/24"]
[gateway.vpn.outside]
interface = "out0"
addresses = ["192.0.2.100/24"]
[gateway.vpn.inside]
interface = "in0"
addresses = ["198.51.100.100/24"]
[gateway.vpn.l2tp]
ppp_options = "/etc/ppp/options.l2tp"
)";
// The kernel takes what is lent away 2 to 3 s after the last turn.
constexpr auto kLentMax = 4s;

class AnnounceProgramTest : public GateHost {
  protected:
    void SetUp() override {
        GateHost::SetUp();
        std::filesystem::create_directories(directory_);
        ASSERT_TRUE(write_text(directory_ + "/vpnha.toml", kConfig));
        ASSERT_TRUE(
            write_text(directory_ + "/started",
                       R"({"gateway": "vpn", "config": ")" + directory_ +
                           R"(/vpnha.toml", "interface": "out0", "prefixes": ["203.0.113.9/32"],)"
                           R"( "command": ["/bin/sh", "-c", "echo $1 >>)" +
                           directory_ + R"(/ran", "sh", "vpn"]})"));
    }
    void TearDown() override {
        EXPECT_TRUE(program_.end());
        std::filesystem::remove_all(directory_);
        GateHost::TearDown();
    }
    void start() {
        const auto started = program_.ensure(
            {.arguments = {VPNHA_ANNOUNCE_PREFIXES_PROGRAM, directory_}, .error_file = errors_});
        ASSERT_TRUE(started) << started.error().detail;
    }
    void signal(int number) { ASSERT_EQ(::kill(program_.process()->pid, number), 0); }
    static bool is_announced() {
        return output_of("ip -o addr show dev out0").find("203.0.113.9/32") != std::string::npos;
    }
    // Within that time.
    [[nodiscard]] ::testing::AssertionResult becomes(bool announced, Duration patience) const {
        const TimePoint until = boot_time() + patience;
        while (is_announced() != announced && boot_time() < until) {
            ::usleep(10000);
        }
        return is_announced() == announced ? ::testing::AssertionSuccess()
                                           : ::testing::AssertionFailure() << read_text(errors_);
    }

    std::string directory_ = temporary_path("announce");
    std::string errors_ = directory_ + "/errors";
    DetachedProgram program_{directory_ + "/program"};
};

TEST_F(AnnounceProgramTest, AnnouncesUntilTheLeaseEndsThoughNobodyShutsTheGate) {
    BpfGate gate = attached();
    start();
    EXPECT_FALSE(becomes(true, kNothing)) << "the gate is shut";
    ASSERT_TRUE(gate.open_until(kId, kForever));
    EXPECT_TRUE(becomes(true, kSoon));
    const TimePoint lease_end = boot_time() + 500ms;
    ASSERT_TRUE(gate.open_until(kId, lease_end));
    EXPECT_TRUE(becomes(false, kSoon));
    EXPECT_GE(boot_time(), lease_end);
    EXPECT_EQ(read_text(directory_ + "/ran"), "vpn\n");
}

TEST_F(AnnounceProgramTest, TheKernelWithdrawsForOneThatStandsStill) {
    BpfGate gate = attached();
    ASSERT_TRUE(gate.open_until(kId, kForever));
    start();
    EXPECT_TRUE(becomes(true, kSoon));
    signal(SIGSTOP);
    EXPECT_TRUE(becomes(false, kLentMax));
    signal(SIGCONT);
    EXPECT_TRUE(becomes(true, kSoon));
    signal(SIGKILL);
    EXPECT_TRUE(becomes(false, kLentMax));
}

TEST_F(AnnounceProgramTest, ReportsWhatItCannotDo) {
    BpfGate gate = attached();
    ASSERT_TRUE(gate.open_until(kId, kForever));
    std::string started = read_text(directory_ + "/started");
    started.replace(started.find("out0"), 4, "gone");
    ASSERT_TRUE(write_text(directory_ + "/started", started));
    start();
    const TimePoint until = boot_time() + kSoon;
    const auto is_there = [this](const char* file) {
        return !read_text(directory_ + file).empty();
    };
    // The command is a process of its own, which writes into the directory as well.
    while (!(is_there("/trouble") && is_there("/ran")) && boot_time() < until) {
        ::usleep(10000);
    }
    EXPECT_EQ(read_text(directory_ + "/trouble"), "there is no device gone");
}

}  // namespace announce_program_test
}  // namespace vpnha::adapters
