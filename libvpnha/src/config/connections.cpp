// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/connections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace vpnha::config {

namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::string_view kSpace = " \t\r";
constexpr std::size_t kDepthMax = 16;

std::string_view trimmed(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    const std::size_t last = text.find_last_not_of(kSpace);
    return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

class StrongswanReader {
  public:
    explicit StrongswanReader(std::string_view text) : left_(text) {}

    Result<StrongswanSection> read() {
        StrongswanSection top;
        std::vector<StrongswanSection*> open{&top};
        while (!left_.empty()) {
            const std::string_view head = take_until("={}#\n");
            const char end = left_.empty() ? '\n' : left_.front();
            left_.remove_prefix(left_.empty() ? 0 : 1);
            if (end == '{') {
                // Behind a colon stand the sections that this one is like: not followed.
                const std::string name(trimmed(head.substr(0, head.find(':'))));
                if (name.empty() || open.size() > kDepthMax) {
                    return malformed();
                }
                open.push_back(&open.back()->sections[name]);
                continue;
            }
            if (end == '=') {
                open.back()->values[std::string(trimmed(head))] = take_value();
                continue;
            }
            if (const std::string_view word = trimmed(head); word.starts_with("include ")) {
                top.includes.emplace_back(trimmed(word.substr(8)));
            } else if (!word.empty()) {
                return malformed();
            }
            if (end == '#') {
                take_until("\n");
            } else if (end == '}') {
                if (open.size() == 1) {
                    return malformed();
                }
                open.pop_back();
            } else {
                ++line_;
            }
        }
        return open.size() == 1 ? Result<StrongswanSection>(std::move(top)) : malformed();
    }

  private:
    std::string_view take_until(std::string_view ends) {
        const std::size_t size = std::min(left_.find_first_of(ends), left_.size());
        const std::string_view taken = left_.substr(0, size);
        left_.remove_prefix(size);
        return taken;
    }
    std::string take_value() {
        left_.remove_prefix(std::min(left_.find_first_not_of(kSpace), left_.size()));
        if (!left_.starts_with('"')) {
            return std::string(trimmed(take_until("}#\n")));
        }
        left_.remove_prefix(1);
        const std::string value(take_until("\""));
        line_ += static_cast<std::size_t>(std::ranges::count(value, '\n'));
        left_.remove_prefix(std::min<std::size_t>(1, left_.size()));
        return value;
    }
    [[nodiscard]] tl::unexpected<Error> malformed() const {
        return fail(Errc::malformed, fmt::format("line {} cannot be read", line_));
    }

    std::string_view left_;
    std::size_t line_ = 1;
};

// Of one connection, or one of its children.
class ConnectionCheck {
  public:
    ConnectionCheck(std::string what, const StrongswanSection& section,
                    std::vector<std::string>& findings)
        : what_(std::move(what)), section_(section), findings_(findings) {}

    [[nodiscard]] std::string value(const std::string& name, const std::string& fallback) const {
        const auto found = section_.values.find(name);
        return found == section_.values.end() ? fallback : found->second;
    }
    void add(const std::string& found, const std::string& why) {
        findings_.push_back(fmt::format("{}: {}: {}", what_, found, why));
    }
    void has(const std::string& name, const std::string& fallback, const std::string& wanted,
             const std::string& why) {
        if (const std::string is = value(name, fallback); is != wanted) {
            add(fmt::format("{} is {}, not {}", name, is, wanted), why);
        }
    }
    void lasts(const std::string& name, const std::string& fallback, hours least, hours most) {
        const std::string is = value(name, fallback);
        const auto time = parse_strongswan_time(is);
        if (!time || *time < least || *time > most) {
            add(fmt::format("{} is {}, not from {}h to {}h", name, is, least.count(), most.count()),
                "a replicated SA gets its whole lifetime again, and a short one dies in a "
                "takeover");
        }
    }

  private:
    std::string what_;
    const StrongswanSection& section_;
    std::vector<std::string>& findings_;
};

void check_addresses(ConnectionCheck& check, const std::set<IpAddress>& vips) {
    const std::string local = check.value("local_addrs", "%any");
    for (std::string_view left = local; !left.empty();) {
        const std::size_t comma = std::min(left.find(','), left.size());
        const std::string_view one = trimmed(left.substr(0, comma));
        left.remove_prefix(std::min(comma + 1, left.size()));
        const Result<IpAddress> address = parse_ip(one);
        if (!address || !vips.contains(*address)) {
            check.add(fmt::format("local_addrs has {}, which is no VIP of the gateway", one),
                      "a charon that is not promoted would answer for it");
        }
    }
}

}  // namespace

void StrongswanSection::merge(const StrongswanSection& other) {
    for (const auto& [name, value] : other.values) {
        values[name] = value;
    }
    for (const auto& [name, section] : other.sections) {
        sections[name].merge(section);
    }
    includes.insert(includes.end(), other.includes.begin(), other.includes.end());
}

Result<StrongswanSection> parse_strongswan(std::string_view text) {
    return StrongswanReader(text).read();
}

std::optional<seconds> parse_strongswan_time(std::string_view text) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit = trimmed({end, text.data() + text.size()});
    const std::map<std::string_view, std::uint32_t> units{
        {"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}};
    const auto found = units.find(unit);
    if (error != std::errc() || found == units.end()) {
        return std::nullopt;
    }
    return seconds(std::uint64_t{number} * found->second);
}

std::vector<std::string> findings_in_connections(const StrongswanSection& all,
                                                 const std::set<IpAddress>& vips) {
    std::vector<std::string> findings;
    const auto connections = all.sections.find("connections");
    if (connections == all.sections.end() || connections->second.sections.empty()) {
        return {"there are no connections"};
    }
    for (const auto& [name, section] : connections->second.sections) {
        ConnectionCheck check("connection " + name, section, findings);
        check_addresses(check, vips);
        if (check.value("mobike", "").empty()) {
            check.add("mobike is not set, and yes then",
                      "clients learn the node's own addresses, which do not move with the gateway");
        }
        check.has("unique", "no", "never",
                  "a client would end another one behind the same NAT address");
        check.lasts("rekey_time", "4h", hours(8), hours(24));
        const auto children = section.sections.find("children");
        if (children == section.sections.end()) {
            continue;
        }
        for (const auto& [child, settings] : children->second.sections) {
            ConnectionCheck of_child(fmt::format("connection {}, child {}", name, child), settings,
                                     findings);
            of_child.lasts("rekey_time", "1h", hours(1), hours(8));
            of_child.has("rand_time", "a tenth of the lifetime", "0",
                         "a rekey is to fall due on whatever node is promoted then");
            of_child.has("hw_offload", "no", "no",
                         "a device may use an initialisation vector twice after a takeover");
        }
    }
    return findings;
}

}  // namespace vpnha::config
