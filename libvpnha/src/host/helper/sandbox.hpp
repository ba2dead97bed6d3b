// SPDX-License-Identifier: GPL-2.0-or-later
// What a helper process gives up before it reads the first octet: capabilities, dumps, new
// privileges, and all system calls that it does not need (seccomp(2)). It keeps the descriptors
// that vpnhad has given it, and can get more only from vpnhad.
#pragma once

#include <string>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Restricts the calling process, which has one thread, for good:
// - it is killed when the thread that started it ends (PR_SET_PDEATHSIG);
// - its niceness is -10 where that is allowed: users' packets wait for it while a promoted node
//   starts its services, as those of the kernel's protocols do not;
// - no core file, no debugger without CAP_SYS_PTRACE, no new privileges;
// - no capability, effective, permitted, inheritable or ambient. The bounding set is emptied where
//   CAP_SETPCAP allows it; nothing could come out of it, since execve() is not allowed;
// - only system calls of a program that reads and writes open descriptors, allocates memory
//   and ends. Any other one kills the process (SIGSYS). A sanitizer's build has no such list.
// The user stays the caller's: root without capabilities owns root's files, but no system call is
// left to open one. Error: one of these is refused. `unlocked`: why its memory may be swapped out;
// empty: it is locked, as vpnhad's is.
[[nodiscard]] Result<void> enter_sandbox(std::string& unlocked);

}  // namespace vpnha::adapters
