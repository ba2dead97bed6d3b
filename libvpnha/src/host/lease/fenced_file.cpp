// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lease/fenced_file.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace vpnha::adapters {

namespace {

std::string path_beside(const std::string& control_socket) {
    return (std::filesystem::path(control_socket).parent_path() / "fenced").string();
}

std::string first_word(const std::string& path) {
    std::string word;
    std::ifstream(path) >> word;
    return word;
}

std::string present_boot() {
    return first_word("/proc/sys/kernel/random/boot_id");
}

}  // namespace

Result<void> write_fenced_file(const std::string& control_socket) {
    const std::string path = path_beside(control_socket);
    std::ofstream file(path, std::ios::trunc);
    file << present_boot() << '\n';
    file.close();
    if (!file) {
        return tl::unexpected(system_error("writing " + path, errno));
    }
    return {};
}

bool is_fenced(const std::string& control_socket) {
    const std::string fenced = first_word(path_beside(control_socket));
    return !fenced.empty() && fenced == present_boot();
}

Error fenced_error() {
    return {Errc::busy,
            "the other nodes have fenced this boot of the node; nothing of a gateway starts here "
            "before the next one: reset the machine"};
}

}  // namespace vpnha::adapters
