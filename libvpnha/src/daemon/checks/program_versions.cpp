// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/program_versions.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <array>
#include <chrono>
#include <sstream>

#include "host/os/process.hpp"
#include "host/os/program_output.hpp"
#include "protocols/tables.hpp"

namespace vpnha::runtime {

namespace {

using tuning::ProgramVersion;

constexpr const char* kDpkg = "/usr/bin/dpkg";
constexpr const char* kDpkgQuery = "/usr/bin/dpkg-query";
// `vpnha status` waits for it.
constexpr std::chrono::seconds kDpkgTimeout{2};
constexpr std::string_view kKernelPackage = "linux-image-amd64";

constexpr std::array kOfEachGateway{
    ProgramVersion{"pppd", "ppp", "2.4.9-1",
                   "CVE-2020-8597: a long EAP name overflows a buffer before the user is known"},
    ProgramVersion{"FreeRADIUS", "freeradius", "3.2.5",
                   "CVE-2024-3596 (BlastRADIUS): older ones have no require_message_authenticator"},
    ProgramVersion{"Corosync", "corosync", "3.1.7-1+deb12u2",
                   "CVE-2025-30472, CVE-2026-35091, CVE-2026-35092: overflows, where knet is not "
                   "encrypted or its key is known"},
    ProgramVersion{"Corosync of Debian 13", "corosync", "3.1.9-2+deb13u1", "updates of Debian 13",
                   "3.1.8"},
    ProgramVersion{
        "Pacemaker", "pacemaker", "2.1.5-1+deb12u1",
        "CVE-2020-25654: the tool checks rights, and the daemon does not (before 2.0.5)"},
    ProgramVersion{"OpenSSL", "libssl3", "3.0.19-1~deb12u2", "updates of Debian 12"},
    ProgramVersion{"OpenSSL of Debian 13", "libssl3t64", "3.5.9-1~deb13u1", "updates of Debian 13"},
    ProgramVersion{"the kernel", kKernelPackage, "6.1",
                   "the oldest whose traffic control has what the gate needs"},
};

Result<bool> is_older(const std::string& version, const std::string& least) {
    VPNHA_TRY(
        const adapters::Ended ended,
        adapters::run_to_end({.arguments = {kDpkg, "--compare-versions", version, "lt", least}},
                             kDpkgTimeout));
    if (ended.code > 1) {
        return fail(Errc::system,
                    fmt::format("dpkg --compare-versions {}: {}", version, ended.errors));
    }
    return ended.code == 0;
}

// Empty: it is not installed.
std::string version_of(std::string_view package, std::string_view packages) {
    std::istringstream lines{std::string(packages)};
    for (std::string name, status, version; lines >> name >> status;) {
        std::getline(lines, version);  // Empty where nothing is installed.
        if (name == package && status == "installed") {
            return version.substr(version.find_first_not_of(' '));
        }
    }
    return {};
}

}  // namespace

const std::vector<ProgramVersion>& program_versions() {
    static const std::vector<ProgramVersion> kAll = [] {
        std::vector<ProgramVersion> all = tuning::program_versions();
        all.insert(all.end(), kOfEachGateway.begin(), kOfEachGateway.end());
        return all;
    }();
    return kAll;
}

Result<std::vector<OldProgram>> find_old_programs(std::string_view packages,
                                                  const std::string& kernel) {
    std::vector<OldProgram> old;
    for (const ProgramVersion& each : program_versions()) {
        const std::string installed =
            each.package == kKernelPackage ? kernel : version_of(each.package, packages);
        if (installed.empty()) {
            continue;
        }
        if (!each.from.empty()) {
            VPNHA_TRY(const bool before, is_older(installed, std::string(each.from)));
            if (before) {
                continue;
            }
        }
        // A row of a later series replaces an earlier one.
        std::erase_if(old,
                      [&each](const OldProgram& other) { return other.package == each.package; });
        VPNHA_TRY(const bool older, is_older(installed, std::string(each.least)));
        if (older) {
            old.push_back({std::string(each.program), std::string(each.package), installed,
                           std::string(each.least), std::string(each.why)});
        }
    }
    return old;
}

Result<std::string> read_packages() {
    return adapters::output_of(
        {kDpkgQuery, "--show", "--showformat", "${Package} ${db:Status-Status} ${Version}\\n"},
        kDpkgTimeout, adapters::ErrorOutput::dropped);
}

std::string kernel_release() {
    utsname name{};
    return ::uname(&name) == 0 ? name.release : "";
}

}  // namespace vpnha::runtime
