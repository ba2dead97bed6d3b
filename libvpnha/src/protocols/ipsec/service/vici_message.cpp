// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/service/vici_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace vpnha::adapters {

namespace {

enum class Element : std::uint8_t {
    section_start = 1,
    section_end = 2,
    key_value = 3,
    list_start = 4,
    list_item = 5,
    list_end = 6,
};

bool has_name(ViciPacketType type) {
    return type == ViciPacketType::command || type == ViciPacketType::event ||
           type == ViciPacketType::subscription;
}

template <class Entries>
auto find(const Entries& entries, std::string_view name) {
    return std::find_if(entries.begin(), entries.end(),
                        [name](const auto& entry) { return entry.first == name; });
}

void write_name(ByteWriter& out, std::string_view name) {
    VPNHA_ASSERT(name.size() <= std::numeric_limits<std::uint8_t>::max());
    out.u8(static_cast<std::uint8_t>(name.size())).bytes(to_bytes(name));
}

void write_element(ByteWriter& out, Element element) {
    out.u8(static_cast<std::uint8_t>(element));
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the caller has built it.
void write_section(ByteWriter& out, const ViciSection& section) {
    for (const auto& [name, value] : section.values) {
        write_element(out, Element::key_value);
        write_name(out, name);
        out.prefixed(value);
    }
    for (const auto& [name, items] : section.lists) {
        write_element(out, Element::list_start);
        write_name(out, name);
        for (const std::string& item : items) {
            write_element(out, Element::list_item);
            out.prefixed(item);
        }
        write_element(out, Element::list_end);
    }
    for (const auto& [name, child] : section.sections) {
        write_element(out, Element::section_start);
        write_name(out, name);
        write_section(out, child);
        write_element(out, Element::section_end);
    }
}

std::string text(ByteView bytes) {
    return {bytes.begin(), bytes.end()};
}

std::string read_name(ByteReader& in) {
    return text(in.take(in.u8()));
}

std::string read_value(ByteReader& in) {
    return text(in.take_prefixed(std::numeric_limits<std::uint16_t>::max()));
}

std::vector<std::string> read_list(ByteReader& in) {
    std::vector<std::string> items;
    for (;;) {
        switch (static_cast<Element>(in.u8())) {
            case Element::list_item:
                items.push_back(read_value(in));
                break;
            case Element::list_end:
                return items;
            default:  // Also the result of a failed read.
                in.fail();
                return items;
        }
    }
}

// Reads to the end of the section, which is the end of the message at depth 0.
// NOLINTNEXTLINE(misc-no-recursion): limits::kViciDepthMax deep.
ViciSection read_section(ByteReader& in, std::size_t depth) {
    ViciSection section;
    while (in.ok() && (depth > 0 || in.remaining() > 0)) {
        switch (static_cast<Element>(in.u8())) {
            case Element::key_value: {
                std::string name = read_name(in);
                section.values.emplace_back(std::move(name), read_value(in));
                break;
            }
            case Element::list_start: {
                std::string name = read_name(in);
                section.lists.emplace_back(std::move(name), read_list(in));
                break;
            }
            case Element::section_start: {
                std::string name = read_name(in);
                if (depth == limits::kViciDepthMax) {
                    in.fail();
                    return section;
                }
                section.sections.emplace_back(std::move(name), read_section(in, depth + 1));
                break;
            }
            case Element::section_end:
                if (depth == 0) {
                    in.fail();
                }
                return section;
            default:
                in.fail();
        }
    }
    return section;
}

}  // namespace

std::string ViciSection::value(std::string_view name) const {
    const auto found = find(values, name);
    return found == values.end() ? std::string() : found->second;
}

std::vector<std::string> ViciSection::list(std::string_view name) const {
    const auto found = find(lists, name);
    return found == lists.end() ? std::vector<std::string>() : found->second;
}

Bytes encode_vici_packet(const ViciPacket& packet) {
    ByteWriter out;
    out.u8(static_cast<std::uint8_t>(packet.type));
    if (has_name(packet.type)) {
        write_name(out, packet.name);
    }
    write_section(out, packet.message);
    return std::move(out).take();
}

Result<ViciPacket> parse_vici_packet(ByteView bytes) {
    if (bytes.size() > limits::kViciPacketBytesMax) {
        return fail(Errc::limit, fmt::format("a vici packet of {} octets", bytes.size()));
    }
    ByteReader in(bytes);
    ViciPacket packet{.type = static_cast<ViciPacketType>(in.u8())};
    switch (packet.type) {
        case ViciPacketType::command:
        case ViciPacketType::subscription:
        case ViciPacketType::event:
            packet.name = read_name(in);
            break;
        case ViciPacketType::response:
        case ViciPacketType::unknown_command:
        case ViciPacketType::subscribed:
        case ViciPacketType::unknown_event:
            break;
        default:
            return fail(Errc::malformed, fmt::format("a vici packet of type {}",
                                                     static_cast<unsigned>(packet.type)));
    }
    packet.message = read_section(in, 0);
    if (!in.finished()) {
        return fail(Errc::malformed, "a vici message ends too early or does not parse");
    }
    return packet;
}

}  // namespace vpnha::adapters
