// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/backend/call_pppds.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "host/os/process.hpp"
#include "host/os/spawn_rules.hpp"
#include "protocols/l2tp/service/xl2tpd_service.hpp"

namespace vpnha::adapters {

namespace {

constexpr const char* kPathOfPppd =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// Without vpnhad's environment and descriptors.
Result<pid_t> spawn_pppd(const std::vector<std::string>& arguments, int session) {
    const SpawnRules rules("/dev/null", session);
    const std::vector<char*> argv = pointers_to(arguments);
    const std::vector<std::string> variables{kPathOfPppd};
    pid_t child = -1;
    const int error = ::posix_spawn(&child, argv.front(), rules.actions(), rules.attributes(),
                                    argv.data(), pointers_to(variables).data());
    if (error != 0) {
        return tl::unexpected(system_error("starting " + arguments.front(), error));
    }
    return child;
}

std::string end_of_pppd(int status) {
    return WIFSIGNALED(status) ? fmt::format("its pppd was killed by signal {}", WTERMSIG(status))
                               : fmt::format("its pppd ended with {}", WEXITSTATUS(status));
}

}  // namespace

std::vector<std::string> call_arguments(const std::string& program, int socket,
                                        const l2tp::SessionKey& call,
                                        const std::vector<std::string>& options) {
    std::vector<std::string> arguments{program,
                                       "plugin",
                                       "pppol2tp.so",
                                       "pppol2tp",
                                       std::to_string(socket),
                                       "pppol2tp_lns_mode",
                                       "pppol2tp_tunnel_id",
                                       std::to_string(call.tunnel.id.value),
                                       "pppol2tp_session_id",
                                       std::to_string(call.id.value)};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return arguments;
}

Result<std::unique_ptr<CallPppds>> CallPppds::create(QbLoop& loop, Over over, std::string program,
                                                     std::string run_root) {
    VPNHA_TRY(auto polls, PollSet::create(loop));
    return std::unique_ptr<CallPppds>(
        new CallPppds(std::move(polls), std::move(over), std::move(program), std::move(run_root)));
}

CallPppds::~CallPppds() {
    for (const auto& [call, pppd] : pppds_) {
        polls_->remove(pppd.ended.get());
        ::kill(pppd.pid, SIGKILL);
        wait_for(pppd.pid);
    }
}

Result<void> CallPppds::start(const config::Gateway& gateway, const l2tp::SessionKey& call,
                              const UniqueFd& session, std::set<Ipv4Address> taken) {
    VPNHA_TRY(const Xl2tpdLns lns, running_lns(gateway.name, run_root_));
    std::optional<Ipv4Address> address;
    if (gateway.common_pool.empty() && lns.assigns_address) {
        for (const auto& [other, pppd] : pppds_) {
            if (pppd.address) {
                taken.insert(*pppd.address);
            }
        }
        address = last_free_address(lns, taken);
        if (!address) {
            return fail(Errc::limit, "xl2tpd's 'ip range' has no address left for its client");
        }
    }
    const std::vector<std::string> options = pppd_options(lns, address, call.tunnel.peer.address);
    VPNHA_TRY(
        const pid_t pid,
        spawn_pppd(call_arguments(program_, SpawnRules::kKept, call, options), session.get()));
    // By number: glibc 2.36 declares its wrapper without C linkage.
    UniqueFd ended(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    const auto watched = ended ? polls_->add(ended.get(), [this, call](Readiness) { on_end(call); })
                               : fail(Errc::limit, "no descriptor for the end of its pppd");
    if (!watched) {
        ::kill(pid, SIGKILL);
        wait_for(pid);
        return watched;
    }
    pppds_.emplace(call, Pppd{gateway.id, pid, std::move(ended), address});
    return {};
}

bool CallPppds::end(const l2tp::SessionKey& call) {
    const auto found = pppds_.find(call);
    if (found == pppds_.end()) {
        return false;
    }
    ::kill(found->second.pid, SIGTERM);  // Its number is not reused before it is waited for.
    return true;
}

void CallPppds::on_end(const l2tp::SessionKey& call) {
    const auto found = pppds_.find(call);
    const l2tp::SessionKey key = found->first;
    const GatewayId gateway = found->second.gateway;
    const std::string why = end_of_pppd(wait_for(found->second.pid));
    polls_->remove(found->second.ended.get());
    pppds_.erase(found);
    over_(gateway, key, why);
}

}  // namespace vpnha::adapters
