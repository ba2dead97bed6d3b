// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/chrony_conf.hpp"

#include <fmt/format.h>
#include <glob.h>
#include <strings.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace vpnha::adapters {

namespace {

namespace fs = std::filesystem;

constexpr int kDepthMax = 10;          // chrony's own bound of includes.
constexpr double kLinuxMax = 100'000;  // The limit of adjtimex by ticks.

bool is_word(const std::string& word, const char* directive) {
    return ::strcasecmp(word.c_str(), directive) == 0;
}

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
        words.push_back(std::move(word));
    }
    if (!words.empty() && std::string_view("!;#%").find(words.front()[0]) != std::string::npos) {
        words.clear();
    }
    return words;
}

class Reader {
  public:
    Result<void> read_file(const std::string& path, int depth) {
        if (depth > kDepthMax) {
            return fail(Errc::invalid_config,
                        fmt::format("{}: included more than {} deep", path, kDepthMax));
        }
        errno = 0;
        std::ifstream file(path);
        std::error_code ignored;
        if (!file || fs::is_directory(path, ignored)) {
            const int error = errno != 0 ? errno : EISDIR;
            Error failed = system_error("reading " + path, error);
            failed.code = error == EACCES ? Errc::permission : Errc::system;
            return tl::unexpected(std::move(failed));
        }
        int number = 0;
        for (std::string line; std::getline(file, line);) {
            VPNHA_CHECK(obey(words_of(line), fmt::format("{}:{}", path, ++number), depth));
        }
        return {};
    }

    [[nodiscard]] const SlewLimit& found() const { return found_; }

  private:
    Result<void> obey(const std::vector<std::string>& words, const std::string& where, int depth) {
        if (words.size() < 2) {
            return {};
        }
        if (is_word(words[0], "maxslewrate")) {
            return set(words[1], where);
        }
        if (is_word(words[0], "include")) {
            return include(words[1], depth);
        }
        if (is_word(words[0], "confdir")) {
            return read_directories({words.begin() + 1, words.end()}, depth);
        }
        return {};
    }

    Result<void> set(const std::string& text, const std::string& where) {
        char* end = nullptr;
        const double ppm = std::strtod(text.c_str(), &end);
        if (end == text.c_str() || *end != '\0' || std::isnan(ppm) || ppm < 0) {
            return fail(
                Errc::invalid_config,
                fmt::format("{}: maxslewrate takes a number of ppm, not '{}'", where, text));
        }
        found_ = {std::min(ppm, kLinuxMax), where};
        return {};
    }

    Result<void> include(const std::string& pattern, int depth) {
        ::glob_t matched{};
        // Without wildcards a missing file is an error, as it is for chronyd.
        // NOLINTNEXTLINE(concurrency-mt-unsafe): who asks has one thread.
        if (::glob(pattern.c_str(), GLOB_NOMAGIC, nullptr, &matched) != 0) {
            ::globfree(&matched);
            return {};
        }
        const std::vector<std::string> paths(matched.gl_pathv, matched.gl_pathv + matched.gl_pathc);
        ::globfree(&matched);
        for (const std::string& path : paths) {
            VPNHA_CHECK(read_file(path, depth + 1));
        }
        return {};
    }

    // By name, in any of the directories; of equal names the first directory's.
    Result<void> read_directories(const std::vector<std::string>& directories, int depth) {
        std::map<std::string, std::string> paths;
        for (const std::string& directory : directories) {
            std::error_code error;
            for (fs::directory_iterator it(directory, error), end; !error && it != end;
                 it.increment(error)) {
                if (it->path().extension() == ".conf") {
                    paths.emplace(it->path().filename().string(), it->path().string());
                }
            }
            if (error == std::errc::permission_denied) {
                return fail(Errc::permission,
                            fmt::format("reading {}: {}", directory, error.message()));
            }
        }
        for (const auto& [name, path] : paths) {
            VPNHA_CHECK(read_file(path, depth + 1));
        }
        return {};
    }

    SlewLimit found_;
};

}  // namespace

Result<std::optional<SlewLimit>> read_slew_limit(const std::string& chrony_conf) {
    std::error_code error;
    if (!fs::exists(chrony_conf, error) && !error) {
        return std::nullopt;
    }
    Reader reader;
    VPNHA_CHECK(reader.read_file(chrony_conf, 0));
    return reader.found();
}

}  // namespace vpnha::adapters
