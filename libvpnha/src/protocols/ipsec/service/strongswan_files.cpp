// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/service/strongswan_files.hpp"

#include <fmt/format.h>
#include <glob.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace vpnha::adapters {

namespace {

using config::StrongswanFile;

// nullopt: the file cannot be read or parsed.
std::optional<StrongswanFile> read_file(const std::string& name) {
    std::error_code ignored;
    std::ifstream in(name);
    if (!in || !std::filesystem::is_regular_file(name, ignored)) {
        return std::nullopt;
    }
    return StrongswanFile{name, {std::istreambuf_iterator<char>(in), {}}};
}

// In the folder of the file that includes them, unless the pattern is absolute.
std::vector<StrongswanFile> included_by(const std::string& file, const std::string& pattern) {
    const std::filesystem::path whole = std::filesystem::path(file).parent_path() / pattern;
    glob_t found{};
    std::vector<StrongswanFile> files;
    if (::glob(whole.c_str(), 0, nullptr, &found) == 0) {
        for (std::size_t i = 0; i < found.gl_pathc; ++i) {
            if (auto read = read_file(found.gl_pathv[i])) {
                files.push_back(std::move(*read));
            }
        }
    }
    ::globfree(&found);
    return files;
}

}  // namespace

Result<LoadedStrongswan> load_strongswan(const std::string& file) {
    const auto read = read_file(file);
    if (!read) {
        return fail(Errc::system, fmt::format("{} cannot be read", file));
    }
    LoadedStrongswan loaded{.top = {}, .files = {file}};
    const auto include = [&loaded](const std::string& by, const std::string& pattern) {
        std::vector<StrongswanFile> included = included_by(by, pattern);
        for (const StrongswanFile& each : included) {
            loaded.files.push_back(each.name);
        }
        return included;
    };
    VPNHA_TRY(const config::StrongswanSection top, config::parse_strongswan(*read, include));
    loaded.top = config::with_references(top);
    return loaded;
}

}  // namespace vpnha::adapters
