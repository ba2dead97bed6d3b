// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/text_file.hpp"

#include <cerrno>
#include <fstream>
#include <sstream>

namespace vpnha::adapters {

std::string read_text(const std::string& path) {
    const std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

Result<void> write_text(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::trunc);
    file << text;
    file.close();
    if (!file) {
        return tl::unexpected(system_error("writing " + path, errno));
    }
    return {};
}

Result<void> keep_secondaries(const std::string& interface) {
    const std::string path = "/proc/sys/net/ipv4/conf/" + interface + "/promote_secondaries";
    return read_text(path).starts_with('1') ? Result<void>{} : write_text(path, "1");
}

}  // namespace vpnha::adapters
