// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/bundle/redaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <optional>
#include <utility>

#include "base/markup.hpp"
#include "base/text.hpp"
#include "host/pacemaker/cib.hpp"

namespace vpnha::cli::bundle {

namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr std::size_t kValueMin = 6;
// 128 bits.
constexpr std::size_t kHexDigitsMin = 32;
// WireGuard's keys: 32 octets.
constexpr std::size_t kBase64Digits = 43;

bool is_digit_of_hex(char each) {
    return std::isxdigit(static_cast<unsigned char>(each)) != 0;
}

bool is_word(char each) {
    return std::isalnum(static_cast<unsigned char>(each)) != 0;
}

bool is_of_name(char each) {
    return is_word(each) || each == '_' || each == '-' || each == '.';
}

// "passwd", "radius_secret", "PresharedKey"; not "secrets", which is a list of files.
bool is_secret(std::string_view name) {
    const std::string lower = lowered(name);
    const auto has = [&lower](const char* part) { return lower.find(part) != std::string::npos; };
    return lower == "key" || (has("secret") && !has("secrets")) || has("passw") ||
           has("passphrase") || has("psk") || has("mppe") || has("community") ||
           has("privatekey") || has("private_key") || has("presharedkey") || has("preshared_key");
}

// Paths of files with keys or secrets are not removed.
bool is_path(std::string_view value) {
    const std::size_t begin = value.find_first_not_of("[\"'");
    return begin != std::string_view::npos && value.substr(begin).starts_with("/etc/");
}

// A name and the value after it: "secret = value", "password=value", "\"psk\": \"value\"".
struct Named {
    std::string_view name{};
    std::size_t value_at = 0;  // In the line; for a quoted value after the first quote.
    std::string_view value{};
};

// The value that begins there: to the closing quote, to one of `ends`, or to the end of the line.
std::string_view value_at(std::string_view line, std::size_t& begin, std::string_view ends) {
    if (line[begin] == '"' || line[begin] == '\'') {
        const char quote = line[begin++];
        std::size_t end = begin;
        while (end < line.size() && line[end] != quote) {
            end += line[end] == '\\' ? 2 : 1;
        }
        return line.substr(begin, end - begin);
    }
    const std::string_view value = line.substr(begin, line.find_first_of(ends, begin) - begin);
    return value.substr(0, value.find_last_not_of(kBlanks) + 1);
}

// The first one from `from` on; nullopt: there is none.
std::optional<Named> next_named(std::string_view line, std::size_t from) {
    for (std::size_t begin = from; begin < line.size();) {
        if (!is_of_name(line[begin])) {
            ++begin;
            continue;
        }
        std::size_t end = begin;
        while (end < line.size() && is_of_name(line[end])) {
            ++end;
        }
        std::size_t at = end;
        at += at < line.size() && (line[at] == '"' || line[at] == '\'') ? 1 : 0;
        const std::size_t sign = line.find_first_not_of(kBlanks, at);
        if (sign != std::string_view::npos && (line[sign] == '=' || line[sign] == ':')) {
            std::size_t value = line.find_first_not_of(kBlanks, sign + 1);
            if (value != std::string_view::npos) {
                // "secret = the rest of the line", "password=value and more".
                const std::string_view ends = value > sign + 1 ? "" : " \t\r,;\"'";
                Named found{.name = line.substr(begin, end - begin)};
                found.value = value_at(line, value, ends);
                found.value_at = value;
                return found;
            }
        }
        begin = end;
    }
    return std::nullopt;
}

std::string without_named(std::string_view line) {
    std::string out;
    std::size_t done = 0;
    for (std::optional<Named> named = next_named(line, 0); named;) {
        std::size_t next = named->value_at;
        if (is_secret(named->name) && !named->value.empty() && !is_path(named->value)) {
            out += line.substr(done, named->value_at - done);
            out += kRemoved;
            done = named->value_at + named->value.size();
            next = done;
        }
        named = next_named(line, next);
    }
    return out + std::string(line.substr(done));
}

// Of a key in hexadecimal digits that begins there, also of one with colons between its octets; 0:
// there is none.
std::size_t length_of_hex(std::string_view text) {
    std::size_t end = 0;
    while (end < text.size() && is_digit_of_hex(text[end])) {
        ++end;
    }
    if (end == 2) {
        while (text.size() >= end + 3 && text[end] == ':' && is_digit_of_hex(text[end + 1]) &&
               is_digit_of_hex(text[end + 2])) {
            end += 3;
        }
        return end + 1 >= kHexDigitsMin / 2 * 3 ? end : 0;
    }
    return end >= kHexDigitsMin && (end == text.size() || !is_word(text[end])) ? end : 0;
}

std::size_t length_of_base64(std::string_view text) {
    std::size_t end = 0;
    while (end < text.size() && (is_word(text[end]) || text[end] == '+' || text[end] == '/')) {
        ++end;
    }
    return end == kBase64Digits && end < text.size() && text[end] == '=' ? end + 1 : 0;
}

std::string without_keys(std::string_view line) {
    std::string out;
    for (std::size_t at = 0; at < line.size();) {
        const bool is_begin =
            at == 0 || !is_word(line[at - 1]) || (at >= 2 && line.substr(at - 2, 2) == "0x");
        const std::size_t length =
            is_begin ? std::max(length_of_hex(line.substr(at)), length_of_base64(line.substr(at)))
                     : 0;
        if (length > 0) {
            out += kRemoved;
        } else {
            out += line[at];
        }
        at += std::max<std::size_t>(length, 1);
    }
    return out;
}

// Blanks separate the words; a quoted word may have blanks.
std::string_view word_of(std::string_view line, std::size_t index) {
    std::size_t at = 0;
    for (std::size_t count = 0;; ++count) {
        at = line.find_first_not_of(kBlanks, at);
        if (at == std::string_view::npos || line[at] == '#') {
            return {};
        }
        const bool is_quoted = line[at] == '"' || line[at] == '\'';
        const std::string_view word = value_at(line, at, kBlanks);
        if (count == index) {
            return word;
        }
        at += word.size() + (is_quoted ? 1 : 0);
        if (at >= line.size()) {
            return {};
        }
    }
}

void each_line(std::string_view text, const std::function<void(std::string_view)>& line) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        line(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

}  // namespace

void Redaction::learn_value(std::string_view value) {
    if (value.size() >= kValueMin && !is_path(value)) {
        std::vector<std::string_view>& alike = values_[value.substr(0, kValueMin)];
        alike.push_back(value);
        // The longest one first: another one may be its beginning.
        std::ranges::sort(alike, std::greater(), &std::string_view::size);
    }
}

void Redaction::learn(adapters::SecretFile file, Form form) {
    files_.push_back(std::move(file));
    each_line(files_.back().content(), [&](std::string_view line) {
        if (form == Form::whole_line) {
            learn_value(line.substr(0, line.find_last_not_of(kBlanks) + 1));
        } else if (form != Form::named) {
            learn_value(word_of(line, form == Form::third_word ? 2 : 1));
        } else {
            for (auto named = next_named(line, 0); named;
                 named = next_named(line, named->value_at)) {
                if (is_secret(named->name)) {
                    learn_value(named->value);
                }
            }
        }
    });
}

std::string Redaction::without_values(std::string_view text) const {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto alike = values_.find(text.substr(at, kValueMin));
        std::size_t length = 0;
        if (alike != values_.end()) {
            const auto found = std::ranges::find_if(alike->second, [&](std::string_view value) {
                return text.substr(at).starts_with(value);
            });
            length = found == alike->second.end() ? 0 : found->size();
        }
        if (length > 0) {
            out += kRemoved;
        } else {
            out += text[at];
        }
        at += std::max<std::size_t>(length, 1);
    }
    return out;
}

std::string Redaction::text(std::string_view text) const {
    std::string out;
    each_line(without_values(text),
              [&out](std::string_view line) { out += without_keys(without_named(line)) + "\n"; });
    return out;
}

Result<std::string> Redaction::xml(std::string_view text) const {
    VPNHA_TRY(const adapters::CibElements elements, adapters::elements_of(text));
    std::string out;
    std::size_t depth = 0;
    for (const adapters::CibElement& element : elements) {
        depth -= element.is_start ? 0 : 1;
        out += fmt::format("{:{}}<{}{}", "", 2 * depth, element.is_start ? "" : "/", element.name);
        depth += element.is_start ? 1 : 0;
        for (const auto& [name, value] : element.attributes) {
            const bool is_removed =
                is_secret(name) || (name == "value" && is_secret(element.attribute("name")));
            const std::string left = is_removed
                                         ? std::string(kRemoved)
                                         : without_keys(without_named(without_values(value)));
            out += fmt::format(" {}=\"{}\"", name, escaped_markup(left));
        }
        out += ">\n";
    }
    return out;
}

}  // namespace vpnha::cli::bundle
