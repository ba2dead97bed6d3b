// SPDX-License-Identifier: GPL-2.0-or-later
// A system call that fails. A limit of open files would fail the sanitizers' own calls as well.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <thread>

namespace vpnha {

// From now on the call of that number (SYS_…) fails with that error in this thread, and in all that
// it starts. False when the kernel refuses the filter.
[[nodiscard]] inline bool fail_call(long number, int error) {
    sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const sock_fprog program{static_cast<unsigned short>(std::size(instructions)), instructions};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Runs `work` in a thread of its own, where that call fails, and waits for its end. Afterwards the
// call works as before. False, and nothing is run, when the kernel refuses the filter.
template <class Work>
[[nodiscard]] bool run_with_failing_call(long number, int error, Work work) {
    bool fails = false;
    std::thread([&] {
        fails = fail_call(number, error);
        if (fails) {
            work();
        }
    }).join();
    return fails;
}

}  // namespace vpnha
