// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/checks/connections_check.hpp"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "config/connections.hpp"

namespace vpnha::runtime {

namespace {

// As strongSwan looks for them: beside the file that includes them.
std::vector<std::string> included_by(const std::string& file, const std::string& pattern) {
    const std::filesystem::path whole = std::filesystem::path(file).parent_path() / pattern;
    glob_t found{};
    std::vector<std::string> files;
    if (::glob(whole.c_str(), 0, nullptr, &found) == 0) {
        files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    ::globfree(&found);
    return files;
}

}  // namespace

std::vector<std::string> find_in_connections(const config::Config& config) {
    const auto gateway =
        std::find_if(config.gateways.begin(), config.gateways.end(),
                     [](const config::Gateway& each) { return each.ipsec.has_value(); });
    if (gateway == config.gateways.end()) {
        return {};
    }
    std::vector<std::string> findings;
    config::StrongswanSection all;
    std::deque<std::string> files(gateway->ipsec->connections.begin(),
                                  gateway->ipsec->connections.end());
    std::set<std::string> read;
    while (!files.empty()) {
        const std::string file = files.front();
        files.pop_front();
        if (!read.insert(file).second) {
            continue;
        }
        std::ifstream in(file);
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        if (!in) {
            findings.push_back(fmt::format("{}: not looked at: it cannot be read", file));
            continue;
        }
        const auto parsed = config::parse_strongswan(text);
        if (!parsed) {
            findings.push_back(fmt::format("{}: {}", file, parsed.error().detail));
            continue;
        }
        all.merge(*parsed);
        for (const std::string& pattern : parsed->includes) {
            const auto included = included_by(file, pattern);
            files.insert(files.end(), included.begin(), included.end());
        }
    }
    std::set<IpAddress> vips;
    for (const IpPrefix& vip : gateway->outside.addresses) {
        vips.insert(vip.address);
    }
    if (findings.empty()) {
        findings = config::findings_in_connections(all, vips);
    }
    return findings;
}

}  // namespace vpnha::runtime
