// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/services/repeated_command.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>

#include "host/os/boot_clock.hpp"
#include "host/os/text_file.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace repeated_command_test {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr RepeatedCommand::Pace kPace{.again = 30s, .retry = 2s, .timeout = 5s};
constexpr TimePoint kNow{1h};

class RepeatedCommandTest : public ::testing::Test {
  protected:
    ~RepeatedCommandTest() override { ::unlink(file_.c_str()); }
    // Which words it got, a line for each run; then `more`.
    [[nodiscard]] std::vector<std::string> command(const std::string& more) const {
        return {"/bin/sh", "-c",     "echo \"$@\" >>" + file_ + "; " + more,
                "sh",      "dialin", "203.0.113.9/32"};
    }
    [[nodiscard]] long runs() const {
        const std::string text = read_text(file_);
        return std::count(text.begin(), text.end(), '\n');
    }
    // Turns at one time of the command's, until that is so.
    template <class Wanted>
    static void turn_until(RepeatedCommand& command, TimePoint now, const Wanted& is_so) {
        const TimePoint until = boot_time() + 10s;
        while (!is_so() && boot_time() < until) {
            command.turn(true, now);
            ::usleep(1000);
        }
        EXPECT_TRUE(is_so());
    }

    std::string file_ = temporary_path("repeated");
};

TEST_F(RepeatedCommandTest, IsRunAtOnceAndAgainLongAfterASuccess) {
    RepeatedCommand repeated(command("true"), kPace);
    repeated.turn(false, kNow);
    turn_until(repeated, kNow, [this] { return runs() == 1; });
    EXPECT_EQ(read_text(file_), "dialin 203.0.113.9/32\n");
    // The end of the first run may not be seen yet: then a later turn does not begin one either.
    const TimePoint until = boot_time() + 200ms;
    turn_until(repeated, kNow, [&] { return boot_time() > until; });
    repeated.turn(true, kNow + kPace.again - 1ms);
    EXPECT_EQ(runs(), 1);
    EXPECT_EQ(repeated.failure(), "");
    turn_until(repeated, kNow + kPace.again, [this] { return runs() == 2; });
}

TEST_F(RepeatedCommandTest, IsTriedAgainSoonAfterAFailureThatItNames) {
    RepeatedCommand repeated(command("exit 3"), kPace);
    turn_until(repeated, kNow, [&] { return !repeated.failure().empty(); });
    EXPECT_EQ(repeated.failure(), "/bin/sh ended with exit code 3");
    repeated.turn(true, kNow + kPace.retry - 1ms);
    EXPECT_EQ(runs(), 1);
    turn_until(repeated, kNow + kPace.retry, [this] { return runs() == 2; });
    repeated.turn(false, kNow);
    EXPECT_EQ(repeated.failure(), "") << "nobody wants it any more";
}

TEST_F(RepeatedCommandTest, IsKilledWhenItIsNotWantedAndRunAgainWhenItIs) {
    RepeatedCommand repeated(command("exec tail -f /dev/null"), kPace);
    turn_until(repeated, kNow, [this] { return runs() == 1; });
    const TimePoint asked_at = boot_time();
    repeated.turn(false, kNow);
    EXPECT_LT(boot_time() - asked_at, 3s);
    turn_until(repeated, kNow, [this] { return runs() == 2; });
}

TEST_F(RepeatedCommandTest, IsKilledWhenItLastsTooLong) {
    RepeatedCommand repeated(command("exec tail -f /dev/null"), {.timeout = 50ms});
    turn_until(repeated, kNow, [&] { return !repeated.failure().empty(); });
    EXPECT_THAT(repeated.failure(), HasSubstr("does not end within 50 ms"));
}

TEST_F(RepeatedCommandTest, WithoutArgumentsNothingIsRun) {
    RepeatedCommand repeated({}, kPace);
    repeated.turn(true, kNow);
    repeated.turn(true, kNow + 1h);
    EXPECT_EQ(repeated.failure(), "");
}

}  // namespace repeated_command_test
}  // namespace vpnha::adapters
