// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "base/limits.hpp"

namespace vpnha::config {

namespace {

constexpr std::size_t kHostNameBytesMax = 253;
constexpr std::size_t kLabelBytesMax = 63;

bool is_word_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

// RFC 1123 2.1: labels of 63 octets, 253 in all. Only digits and dots are a mistyped address.
bool is_host_name(std::string_view text) {
    if (text.size() > kHostNameBytesMax ||
        text.find_first_not_of("0123456789.") == std::string_view::npos) {
        return false;
    }
    while (true) {
        const std::string_view label = text.substr(0, text.find('.'));
        if (label.empty() || label.size() > kLabelBytesMax || label.front() == '-' ||
            label.back() == '-' || !std::all_of(label.begin(), label.end(), is_word_character)) {
            return false;
        }
        if (label.size() == text.size()) {
            return true;
        }
        text.remove_prefix(label.size() + 1);
    }
}

// ":5421"
std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + 1, end, port);
    if (text.front() != ':' || error != std::errc{} || stop != end || port == 0) {
        return std::nullopt;
    }
    return port;
}

// Levenshtein's distance: letters to insert, remove or change.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    // Ten digits of hours are 36e15 ms: no unit overflows.
    static constexpr std::ptrdiff_t kDigitsMax = 10;
    std::int64_t count = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc{} || count < 0 || stop - text.data() > kDigitsMax) {
        return std::nullopt;
    }
    const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
    if (unit == "ms") {
        return std::chrono::milliseconds(count);
    }
    if (unit == "s") {
        return std::chrono::seconds(count);
    }
    if (unit == "m") {
        return std::chrono::minutes(count);
    }
    if (unit == "h") {
        return std::chrono::hours(count);
    }
    return std::nullopt;
}

std::string to_text(std::chrono::milliseconds duration) {
    const auto count = duration.count();
    if (count == 0 || count % 1000 != 0) {
        return fmt::format("{}ms", count);
    }
    if (count % 3'600'000 == 0) {
        return fmt::format("{}h", count / 3'600'000);
    }
    // "60s" and not "1m": L2TP's documents give seconds.
    return fmt::format("{}s", count / 1000);
}

bool is_name(std::string_view text) {
    return !text.empty() && text.front() != '-' && text.front() != '_' &&
           std::all_of(text.begin(), text.end(), is_word_character);
}

bool is_interface_name(std::string_view text) {
    return !text.empty() && text.size() <= limits::kInterfaceNameBytesMax && text != "." &&
           text != ".." && text.front() != '-' && std::all_of(text.begin(), text.end(), [](char c) {
               return is_word_character(c) || c == '.' || c == '@';
           });
}

bool is_label(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

std::optional<HostPort> parse_host_port(std::string_view text, std::uint16_t standard) {
    const bool is_bracketed = text.starts_with('[');
    const std::size_t end = is_bracketed ? text.find(']') : std::min(text.find(':'), text.size());
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view host = is_bracketed ? text.substr(1, end - 1) : text.substr(0, end);
    const std::string_view rest = text.substr(is_bracketed ? end + 1 : end);
    const std::optional<std::uint16_t> port = rest.empty() ? standard : parse_port(rest);
    const Result<IpAddress> number = parse_ip(host);
    const bool is_number = number && number->is_v4() != is_bracketed && is_unicast(*number);
    if (!port || (!is_number && (is_bracketed || !is_host_name(host)))) {
        return std::nullopt;
    }
    HostPort found{number ? to_string(*number) : std::string(host), *port};
    std::transform(found.host.begin(), found.host.end(), found.host.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return found;
}

bool is_unicast(const IpAddress& address) {
    const ByteView octets = address.octets();
    if (address.is_v4()) {
        return octets[0] != 0 && octets[0] != 127 && octets[0] < 224;
    }
    // :: and ::1 have only zeros except for their last octet.
    return octets[0] != 0xff && !is_link_local(address) && address.masked(120) != IpAddress{};
}

bool is_link_local(const IpAddress& address) {
    const ByteView octets = address.octets();
    return !address.is_v4() && octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
}

bool is_of_the_net(const IpPrefix& prefix) {
    return prefix.length + 2 <= prefix.address.bits() &&
           (prefix.address == prefix.address.masked(prefix.length) ||
            (prefix.address.is_v4() &&
             prefix.address == prefix.address.masked(prefix.length, true)));
}

std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates) {
    std::optional<std::string> best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string& candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

}  // namespace vpnha::config
