// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/control/control_message.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace vpnha::adapters {

namespace {

using nlohmann::json;

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kVerbBytesMax = 32;

constexpr Errc kCodes[] = {
    Errc::invalid_argument,
    Errc::invalid_config,
    Errc::malformed,
    Errc::unsupported,
    Errc::not_found,
    Errc::already_exists,
    Errc::permission,
    Errc::unreachable,
    Errc::busy,
    Errc::limit,
    Errc::stale_epoch,
    Errc::timeout,
    Errc::system,
};

// A newer daemon may know more codes than this client.
Errc code_from(std::string_view name) {
    const auto found = std::find_if(std::begin(kCodes), std::end(kCodes),
                                    [&](Errc code) { return to_string(code) == name; });
    return found == std::end(kCodes) ? Errc::system : *found;
}

bool nests_too_deep(std::string_view text) {
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            i += c == '\\' ? 1 : 0;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > limits::kControlJsonDepthMax) {
                return true;
            }
        } else if ((c == '}' || c == ']') && depth > 0) {
            --depth;
        }
    }
    return false;
}

// The member of that name and type, or null.
const json* member(const json& object, const char* name, json::value_t type) {
    const auto found = object.find(name);
    return found != object.end() && found->type() == type ? &*found : nullptr;
}

Result<json> parse_envelope(std::string_view text) {
    VPNHA_TRY(json envelope, parse_bounded_json(text));
    if (!envelope.is_object()) {
        return fail(Errc::malformed, "a message is a JSON object");
    }
    const json* const version = member(envelope, "version", json::value_t::number_unsigned);
    if (version == nullptr || *version != kControlVersion) {
        return fail(Errc::unsupported,
                    fmt::format("version {} of the control protocol is spoken here; the message "
                                "has another or none",
                                kControlVersion));
    }
    return envelope;
}

}  // namespace

bool is_read_only(std::string_view verb) {
    return std::find(std::begin(kReadOnlyVerbs), std::end(kReadOnlyVerbs), verb) !=
           std::end(kReadOnlyVerbs);
}

std::optional<std::size_t> ControlFrameReader::announced() const {
    if (buffer_.size() < kLengthBytes) {
        return std::nullopt;
    }
    return ByteReader(to_bytes(buffer_).first(kLengthBytes)).u32();
}

Result<void> ControlFrameReader::feed(ByteView bytes) {
    buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::optional<std::size_t> length = announced();
    if (length && (*length == 0 || *length > max_)) {
        return fail(
            Errc::limit,
            fmt::format("a message of {} bytes is announced; 1 to {} are taken", *length, max_));
    }
    return {};
}

std::optional<std::string> ControlFrameReader::next() {
    const std::optional<std::size_t> length = announced();
    if (!length || *length == 0 || *length > max_ || buffer_.size() - kLengthBytes < *length) {
        return std::nullopt;
    }
    std::string text = buffer_.substr(kLengthBytes, *length);
    buffer_.erase(0, kLengthBytes + *length);
    return text;
}

std::string frame_header(std::size_t bytes) {
    VPNHA_ASSERT(bytes <= limits::kControlMessageBytesMax);
    ByteWriter length;
    length.u32(static_cast<std::uint32_t>(bytes));
    return to_text(length.view());
}

std::string frame(std::string_view text) {
    return frame_header(text.size()).append(text);
}

Result<json> parse_bounded_json(std::string_view text) {
    if (nests_too_deep(text)) {
        return fail(Errc::limit,
                    fmt::format("JSON nests deeper than {}", limits::kControlJsonDepthMax));
    }
    json value = json::parse(text, nullptr, false);
    if (value.is_discarded()) {
        return fail(Errc::malformed, "the message is not JSON");
    }
    return value;
}

Result<ControlCall> parse_control_request(std::string_view text) {
    VPNHA_TRY(const json envelope, parse_envelope(text));
    const json* const verb = member(envelope, "verb", json::value_t::string);
    if (verb == nullptr || verb->get_ref<const std::string&>().empty() ||
        verb->get_ref<const std::string&>().size() > kVerbBytesMax) {
        return fail(Errc::malformed,
                    fmt::format("a request has a 'verb', a string of 1 to {}", kVerbBytesMax));
    }
    ControlCall call{verb->get<std::string>(), json::object()};
    if (const auto arguments = envelope.find("arguments"); arguments != envelope.end()) {
        if (!arguments->is_object()) {
            return fail(Errc::malformed, "'arguments' of a request is an object");
        }
        call.arguments = *arguments;
    }
    return call;
}

std::string encode_control_request(const ControlCall& call) {
    return to_json_text(
        {{"version", kControlVersion}, {"verb", call.verb}, {"arguments", call.arguments}});
}

Result<json> parse_control_answer(std::string_view text) {
    VPNHA_TRY(json envelope, parse_envelope(text));
    const json* const ok = member(envelope, "ok", json::value_t::boolean);
    if (ok != nullptr && ok->get<bool>() && envelope.contains("result")) {
        return std::move(envelope["result"]);
    }
    const json* const error = member(envelope, "error", json::value_t::object);
    if (ok == nullptr || error == nullptr) {
        return fail(Errc::malformed, "the answer holds neither a result nor an error");
    }
    const json* const code = member(*error, "code", json::value_t::string);
    const json* const detail = member(*error, "detail", json::value_t::string);
    return fail(code == nullptr ? Errc::system : code_from(code->get_ref<const std::string&>()),
                detail == nullptr ? "vpnhad gave no reason" : detail->get<std::string>());
}

std::string encode_control_answer(const json& result) {
    return fmt::format("{}{}{}", control_answer_head(), to_json_text(result),
                       control_answer_tail());
}

std::string_view control_answer_head() {
    return R"({"ok":true,"result":)";
}

std::string control_answer_tail() {
    return fmt::format(R"(,"version":{}}})", kControlVersion);
}

std::string encode_control_answer(const Error& error) {
    return to_json_text({{"version", kControlVersion},
                         {"ok", false},
                         {"error", {{"code", to_string(error.code)}, {"detail", error.detail}}}});
}

std::string to_json_text(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace vpnha::adapters
