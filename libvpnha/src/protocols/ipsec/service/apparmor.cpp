// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/service/apparmor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "host/os/text_file.hpp"

namespace vpnha::adapters {

namespace {

// "NAME (MODE)". A profile has its program's path as its name, or another one.
bool is_enforced(const std::string& program, const std::string& profiles) {
    const std::string name = std::filesystem::path(program).filename();
    std::istringstream lines(profiles);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t mode = line.rfind(" (");
        if (mode == std::string::npos) {
            continue;
        }
        const std::string profile = line.substr(0, mode);
        const std::string how = line.substr(mode);
        if ((profile == program || profile == name) && (how == " (enforce)" || how == " (kill)")) {
            return true;
        }
    }
    return false;
}

// The file that the package's profile includes.
std::string local_file(const std::string& program, const std::string& folder) {
    std::string name = program.substr(std::min(program.find_first_not_of('/'), program.size()));
    std::replace(name.begin(), name.end(), '/', '.');
    return folder + "/" + name;
}

// The start of each rule of `text`, up to its first wildcard: "/srv/vpnha/" of `/srv/vpnha/** r,`.
std::vector<std::string> named_by(const std::string& text) {
    std::vector<std::string> named;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t first = line.find_first_of("#/");
        if (first == std::string::npos || line[first] == '#') {
            continue;
        }
        named.push_back(line.substr(first, line.find_first_of("*?[{\" \t,", first) - first));
    }
    return named;
}

}  // namespace

Result<void> check_may_read(const ConfinedProgram& program, const std::vector<std::string>& files,
                            const ApparmorPlaces& places) {
    if (!is_enforced(program.path, read_text(places.profiles))) {
        return {};
    }
    const std::string local = local_file(program.path, places.local);
    std::vector<std::string> readable = named_by(read_text(local));
    readable.insert(readable.end(), program.readable.begin(), program.readable.end());
    for (const std::string& file : files) {
        std::error_code ignored;
        const std::filesystem::path real = std::filesystem::weakly_canonical(file, ignored);
        if (std::none_of(readable.begin(), readable.end(), [&real](const std::string& start) {
                return real.string().starts_with(start);
            })) {
            return fail(
                Errc::invalid_config,
                fmt::format("AppArmor does not let {} read {}; write '\"{}/{{,**}}\" r,' "
                            "into {} and load its profile again with apparmor_parser -r",
                            program.path, real.string(), real.parent_path().string(), local));
        }
    }
    return {};
}

}  // namespace vpnha::adapters
