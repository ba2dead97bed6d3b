// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/origin.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>
#include <utility>

#include "host/os/text_file.hpp"

namespace vpnha::runtime {

namespace {

// The kernel adds this to the path of a program whose file was removed: dpkg gives the name to a
// new file.
constexpr std::string_view kDeleted = " (deleted)";

}  // namespace

Origin::Origin(StartParameters parameters, std::string program_link)
    : parameters_(std::move(parameters)),
      program_link_(std::move(program_link)),
      config_(adapters::read_text(parameters_.config_file)) {}

std::vector<std::string> Origin::differences(const StartParameters& wanted) const {
    std::vector<std::string> found;
    const auto compare = [&found](std::string_view name, const std::string& was,
                                  const std::string& is) {
        if (was != is) {
            found.push_back(fmt::format("the parameter {} was {} and is {}", name, was, is));
        }
    };
    compare("config", parameters_.config_file, wanted.config_file);
    compare("log_file", parameters_.log_file, wanted.log_file);
    if (adapters::read_text(parameters_.config_file) != config_) {
        found.push_back(fmt::format("{} has changed", parameters_.config_file));
    }
    std::error_code error;
    std::string program = std::filesystem::read_symlink(program_link_, error).string();
    if (program.ends_with(kDeleted)) {
        program.resize(program.size() - kDeleted.size());
        found.push_back(fmt::format("{} was replaced", program));
    }
    return found;
}

}  // namespace vpnha::runtime
