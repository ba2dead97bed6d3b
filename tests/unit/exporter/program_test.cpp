// SPDX-License-Identifier: GPL-2.0-or-later
// The program as systemd starts it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>

#include "host/os/program_output.hpp"
#include "unit/exporter/loopback.hpp"

namespace vpnha::exporter {
namespace program_test {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// With the socket as the third descriptor.
pid_t start_with(const adapters::UniqueFd& socket) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (::dup2(socket.get(), 3) == 3) {
            ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
            ::setenv("LISTEN_FDS", "1", 1);
            ::execl(VPNHA_EXPORTER_PROGRAM, VPNHA_EXPORTER_PROGRAM, "--socket", "/nonexistent",
                    nullptr);
        }
        ::_exit(127);
    }
    return child;
}

TEST(ExporterProgramTest, ServesOnTheSocketThatItIsGiven) {
    const adapters::UniqueFd socket = listener();
    const pid_t program = start_with(socket);
    const adapters::UniqueFd client = client_of(socket);
    send_to(client, "GET /metrics HTTP/1.0\r\n\r\n");
    EXPECT_THAT(rest_of(client), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("\nvpnha_up 0\n")));
    ASSERT_EQ(::kill(program, SIGTERM), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(program, &status, 0), program);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

TEST(ExporterProgramTest, WithoutASocketItNamesTheUnit) {
    const std::chrono::seconds patience(10);
    const auto output =
        adapters::printed_by({"/bin/sh", "-c", VPNHA_EXPORTER_PROGRAM " 2>&1"}, patience);
    ASSERT_TRUE(output);
    EXPECT_EQ(output->code, 1);
    EXPECT_THAT(output->text, HasSubstr("systemctl enable --now vpnha-exporter.socket"));
    const auto two = adapters::printed_by(
        {"/bin/sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=2 exec " VPNHA_EXPORTER_PROGRAM " 2>&1"},
        patience);
    ASSERT_TRUE(two);
    EXPECT_THAT(two->text, HasSubstr("it was given 2 sockets"));
    const auto wrong = adapters::printed_by(
        {"/bin/sh", "-c", VPNHA_EXPORTER_PROGRAM " --port 80 2>/dev/null"}, patience);
    ASSERT_TRUE(wrong);
    EXPECT_EQ(wrong->code, 2);
}

}  // namespace program_test
}  // namespace vpnha::exporter
