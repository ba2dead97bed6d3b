// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/text_file.hpp"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace vpnha::adapters {

std::string read_text(const std::string& path) {
    const std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string last_line(const std::string& path) {
    std::ifstream file(path);
    std::string last;
    for (std::string line; std::getline(file, line);) {
        last = line.empty() ? last : line;
    }
    return last;
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

Result<void> replace_text(const std::string& path, const std::string& text) {
    const std::string fresh = path + ".new";
    VPNHA_CHECK(write_text(fresh, text));
    if (std::rename(fresh.c_str(), path.c_str()) != 0) {
        return tl::unexpected(system_error("writing " + path, errno));
    }
    return {};
}

}  // namespace vpnha::adapters
