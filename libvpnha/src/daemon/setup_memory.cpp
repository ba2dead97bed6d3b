// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/setup_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <sstream>

namespace vpnha::runtime {

namespace {

constexpr std::string_view kKeyItem = "totem.keyfile";

std::string hex_of(const std::optional<std::uint64_t>& fingerprint) {
    return fingerprint ? fmt::format("{:016x}", *fingerprint) : "none";
}

}  // namespace

SetupMemory SetupMemory::parse(std::string_view text) {
    SetupMemory memory;
    std::istringstream lines{std::string(text)};
    std::uint64_t mark = 0;
    if (!(lines >> std::hex >> mark)) {
        return memory;
    }
    memory.key_mark_ = mark;
    std::uint32_t gateway = 0;
    std::uint64_t hash = 0;
    std::string item;
    while (lines >> std::dec >> gateway >> std::hex >> hash &&
           std::getline(lines >> std::ws, item)) {
        if (gateway <= std::numeric_limits<std::uint8_t>::max()) {
            memory.items_[{GatewayId{static_cast<std::uint8_t>(gateway)}, item}] = hash;
        }
    }
    return memory;
}

std::string SetupMemory::encode() const {
    std::string text = fmt::format("{:016x}\n", key_mark_.value_or(0));
    for (const auto& [place, hash] : items_) {
        text += fmt::format("{} {:016x} {}\n", place.first.value, hash, place.second);
    }
    return text;
}

std::vector<SetupMemory::Change> SetupMemory::take(const std::vector<wire::Setup>& setups,
                                                   std::uint64_t key_mark) {
    Items items;
    for (const wire::Setup& setup : setups) {
        for (const wire::Fingerprint& item : setup.items) {
            items[{setup.gateway, item.name}] = item.hash;
        }
    }
    std::vector<Change> changes;
    const std::optional<std::uint64_t> mark_before = std::exchange(key_mark_, key_mark);
    const Items before = std::exchange(items_, std::move(items));
    if (!mark_before) {
        return changes;
    }
    if (mark_before != key_mark) {
        changes.push_back({GatewayId{0}, std::string(kKeyItem), mark_before, key_mark});
        return changes;
    }
    for (const auto& [place, hash] : items_) {
        const auto found = before.find(place);
        const auto old = found == before.end() ? std::nullopt : std::optional(found->second);
        if (old != hash) {
            changes.push_back({place.first, place.second, old, hash});
        }
    }
    for (const auto& [place, hash] : before) {
        if (!items_.contains(place)) {
            changes.push_back({place.first, place.second, hash, std::nullopt});
        }
    }
    return changes;
}

std::string line_of(const SetupMemory::Change& change, const std::string& gateway) {
    std::string word = change.item;
    std::ranges::replace(word, ' ', ':');
    const bool is_of_node = gateway.empty();
    return fmt::format("{}{} {} event=config-changed {}item={} old={} new={}",
                       is_of_node ? "" : fmt::format("gateway {}: ", gateway), change.item,
                       !change.before  ? "is new"
                       : !change.after ? "was removed"
                                       : "has changed",
                       is_of_node ? "" : fmt::format("gateway={} ", gateway), word,
                       hex_of(change.before), hex_of(change.after));
}

}  // namespace vpnha::runtime
