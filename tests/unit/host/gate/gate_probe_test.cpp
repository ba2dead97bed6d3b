// SPDX-License-Identifier: GPL-2.0-or-later
// What is reported of a kernel without what the gate needs.
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "support/failing_call.hpp"
#include "unit/host/gate/gate_host.hpp"

namespace vpnha::adapters {
namespace gate_probe_test {

// What probe_gate() says in a process that `cripple` was called in; "" when all is there.
std::string probed_after(const std::function<bool()>& cripple) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        std::string emitted = "not crippled";
        if (cripple()) {
            const Result<void> probed = probe_gate();
            emitted =
                probed ? ""
                       : std::string(to_string(probed.error().code)) + ": " + probed.error().detail;
        }
        _exit(write(ends[1], emitted.data(), emitted.size()) == static_cast<ssize_t>(emitted.size())
                  ? 0
                  : 1);
    }
    close(ends[1]);
    std::string emitted(512, '\0');
    const ssize_t got = read(ends[0], emitted.data(), emitted.size());
    close(ends[0]);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    emitted.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return emitted;
}

class GateProbeTest : public GateHost {};

TEST_F(GateProbeTest, FindsEverythingAndLeavesNothing) {
    const auto probed = probe_gate();
    EXPECT_TRUE(probed) << probed.error().detail;
    EXPECT_EQ(testing::output_of("tc qdisc show").find("clsact"), std::string::npos);
}

TEST_F(GateProbeTest, ReportsThatTheKernelHasNoBpf) {
    EXPECT_EQ(probed_after([] { return fail_call(SYS_bpf, ENOSYS); }),
              "unsupported: load the gate's BPF program: this kernel does not have "
              "bpf(2), CONFIG_BPF_SYSCALL; Debian's does");
}

TEST_F(GateProbeTest, ReportsThatItIsNotPermitted) {
    EXPECT_EQ(probed_after([] { return fail_call(SYS_bpf, EPERM); }),
              "permission: load the gate's BPF program: not permitted; it needs root, or CAP_BPF "
              "and CAP_NET_ADMIN");
}

TEST_F(GateProbeTest, OnlyRootCanLook) {
    EXPECT_EQ(probed_after([] { return setresuid(65534, 65534, 65534) == 0; }),
              "permission: only root can look whether this kernel has what the gate needs");
}

}  // namespace gate_probe_test
}  // namespace vpnha::adapters
