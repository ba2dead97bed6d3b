// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/services/private_run.hpp"

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace vpnha::adapters {

namespace {

constexpr const char* kRun = "/run";
// pppd 2.5 has its files of fixed names in there.
constexpr const char* kOwnFolder = "pppd";

}  // namespace

std::string run_directory(const std::string& netns) {
    return netns.empty() ? kRun : "/run/vpnha/run/" + netns;
}

Result<PrivateRun> PrivateRun::prepare(const std::string& netns) {
    PrivateRun run;
    run.directory_ = run_directory(netns);
    const auto failed = [&run](const std::error_code& error) {
        return tl::unexpected(system_error("preparing " + run.directory_, error.value()));
    };
    std::error_code error;
    if (std::filesystem::create_directories(run.directory_, error); error) {
        return failed(error);
    }
    std::filesystem::directory_iterator entries(kRun, error);
    for (const std::filesystem::directory_iterator end; !error && entries != end;
         entries.increment(error)) {
        if (entries->symlink_status(error).type() != std::filesystem::file_type::directory) {
            continue;  // Or it is gone.
        }
        const std::string name = entries->path().filename();
        const std::string own = run.directory_ + "/" + name;
        if (std::filesystem::create_directory(own, error); error) {
            return failed(error);
        }
        if (name != kOwnFolder) {
            run.shared_.emplace_back(entries->path(), own);
        }
    }
    if (error) {
        return failed(error);
    }
    return run;
}

int PrivateRun::enter() const {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
        return errno;
    }
    for (const auto& [shared, own] : shared_) {
        if (::mount(shared.c_str(), own.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0 &&
            errno != ENOENT) {
            return errno;  // One that has gone since then does not matter.
        }
    }
    return ::mount(directory_.c_str(), kRun, nullptr, MS_BIND | MS_REC, nullptr) == 0 ? 0 : errno;
}

}  // namespace vpnha::adapters
