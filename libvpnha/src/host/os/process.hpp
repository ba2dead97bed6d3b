// SPDX-License-Identifier: GPL-2.0-or-later
// Processes of other programs: found in /proc, ended without a chance to send anything, and started
// independent of their starter. A pid alone is no identity, as it is reused: a process is known by
// pid and start time. A pidfd is opened before both are compared, and used for signals.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

struct Process {
    pid_t pid = 0;
    pid_t parent = 0;
    bool stopped = false;                // By SIGSTOP or a debugger.
    std::uint64_t start_ticks = 0;       // Since the node's boot.
    std::vector<std::string> arguments;  // Empty for kernel threads.
};

// nullopt: gone, or a zombie.
[[nodiscard]] std::optional<Process> read_process(pid_t pid);
// Its private writable memory, as RLIMIT_DATA counts it (VmData of proc(5)), in octets; 0: it is
// gone.
[[nodiscard]] std::uint64_t data_bytes(const Process& process);
[[nodiscard]] Result<std::vector<Process>> list_processes();
// Those whose program has that file name, in this thread's network namespace, or in one that this
// process may not read: that of a process with more capabilities. None when processes cannot be
// listed.
[[nodiscard]] std::vector<Process> processes_here(std::string_view program);

// Whether its program was started with NAME=VALUE in its environment; children inherit that.
[[nodiscard]] bool has_variable(const Process& process, const std::string& variable);

// Readable when the process has ended; none when it has already.
[[nodiscard]] UniqueFd open_process(const Process& process);

// As exec(3) requires them: pointers to `texts`, which stay the caller's, and a nullptr.
[[nodiscard]] std::vector<char*> pointers_to(const std::vector<std::string>& texts);

struct Command {
    std::vector<std::string> arguments;  // The program's path first.
    std::string error_file{};            // Receives stdout and stderr, truncated; empty: discarded.
    std::vector<std::string> environment{};  // NAME=VALUE, besides PATH.
    // RLIMIT_DATA of spawn_detached(), for it and for each of its children; 0: none.
    std::uint64_t data_bytes_max = 0;
    // Runs in the child of spawn_detached() and run_to_end(), before the program: only system
    // calls. An errno instead of 0 is the error of the start.
    std::function<int()> in_child{};
};

// Keys must never reach a disk. No core file; none through a pipe either, as systemd-coredump does
// (core(5): the limit does not apply there); and no debugger without CAP_SYS_PTRACE. The second and
// third last until exec().
[[nodiscard]] Result<void> forbid_dumps();
// From now on the pages of this process stay in memory once touched (mlockall(2), MCL_ONFAULT), as
// Corosync's do: no key reaches a swap device, and the loop waits for none. It lasts until exec(),
// and does not apply to children. Error system: RLIMIT_MEMLOCK applies (no CAP_IPC_LOCK), and
// nothing is locked: the kernel would refuse all memory beyond the limit.
[[nodiscard]] Result<void> lock_memory();
// nice -10 for this process and its children: another node waits for their work. Error system: no
// CAP_SYS_NICE.
[[nodiscard]] Result<void> prefer_this_process();
// The calling thread runs in real time from now on, with Corosync's policy and priority (SCHED_RR,
// the highest; sched(7)): a Corosync that forms a ring may keep a processor for a whole lease.
// Threads that it starts are ordinary (SCHED_RESET_ON_FORK, niceness 0). The kernel leaves 5 % of
// the time to the rest of the node (sched_rt_runtime_us). Error system: the kernel or the cgroup
// refuses, and the thread runs at nice -10 if that is permitted.
[[nodiscard]] Result<void> run_in_real_time();
[[nodiscard]] bool runs_in_real_time();

// Starts the command in its own session, without the caller's environment, descriptors and
// niceness, as a child of init. It and its children leave no core file (core(5)): a stock daemon's
// has keys in it, and Pacemaker removes the limit for its agents. Returns its pid; an error when
// the program could not be executed.
[[nodiscard]] Result<pid_t> spawn_detached(const Command& command);

// How a command ended.
struct Ended {
    int code = 0;  // As in a shell: for a signal 128 more than its number.
    std::string
        errors;  // The first 8 KiB of its output to stderr: its lines, with "; " between them.
};

// Runs the command to its end in the same way. After `timeout` it is killed, which is an error. Its
// stderr is a pipe, and its stdout is discarded; the command must have no error_file. A profile of
// AppArmor can prevent a program from writing to a file of its starter's (file_inherit of
// apparmor.d(5)), but not to a pipe.
[[nodiscard]] Result<Ended> run_to_end(const Command& command, std::chrono::milliseconds timeout);

// Runs the command to its end as the leader of a process group, in "/" and in its own session. It
// has none of the caller's environment, descriptors and signal handlers. Returns its exit code.
// After `timeout` the whole group is killed (Errc::timeout), and as soon as `stop` is readable
// (Errc::unreachable; -1: it never is). Processes that it left in the background before it ended
// continue. The caller's memory is not copied: only the calling thread waits for the start. So it
// is for threads, whose niceness the command has as well.
[[nodiscard]] Result<int> run_group_to_end(const Command& command,
                                           std::chrono::milliseconds timeout, int stop);

// A child continues after its parent, in its own session and without its streams. So no reader of
// the streams waits for it, and nobody who waits for the parent does.
void leave_caller();

// For the end of a program that Pacemaker runs: its output is written. If
// its output is a pipe, a child keeps that open until the program has ended,
// and closes it then. Pacemaker's SIGCHLD handler only sets a flag. One that
// comes between its check of the flags and its poll() is handled 500 ms later
// (crm_trigger_prepare(), lib/common/mainloop.c), unless a polled descriptor wakes it.
void close_output_after_end();

// SIGTERM, and so much time to end by itself; the caller has to check the result.
void terminate_and_wait(const Process& process, std::chrono::milliseconds patience);

// SIGKILL to all, then waits until each is gone. None of them reacts to the death of another one:
// they are stopped first. An error when one is left after `timeout`.
[[nodiscard]] Result<void> kill_and_wait(const std::vector<Process>& processes,
                                         std::chrono::milliseconds timeout);

}  // namespace vpnha::adapters
