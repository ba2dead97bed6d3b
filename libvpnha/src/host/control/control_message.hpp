// SPDX-License-Identifier: GPL-2.0-or-later
// The control protocol, version 1, as documented in docs/reference/control-protocol.md: a length
// (u32, big-endian) and so many bytes of JSON, in both directions. Nothing here does I/O.
//
//   {"version": 1, "verb": "status", "arguments": {}}
//   {"version": 1, "ok": true, "result": {…}}
//   {"version": 1, "ok": false, "error": {"code": "not_found", "detail": "…"}}
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

inline constexpr int kControlVersion = 1;

// Verbs for members of the group vpnha; all others are for root.
inline constexpr std::string_view kReadOnlyVerbs[] = {"events", "gate",     "peers", "ping",
                                                      "plan",   "sessions", "status"};
[[nodiscard]] bool is_read_only(std::string_view verb);

// Splits arriving bytes into messages. It keeps only bytes that have arrived, not the stated size.
class ControlFrameReader {
  public:
    explicit ControlFrameReader(std::size_t message_bytes_max) : max_(message_bytes_max) {}

    // Fails, and from then on always, when an announced message is empty or too large.
    [[nodiscard]] Result<void> feed(ByteView bytes);
    [[nodiscard]] std::optional<std::string> next();
    [[nodiscard]] bool is_within_message() const { return !buffer_.empty(); }

  private:
    [[nodiscard]] std::optional<std::size_t> announced() const;

    std::size_t max_;
    std::string buffer_;
};

// The text, preceded by its length.
[[nodiscard]] std::string frame(std::string_view text);
// The length field of a message of so many bytes.
[[nodiscard]] std::string frame_header(std::size_t bytes);

// JSON that nests at most limits::kControlJsonDepthMax deep; checked before it is parsed, as the
// parser recurses.
[[nodiscard]] Result<nlohmann::json> parse_bounded_json(std::string_view text);

struct ControlCall {
    std::string verb;
    nlohmann::json arguments;  // An object.
};
[[nodiscard]] Result<ControlCall> parse_control_request(std::string_view text);
[[nodiscard]] std::string encode_control_request(const ControlCall& call);

// The result, or the daemon's error with its code.
[[nodiscard]] Result<nlohmann::json> parse_control_answer(std::string_view text);
[[nodiscard]] std::string encode_control_answer(const nlohmann::json& result);
// The text before and after the JSON text of a result.
[[nodiscard]] std::string_view control_answer_head();
[[nodiscard]] std::string control_answer_tail();
[[nodiscard]] std::string encode_control_answer(const Error& error);

// JSON text of a value that may hold a peer's bytes: invalid UTF-8 is replaced.
[[nodiscard]] std::string to_json_text(const nlohmann::json& value);

}  // namespace vpnha::adapters
