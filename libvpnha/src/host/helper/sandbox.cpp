// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/helper/sandbox.hpp"

#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "host/os/process.hpp"

namespace vpnha::adapters {

namespace {

Result<void> drop_capabilities() {
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
        return tl::unexpected(system_error("clearing the ambient capabilities", errno));
    }
    // Up to the last one that the kernel knows; without CAP_SETPCAP none can be dropped.
    for (int each = 0; ::prctl(PR_CAPBSET_READ, each, 0, 0, 0) >= 0; ++each) {
        ::prctl(PR_CAPBSET_DROP, each, 0, 0, 0);
    }
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
    if (::syscall(SYS_capset, &header, none.data()) != 0) {
        return tl::unexpected(system_error("giving up capabilities", errno));
    }
    return {};
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

Result<void> allow_system_calls() {
    return {};
}

#else

struct ReleaseFilter {
    void operator()(void* filter) const { ::seccomp_release(filter); }
};

// A call, with its permitted arguments; without conditions, any.
struct Allowed {
    int call;
    std::vector<scmp_arg_cmp> only;
};

std::vector<Allowed> allowed_calls() {
    const auto self = static_cast<scmp_datum_t>(::getpid());
    const scmp_arg_cmp not_executable{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
    std::vector<Allowed> allowed;
    // Open descriptors, the clock, the end.
    for (const int call :
         {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
          SCMP_SYS(recvmmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg),
          SCMP_SYS(poll), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_ctl), SCMP_SYS(clock_gettime),
          SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigreturn), SCMP_SYS(exit), SCMP_SYS(exit_group),
          // Memory.
          SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
          // abort(), so that it is seen to be one.
          SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(rt_sigprocmask)}) {
        allowed.push_back({call, {}});
    }
    allowed.push_back({SCMP_SYS(mmap), {not_executable}});
    allowed.push_back({SCMP_SYS(tgkill), {{0, SCMP_CMP_EQ, self, 0}}});
    // unacknowledged() and set_receiving() of protocols/pptp/backend.
    allowed.push_back({SCMP_SYS(ioctl), {{1, SCMP_CMP_EQ, SIOCOUTQ, 0}}});
    allowed.push_back({SCMP_SYS(setsockopt),
                       {{1, SCMP_CMP_EQ, SOL_SOCKET, 0}, {2, SCMP_CMP_EQ, SO_ATTACH_FILTER, 0}}});
    return allowed;
}

Result<void> allow_system_calls() {
    const std::unique_ptr<void, ReleaseFilter> filter(::seccomp_init(SCMP_ACT_KILL_PROCESS));
    if (!filter) {
        return fail(Errc::system, "no filter of system calls can be made");
    }
    for (const Allowed& each : allowed_calls()) {
        const int error =
            ::seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, each.call,
                                     static_cast<unsigned>(each.only.size()), each.only.data());
        if (error != 0) {
            return tl::unexpected(system_error("seccomp_rule_add_array", -error));
        }
    }
    const int error = ::seccomp_load(filter.get());
    if (error != 0) {
        return tl::unexpected(system_error("seccomp_load", -error));
    }
    return {};
}

#endif

}  // namespace

Result<void> enter_sandbox(std::string& unlocked) {
    VPNHA_CHECK(forbid_dumps());
    // Refused if vpnhad may not do it either: then the niceness stays as it is.
    static_cast<void>(prefer_this_process());
    VPNHA_CHECK(drop_capabilities());
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        return tl::unexpected(system_error("preparing a helper process", errno));
    }
    // Without CAP_IPC_LOCK, as from now on.
    if (const Result<void> locked = lock_memory(); !locked) {
        unlocked = locked.error().detail;
    }
    return allow_system_calls();
}

}  // namespace vpnha::adapters
