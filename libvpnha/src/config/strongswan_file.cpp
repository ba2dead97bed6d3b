// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/strongswan_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <set>
#include <utility>

namespace vpnha::config {

namespace {

constexpr std::size_t kSectionsMax = 16;
constexpr std::size_t kIncludesMax = 10;
constexpr std::size_t kReferencesMax = 16;
constexpr std::string_view kBlank = "\t\r ";
constexpr std::string_view kNotInName = "#{}:.,=\"\r\n\t ";
constexpr std::string_view kNotInValue = "#}\"\r\n\t ";

class StrongswanReader {
  public:
    StrongswanReader(const StrongswanFile& file, const StrongswanInclude& include)
        : include_(include) {
        sources_.push_back({file});
    }

    Result<StrongswanSection> read() {
        std::vector<StrongswanSection*> open{&top_};
        while (skip_blanks()) {
            if (take('}')) {
                if (open.size() == 1) {
                    return malformed();
                }
                open.pop_back();
                continue;
            }
            const std::string name(take_word(kNotInName));
            if (name.empty()) {
                return malformed();
            }
            // The end of another file may follow the name.
            const bool is_more = skip_blanks();
            if (is_more && take('=')) {
                VPNHA_TRY(open.back()->values[name], take_value());
                continue;
            }
            StrongswanSection section;
            if (is_more && take(':')) {
                VPNHA_TRY(section.references, take_references());
            }
            if (!skip_blanks() || !take('{') || open.size() > kSectionsMax) {
                return malformed();
            }
            StrongswanSection& added = open.back()->sections[name];
            added.merge(section);
            open.push_back(&added);
        }
        return open.size() == 1 && !is_broken_ ? Result<StrongswanSection>(std::move(top_))
                                               : malformed();
    }

  private:
    struct Source {
        StrongswanFile file;
        std::size_t at = 0;
        std::size_t line = 1;
    };

    [[nodiscard]] std::string_view left() const {
        const Source& source = sources_.back();
        return std::string_view(source.file.text).substr(source.at);
    }
    void skip(std::size_t count) {
        Source& source = sources_.back();
        const std::string_view skipped = left().substr(0, count);
        source.line += static_cast<std::size_t>(std::ranges::count(skipped, '\n'));
        source.at += skipped.size();
    }
    bool take(char wanted) {
        const bool is_there = left().starts_with(wanted);
        skip(is_there ? 1 : 0);
        return is_there;
    }
    std::string_view take_word(std::string_view ends) {
        const std::string_view word = left().substr(0, left().find_first_of(ends));
        skip(word.size());
        return word;
    }
    void skip_comment() { skip(std::min(left().find('\n'), left().size())); }

    // Up to the next word or sign, also across the borders of includes. False: there is none.
    bool skip_blanks() {
        while (true) {
            if (left().empty()) {
                if (sources_.size() == 1) {
                    return false;
                }
                sources_.pop_back();
            } else if (left().front() == '\n' || kBlank.find(left().front()) != kBlank.npos) {
                skip(1);
            } else if (left().front() == '#') {
                skip_comment();
            } else if (!take_include()) {
                return true;
            }
        }
    }

    // "include" and blanks, and then no "=": the pattern follows.
    bool take_include() {
        constexpr std::string_view kWord = "include";
        if (!left().starts_with(kWord)) {
            return false;
        }
        const std::string_view behind = left().substr(kWord.size());
        const std::size_t blanks = std::min(behind.find_first_not_of("\t "), behind.size());
        const bool is_assignment = behind.substr(blanks).starts_with('=') && blanks < 2;
        if (blanks == 0 || is_assignment) {
            return false;
        }
        skip(kWord.size() + blanks);
        std::string pattern;
        bool is_quoted = false;
        while (!left().empty()) {
            const char next = left().front();
            if (next == '"') {
                skip(1);
                const auto text = take_string();
                is_broken_ = is_broken_ || !text;
                pattern += text.value_or("");
                is_quoted = true;
                break;
            }
            if (next == '\\' && left().size() > 1 &&
                std::string_view("\"#} ").find(left()[1]) != std::string_view::npos) {
                pattern += left()[1];
                skip(2);
            } else if (std::string_view("#}\n\t ").find(next) != std::string_view::npos) {
                break;
            } else {
                pattern += next == '\r' ? "" : std::string(1, next);
                skip(1);
            }
        }
        // A blank after the pattern ends it.
        if (!is_quoted && !left().empty() && (left().front() == ' ' || left().front() == '\t')) {
            skip(1);
        }
        if (pattern.empty() || sources_.size() > kIncludesMax) {
            return true;
        }
        std::vector<StrongswanFile> files = include_(sources_.back().file.name, pattern);
        for (auto file = files.rbegin(); file != files.rend(); ++file) {
            sources_.push_back({std::move(*file)});
        }
        return true;
    }

    // After the first quote, up to the last one. nullopt: it has none.
    std::optional<std::string> take_string() {
        std::string text;
        while (!left().empty()) {
            const char next = left().front();
            skip(1);
            if (next == '"') {
                return text;
            }
            if (next != '\\') {
                text += next == '\r' ? "" : std::string(1, next);
                continue;
            }
            if (left().empty()) {
                return std::nullopt;
            }
            const char escaped = left().front();
            if (left().starts_with("\r\n")) {
                skip(1);
            } else if (escaped != '\n') {
                text += escaped == 'n'   ? '\n'
                        : escaped == 'r' ? '\r'
                        : escaped == 't' ? '\t'
                                         : escaped;
            }
            skip(1);
        }
        return std::nullopt;
    }

    // Up to the end of the line, of the section or of the file: strings and other values, with a
    // blank between each two.
    Result<std::optional<std::string>> take_value() {
        std::optional<std::string> value;
        while (!left().empty() &&
               std::string_view("#}\n").find(left().front()) == std::string_view::npos) {
            if (kBlank.find(left().front()) != kBlank.npos) {
                skip(1);
                continue;
            }
            std::string part;
            if (take('"')) {
                const auto text = take_string();
                if (!text) {
                    return malformed();
                }
                part = *text;
            } else {
                part = take_word(kNotInValue);
            }
            value = value ? *value + " " + part : part;
        }
        return value;
    }

    Result<std::vector<std::string>> take_references() {
        std::vector<std::string> references;
        while (true) {
            skip_blanks_only();
            std::string path(take_word(kNotInName));
            while (!path.empty() && left().starts_with('.')) {
                skip(1);
                const std::string_view more = take_word(kNotInName);
                if (more.empty()) {
                    return malformed();
                }
                path += "." + std::string(more);
            }
            if (path.empty()) {
                return malformed();
            }
            references.push_back(path);
            skip_blanks_only();
            if (!take(',')) {
                return references;
            }
        }
    }
    void skip_blanks_only() {
        while (!left().empty() && (left().front() == '\n' || left().front() == '#' ||
                                   kBlank.find(left().front()) != kBlank.npos)) {
            if (left().front() == '#') {
                skip_comment();
            } else {
                skip(1);
            }
        }
    }

    [[nodiscard]] tl::unexpected<Error> malformed() const {
        return fail(Errc::malformed, fmt::format("{}: line {} cannot be read",
                                                 sources_.back().file.name, sources_.back().line));
    }

    const StrongswanInclude& include_;
    std::vector<Source> sources_;  // The last one is read.
    StrongswanSection top_;
    bool is_broken_ = false;  // A pattern has no end.
};

const StrongswanSection* find_section(const StrongswanSection& top, std::string_view path) {
    const StrongswanSection* at = &top;
    while (at != nullptr && !path.empty()) {
        const std::size_t dot = std::min(path.find('.'), path.size());
        const auto found = at->sections.find(std::string(path.substr(0, dot)));
        at = found == at->sections.end() ? nullptr : &found->second;
        path.remove_prefix(std::min(dot + 1, path.size()));
    }
    return at;
}

// The values of `section`, and those of `base` where it has none.
void add_base(StrongswanSection& section, const StrongswanSection& base) {
    section.values.insert(base.values.begin(), base.values.end());
    for (const auto& [name, of_base] : base.sections) {
        add_base(section.sections[name], of_base);
    }
}

StrongswanSection followed(const StrongswanSection& top, const StrongswanSection& section,
                           std::set<const StrongswanSection*> behind) {
    StrongswanSection all;
    all.values = section.values;
    behind.insert(&section);
    for (const auto& [name, below] : section.sections) {
        all.sections[name] = followed(top, below, behind);
    }
    for (const std::string& path : section.references) {
        const StrongswanSection* const base = find_section(top, path);
        if (base != nullptr && !behind.contains(base) && behind.size() <= kReferencesMax) {
            add_base(all, followed(top, *base, behind));
        }
    }
    return all;
}

}  // namespace

void StrongswanSection::merge(const StrongswanSection& other) {
    for (const auto& [name, value] : other.values) {
        values[name] = value;
    }
    for (const auto& [name, section] : other.sections) {
        sections[name].merge(section);
    }
    references.insert(references.end(), other.references.begin(), other.references.end());
}

Result<StrongswanSection> parse_strongswan(const StrongswanFile& file,
                                           const StrongswanInclude& include) {
    return StrongswanReader(file, include).read();
}

StrongswanSection with_references(const StrongswanSection& top) {
    return followed(top, top, {});
}

// parse_time() of strongSwan's vici_config.c.
std::optional<std::uint64_t> parse_strongswan_seconds(const std::string& text) {
    char* end = nullptr;
    errno = 0;
    const std::uint64_t number = std::strtoul(text.c_str(), &end, 0);
    while (*end == ' ') {
        ++end;
    }
    const std::map<char, std::uint64_t> units{{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86'400}};
    std::uint64_t unit = 1;
    if (*end != '\0') {
        const auto found = units.find(static_cast<char>(std::tolower(*end)));
        if (found == units.end() || end[1] != '\0') {
            return std::nullopt;
        }
        unit = found->second;
    }
    // The number wraps round there, which no configuration intends.
    constexpr std::uint64_t kMost = 0xffffffff;
    return errno == 0 && !text.empty() && number <= kMost / unit ? std::optional(number * unit)
                                                                 : std::nullopt;
}

}  // namespace vpnha::config
