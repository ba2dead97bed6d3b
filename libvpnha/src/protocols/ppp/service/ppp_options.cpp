// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/service/ppp_options.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "host/os/text_file.hpp"

namespace vpnha::runtime {

namespace {

// pppd has no bound; a file that includes itself ends here.
constexpr unsigned kDepthMax = 8;

// Words as pppd reads them (options.c, getword()): a comment begins with a word, quotes keep their
// content together, and a backslash keeps the next character.
std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    std::optional<std::string> word;
    char quote = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\\' && at + 1 < text.size()) {
            ++at;
            if (text[at] != '\n') {
                word = word.value_or("") + text[at];
            }
        } else if (quote != 0 ? c == quote : c == '"' || c == '\'') {
            quote = quote != 0 ? '\0' : c;
            word = word.value_or("");
        } else if (quote == 0 && std::isspace(static_cast<unsigned char>(c)) != 0) {
            if (word) {
                words.push_back(std::move(*word));
            }
            word.reset();
        } else if (c == '#' && quote == 0 && !word) {
            at = std::min(text.find('\n', at), text.size());
        } else {
            word = word.value_or("") + c;
        }
    }
    if (word) {
        words.push_back(std::move(*word));
    }
    return words;
}

void read_options(const std::string& file, const std::string& ppp, unsigned depth,
                  PppOptions& found) {
    const std::vector<std::string> words = words_of(adapters::read_text(file));
    for (std::size_t at = 0; at + 1 < words.size(); ++at) {
        const std::string& value = words[at + 1];
        if (words[at] == "plugin") {
            const std::filesystem::path name = std::filesystem::path(value).filename();
            found.has_vpnha |= name == "vpnha.so";
            found.has_radius |= name == "radius.so";
        } else if (words[at] == "vpnha_gateway") {
            found.gateway = value;
        } else if (words[at] == "radius-config-file") {
            found.radius_config = value;
        } else if (depth < kDepthMax && words[at] == "file") {
            read_options(value, ppp, depth + 1, found);
        } else if (depth < kDepthMax && words[at] == "call") {
            read_options(ppp + "/peers/" + value, ppp, depth + 1, found);
        }
    }
}

}  // namespace

PppOptions read_ppp_options(const std::string& file, const std::string& ppp) {
    PppOptions found;
    read_options(ppp + "/options", ppp, 0, found);
    read_options(file, ppp, 0, found);
    return found;
}

}  // namespace vpnha::runtime
