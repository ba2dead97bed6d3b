// SPDX-License-Identifier: GPL-2.0-or-later
// Messages that charons of strongSwan 5.9.8, 6.0.1 and 6.1.0 have sent (Debian 12, 13 and sid): how
// each of them sets up, rekeys and ends SAs of its kinds. They are a corpus of the fuzzers, too.
// The test that includes this has VPNHA_RECORDED_MESSAGES, their directory.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/ipsec/model/ha_message.hpp"

namespace vpnha::test {

struct Recording {
    std::string name;
    std::vector<Bytes> messages;
};

// Those with `part` in their names, by name.
inline std::vector<Recording> recordings(std::string_view part) {
    std::vector<Recording> all;
    for (const auto& file : std::filesystem::directory_iterator(VPNHA_RECORDED_MESSAGES)) {
        const std::string name = file.path().filename();
        if (!name.starts_with("charon-") || name.find(part) == std::string::npos) {
            continue;
        }
        std::ifstream in(file.path(), std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(in)), {});
        const ByteView octets = to_bytes(text);
        ByteReader reader(octets);
        Recording& recording = all.emplace_back(Recording{name, {}});
        while (reader.ok() && reader.remaining() != 0) {
            const ByteView message = reader.take_prefixed(octets.size());
            recording.messages.emplace_back(message.begin(), message.end());
        }
    }
    std::ranges::sort(all, {}, &Recording::name);
    return all;
}

inline Bytes in_dialect(const Bytes& octets) {
    const auto parsed = ipsec::parse_charon_message(octets);
    EXPECT_TRUE(parsed) << parsed.error().detail;
    return parsed ? ipsec::build_ha_message(parsed->message.type, parsed->message.attributes)
                  : Bytes();
}

// As a charon of that version is fed it; empty: it does not know what it has.
inline Bytes for_charon(const Bytes& dialect, std::uint8_t version) {
    const auto parsed = ipsec::parse_ha_message(dialect);
    ByteWriter out;
    out.u8(version).u8(static_cast<std::uint8_t>(parsed->type));
    for (const ipsec::Attribute& each : parsed->attributes) {
        const auto tag = ipsec::charon_tag(each.tag, version);
        if (!tag) {
            return {};
        }
        out.u8(*tag);
        if (ipsec::is_prefixed(each.tag)) {
            out.prefixed(each.value);
        } else {
            out.bytes(each.value);
        }
    }
    return std::move(out).take();
}

inline std::vector<Bytes> in_dialect(const std::vector<Bytes>& messages) {
    std::vector<Bytes> all;
    for (const Bytes& each : messages) {
        all.push_back(in_dialect(each));
    }
    return all;
}

}  // namespace vpnha::test
