// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/rate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <system_error>
#include <utility>

namespace vpnha {

namespace {

constexpr std::uint64_t kKilobit = 1'000;

bool is_sound_direction(std::uint64_t bits) {
    return bits == 0 || (bits >= kRateMin && bits <= kRateMax);
}

std::optional<std::uint64_t> unit_of(char letter) {
    switch (letter) {
        case 'B':
        case 'b':
            return 1;
        case 'K':
        case 'k':
            return kKilobit;
        case 'M':
        case 'm':
            return kKilobit * kKilobit;
        case 'G':
        case 'g':
            return kKilobit * kKilobit * kKilobit;
        default:
            return std::nullopt;
    }
}

// Takes a number with its unit off the front, in bits a second. `plain`: the unit of a number
// without one; 0: a unit is required, or the number is 0.
std::optional<std::uint64_t> take_rate(std::string_view& text, std::uint64_t plain) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [next, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc()) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(next - text.data()));
    std::uint64_t unit = plain;
    if (const auto named = text.empty() ? std::nullopt : unit_of(text.front())) {
        unit = *named;
        text.remove_prefix(1);
    }
    if (number > kRateMax || (unit == 0 && number != 0)) {
        return std::nullopt;
    }
    const std::uint64_t bits = number * unit;
    return is_sound_direction(bits) ? std::optional(bits) : std::nullopt;
}

// "A/B", or "A" for both.
std::optional<std::pair<std::uint64_t, std::uint64_t>> parse_pair(std::string_view text,
                                                                  std::uint64_t plain,
                                                                  std::string_view separators) {
    const auto first = take_rate(text, plain);
    if (!first || text.empty()) {
        return first ? std::optional(std::pair(*first, *first)) : std::nullopt;
    }
    if (separators.find(text.front()) == std::string_view::npos) {
        return std::nullopt;
    }
    text.remove_prefix(1);
    const auto second = take_rate(text, plain);
    return second && text.empty() ? std::optional(std::pair(*first, *second)) : std::nullopt;
}

std::string_view first_word(std::string_view text) {
    return text.substr(0, text.find_first_of(" \t"));
}

// Cisco's format: "lcp:interface-config#1=rate-limit output 2000000 375000 750000 conform-action
// …", and with "access-group 101" before the numbers. The first one is the rate, in bits a second.
std::optional<std::uint64_t> cisco_rate(std::string_view text, std::string_view direction) {
    constexpr std::string_view kGroup = "access-group ";
    const std::size_t at = text.find(direction);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    text.remove_prefix(at + direction.size());
    if (text.starts_with(kGroup)) {
        text.remove_prefix(kGroup.size());
        text.remove_prefix(std::min(first_word(text).size() + 1, text.size()));
    }
    std::string_view number = first_word(text);
    const auto rate = take_rate(number, 1);
    return number.empty() ? rate : std::nullopt;
}

std::string shown_direction(std::uint64_t bits) {
    std::uint64_t unit = kKilobit * kKilobit * kKilobit;
    for (const char letter : {'G', 'M', 'K'}) {
        if (bits != 0 && bits % unit == 0) {
            return fmt::format("{}{}", bits / unit, letter);
        }
        unit /= kKilobit;
    }
    return std::to_string(bits);
}

}  // namespace

bool is_sound(const Rate& rate) {
    return is_sound_direction(rate.down) && is_sound_direction(rate.up);
}

std::optional<Rate> parse_rate(std::string_view text) {
    const auto pair = parse_pair(text, 0, "/");
    return pair ? std::optional(Rate{pair->first, pair->second}) : std::nullopt;
}

std::string to_string(const Rate& rate) {
    const std::string down = shown_direction(rate.down);
    return rate.down == rate.up ? down : down + "/" + shown_direction(rate.up);
}

bool RadiusRate::take(RateAttribute attribute, ByteView value) {
    const std::string text = to_text(value);
    ByteReader reader(value);
    const auto take_both = [this](std::uint64_t down, std::uint64_t up) {
        down_ = down;
        up_ = up;
        return true;
    };
    switch (attribute) {
        case RateAttribute::filter_id: {
            const auto down = cisco_rate(text, "rate-limit output ");
            const auto up = cisco_rate(text, "rate-limit input ");
            if (down || up) {
                down_ = down ? down : down_;
                up_ = up ? up : up_;
                return true;
            }
            const auto pair = parse_pair(first_word(text), kKilobit, "/\\:");
            return pair && take_both(pair->first, pair->second);
        }
        case RateAttribute::mikrotik_rate_limit: {
            const auto pair = parse_pair(first_word(text), 1, "/");
            return pair && take_both(pair->second, pair->first);
        }
        case RateAttribute::wispr_max_down:
        case RateAttribute::wispr_max_up: {
            const std::uint64_t bits = reader.u32();
            if (!reader.finished() || !is_sound_direction(bits)) {
                return false;
            }
            (attribute == RateAttribute::wispr_max_down ? down_ : up_) = bits;
            return true;
        }
        case RateAttribute::ordered: {
            const Rate rate{reader.u64(), reader.u64()};
            return reader.finished() && is_sound(rate) && take_both(rate.down, rate.up);
        }
    }
    return false;
}

std::optional<Rate> RadiusRate::rate() const {
    return down_ || up_ ? std::optional(Rate{down_.value_or(0), up_.value_or(0)}) : std::nullopt;
}

Bytes encode_ordered_rate(const Rate& rate) {
    ByteWriter writer;
    writer.u64(rate.down).u64(rate.up);
    return std::move(writer).take();
}

}  // namespace vpnha
