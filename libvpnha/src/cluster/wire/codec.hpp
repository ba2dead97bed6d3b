// SPDX-License-Identifier: GPL-2.0-or-later
// Wire versions. Each has its own encoder and parser, in a file that never changes once released; a
// build supports a range of them. The frame around them is the same for ever:
//
//   magic "VPNH" (4)  version (1)  body of that version  CRC-32 of all before it (4)
//
// Two nodes use the highest version that both know, a cluster the highest that all its members
// know. A member that shares none with this node is not relied upon.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "cluster/wire/message.hpp"

namespace vpnha::wire {

struct Codec {
    std::uint8_t version;
    void (*encode)(ByteWriter& out, const Message& message);
    Result<Message> (*parse)(ByteReader& in);
    // For a message of this node's own that the group delivered back: updates and chunks without
    // their records.
    Result<Message> (*parse_own)(ByteReader& in);
};

// Version 1, docs/reference/wire-format.md.
[[nodiscard]] const Codec& version_1();

// The versions of this release, the lowest one first, without gaps.
[[nodiscard]] std::span<const Codec> released_codecs();

// A node's support of the wire versions.
class Dialects {
  public:
    // Not empty, ascending without gaps; the codecs must outlive this.
    explicit Dialects(std::span<const Codec> codecs = released_codecs()) : codecs_(codecs) {}

    [[nodiscard]] std::uint8_t version_min() const { return codecs_.front().version; }
    [[nodiscard]] std::uint8_t version_max() const { return codecs_.back().version; }

    // The highest version that this node and a peer with min..max support; none: there is none.
    [[nodiscard]] std::optional<std::uint8_t> common(std::uint8_t min, std::uint8_t max) const;

    // `version` is one of ours.
    [[nodiscard]] Bytes encode(const Message& message, std::uint8_t version) const;
    // Malformed: wrong magic or checksum, unknown type, a length beyond its bound, bytes left over.
    // Unsupported: a version that this node does not support.
    [[nodiscard]] Result<Message> parse(ByteView bytes) const;
    [[nodiscard]] Result<Message> parse_own(ByteView bytes) const;

  private:
    using Parser = Result<Message> (*Codec::*)(ByteReader&);
    [[nodiscard]] Result<Message> parse(ByteView bytes, Parser parser) const;

    std::span<const Codec> codecs_;
};

}  // namespace vpnha::wire
