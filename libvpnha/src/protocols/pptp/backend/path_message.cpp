// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/path_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <type_traits>
#include <utility>

#include "base/assert.hpp"
#include "host/helper/message_socket.hpp"

namespace vpnha::adapters {

namespace {

// A message begins with its place in the variant. Its fields follow in the order of fields(), for
// writing and for reading: Writer and Reader have the same functions.
class Writer {
  public:
    // Reserves at once, so that no octet of a key stays in a smaller buffer that was freed.
    Writer() { out_.reserve(MessageSocket::kMessageBytesMax); }

    void field(std::uint8_t value) { out_.u8(value); }
    void field(std::uint16_t value) { out_.u16(value); }
    void field(std::uint32_t value) { out_.u32(value); }
    void field(std::uint64_t value) { out_.u64(value); }
    void field(bool value) { out_.u8(value ? 1 : 0); }
    void field(EndCause value) { out_.u8(static_cast<std::uint8_t>(value)); }
    void field(const std::string& text) {
        std::string shown = text.substr(0, kPathTextBytesMax);
        std::ranges::replace_if(
            shown, [](char c) { return c < ' ' || c > '~'; }, '?');
        out_.prefixed(shown);
    }
    void field(const pptp::CallRecord& record) {
        out_.prefixed(ByteView(pptp::encode_record(record)));
    }
    void field(const pptp::CallNumbers& numbers) {
        out_.prefixed(ByteView(pptp::encode_numbers(numbers)));
    }
    void field(const mppe::Key& key) { out_.bytes(ByteView(key.data(), mppe::Key::size())); }
    template <class Each>
    void list(const std::vector<Each>& all) {
        VPNHA_ASSERT(all.size() <= kPathCallsMax);
        out_.u16(static_cast<std::uint16_t>(all.size()));
    }
    void maybe(const std::optional<pptp::StartKeys>& keys) { field(keys.has_value()); }

    [[nodiscard]] Bytes take() && { return std::move(out_).take(); }

  private:
    ByteWriter out_;
};

class Reader {
  public:
    explicit Reader(ByteView bytes) : in_(bytes) {}

    void field(std::uint8_t& value) { value = in_.u8(); }
    void field(std::uint16_t& value) { value = in_.u16(); }
    void field(std::uint32_t& value) { value = in_.u32(); }
    void field(std::uint64_t& value) { value = in_.u64(); }
    void field(bool& value) {
        const std::uint8_t octet = in_.u8();
        value = octet == 1;
        fail_unless(octet <= 1);
    }
    void field(EndCause& value) {
        const std::uint8_t octet = in_.u8();
        value = static_cast<EndCause>(octet);
        fail_unless(octet >= 1 && octet <= kEndCauseMax);
    }
    void field(std::string& text) {
        text = to_text(in_.take_prefixed(kPathTextBytesMax));
        fail_unless(std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }));
    }
    void field(pptp::CallRecord& record) { take(record, &pptp::parse_record); }
    void field(pptp::CallNumbers& numbers) { take(numbers, &pptp::parse_numbers); }
    void field(mppe::Key& key) {
        const ByteView octets = in_.take(mppe::Key::size());
        std::ranges::copy(octets, key.begin());
    }
    template <class Each>
    void list(std::vector<Each>& all) {
        const std::size_t count = in_.u16();
        fail_unless(count <= kPathCallsMax);
        all.resize(in_.ok() ? count : 0);
    }
    void maybe(std::optional<pptp::StartKeys>& keys) {
        bool are_there = false;
        field(are_there);
        if (are_there) {
            keys.emplace();
        }
    }

    [[nodiscard]] bool finished() const { return in_.finished(); }

  private:
    void fail_unless(bool is_sane) {
        if (!is_sane) {
            in_.fail();
        }
    }
    template <class Value>
    void take(Value& value, Result<Value> (*parse)(ByteView)) {
        Result<Value> parsed = parse(in_.take_prefixed(MessageSocket::kMessageBytesMax));
        fail_unless(parsed.has_value());
        if (parsed) {
            value = std::move(*parsed);
        }
    }

    ByteReader in_;
};

template <class Message, class... Types>
concept Is = (std::same_as<std::remove_const_t<Message>, Types> || ...);

// The fields of each message. `Codec` is a Writer, whose message is const, or a Reader.
template <class Codec, Is<PathVip> Message>
void fields(Codec& codec, Message& message) {
    codec.field(message.vip.value);
}
template <class Codec, Is<PathPrepare> Message>
void fields(Codec& codec, Message& message) {
    codec.field(message.call);
    codec.field(message.gateway.value);
    codec.field(message.record);
    codec.field(message.numbers);
    codec.maybe(message.keys);
    if (message.keys) {
        codec.field(message.keys->send);
        codec.field(message.keys->receive);
    }
}
template <class Codec, class Calls>
void numbers_of(Codec& codec, Calls& calls) {
    codec.list(calls);
    for (auto& each : calls) {
        codec.field(each.call);
        codec.field(each.numbers);
    }
}
template <class Codec, class Calls>
void calls_of(Codec& codec, Calls& calls) {
    codec.list(calls);
    for (auto& each : calls) {
        codec.field(each);
    }
}
template <class Codec, Is<PathNumbers> Message>
void fields(Codec& codec, Message& message) {
    numbers_of(codec, message.calls);
}
template <class Codec, Is<PathRemove, PathMayEnd, CallIsPrepared, CallMeansToEnd, CallIsGone,
                          CallLeavesConnection>
                           Message>
void fields(Codec& codec, Message& message) {
    codec.field(message.call);
}
template <class Codec, Is<PathEnd, CallHasEnded> Message>
void fields(Codec& codec, Message& message) {
    codec.field(message.call);
    codec.field(message.reason);
    codec.field(message.cause);
}
template <class Codec, Is<PathResume> Message>
void fields(Codec& codec, Message& message) {
    calls_of(codec, message.calls);
    codec.field(message.exact);
    codec.field(message.tenure);
}
template <class Codec, Is<PathRelease> Message>
void fields(Codec& codec, Message& message) {
    calls_of(codec, message.calls);
}
template <class Codec, Is<PathPause> Message>
void fields(Codec& codec, Message& message) {
    codec.field(message.gateway.value);
}
template <class Codec, Is<PathRead> Message>
void fields(Codec& codec, Message& message) {
    codec.field(message.gateway.value);
    codec.field(message.ticket);
}
template <class Codec, Is<PathConnected> Message>
void fields(Codec& codec, Message& message) {
    codec.field(message.call);
    codec.field(message.error);
}
template <class Codec, Is<PathCount> Message>
void fields(Codec&, Message&) {}

template <class Codec, Is<PathReady> Message>
void fields(Codec& codec, Message& message) {
    codec.field(message.error);
    codec.field(message.unlocked);
}
template <class Codec, Is<CallIsResumed> Message>
void fields(Codec& codec, Message& message) {
    codec.field(message.call);
    codec.field(message.how);
}
template <class Codec, Is<CallWantsConnection> Message>
void fields(Codec& codec, Message& message) {
    codec.field(message.call);
    codec.field(message.socket.snd_nxt);
    codec.field(message.socket.rcv_nxt);
    codec.field(message.socket.snd_wnd);
    codec.field(message.socket.tsval);
    codec.field(message.socket.peer_tsval);
}
template <class Codec, Is<PathNumbersRead> Message>
void fields(Codec& codec, Message& message) {
    codec.field(message.gateway.value);
    codec.field(message.ticket);
    codec.field(message.last);
    numbers_of(codec, message.calls);
}
template <class Codec, Is<PathCounters> Message>
void fields(Codec& codec, Message& message) {
    auto& all = message.counters;
    for (auto* const each :
         {&all.malformed, &all.duplicates, &all.in_clear, &all.resets, &all.unexpected,
          &all.mppe.malformed, &all.mppe.undecipherable, &all.mppe.late, &all.mppe.outdated,
          &all.mppe.refused, &all.mppe.keys, &all.link.malformed, &all.link.looped,
          &all.link.unexpected, &all.link.rejects_withheld}) {
        codec.field(*each);
    }
}

template <class Message>
Bytes encode(const Message& message) {
    Writer writer;
    writer.field(static_cast<std::uint8_t>(message.index()));
    std::visit([&](const auto& each) { fields(writer, each); }, message);
    return std::move(writer).take();
}

// Sets the alternative with that place in the variant; false: there is none.
template <class Message, std::size_t... Places>
bool choose(Message& message, std::size_t place, std::index_sequence<Places...>) {
    return ((place == Places && (message.template emplace<Places>(), true)) || ...);
}

template <class Message>
Result<Message> parse(ByteView bytes) {
    Reader reader(bytes);
    std::uint8_t type = 0;
    reader.field(type);
    Message message;
    if (choose(message, type, std::make_index_sequence<std::variant_size_v<Message>>())) {
        std::visit([&](auto& each) { fields(reader, each); }, message);
        if (reader.finished()) {
            return message;
        }
    }
    return fail(Errc::malformed,
                fmt::format("a message of {} octets and type {}", bytes.size(), type));
}

}  // namespace

Bytes encode_order(const PathOrder& order) {
    return encode(order);
}

Bytes encode_report(const PathReport& report) {
    return encode(report);
}

Result<PathOrder> parse_order(ByteView bytes) {
    return parse<PathOrder>(bytes);
}

Result<PathReport> parse_report(ByteView bytes) {
    return parse<PathReport>(bytes);
}

}  // namespace vpnha::adapters
