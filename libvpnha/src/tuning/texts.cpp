// SPDX-License-Identifier: GPL-2.0-or-later
#include "tuning/texts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace vpnha::tuning {

namespace {

// In lines of the length that the house's files have.
std::string comment(std::string_view sentence) {
    constexpr std::size_t kColumns = 98;
    std::string text;
    std::string line = "#";
    while (!sentence.empty()) {
        const std::string_view word = sentence.substr(0, sentence.find(' '));
        if (line.size() + 1 + word.size() > kColumns) {
            text += line + "\n";
            line = "#";
        }
        line.append(" ").append(word);
        sentence.remove_prefix(std::min(word.size() + 1, sentence.size()));
    }
    return text + line + "\n";
}

}  // namespace

std::string to_sysctl_file(const Table& table) {
    std::string text =
        "# SPDX-License-Identifier: GPL-2.0-or-later\n"
        "# What a gateway wants of a node's kernel, for /etc/sysctl.d/60-vpnha.conf of every "
        "node.\n"
        "# Printed by: vpnha config tuning --sysctl\n"
        "#\n"
        "# Settings of net.netfilter are there once their module is: vpnha-modules.conf goes to\n"
        "# /etc/modules-load.d/vpnha.conf. `vpnha doctor` lists what is not in force.\n";
    for (const Row& row : table) {
        if (row.file.empty()) {
            continue;
        }
        text += "\n" + comment(row.why);
        for (const std::string& setting : row.file) {
            text += setting + "\n";
        }
    }
    return text;
}

std::string to_markdown(const Table& table) {
    std::string text = "| setting | wanted | must | how | why |\n|---|---|---|---|---|\n";
    for (const Row& row : table) {
        text += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.name, to_string(row.wanted),
                            row.weight == Weight::must ? "yes" : "", row.how, row.why);
    }
    return text;
}

}  // namespace vpnha::tuning
