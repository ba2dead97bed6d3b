// SPDX-License-Identifier: GPL-2.0-or-later
// The Ns that a control channel has used, and for which message. A used number is used again for
// the same message only: a peer that has received the first one drops the second as a duplicate.
//
// A forger of the peer's Nr chooses the numbers that this side probes. So no number may push
// another one out of this memory soon. All HELLOs are equal: a bit each, remembered while fewer
// than kPerGeneration other numbers are used. The octets of other messages are kept for
// kRemembered: a peer contradicts a forged number within a minute.
#pragma once

#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "protocols/l2tp/model/seq16.hpp"

namespace vpnha::l2tp {

// The content of our control message, without numbers and the peer's tunnel id.
struct ControlContent {
    SessionId session{};
    Bytes avps;
    friend bool operator==(const ControlContent&, const ControlContent&) = default;
};

// Of a HELLO: all are the same.
[[nodiscard]] const ControlContent& hello_content();

class UsedNumbers {
  public:
    // A peer can distinguish numbers that are less than 32 768 apart.
    static constexpr std::size_t kPerGeneration = 16'384;
    static constexpr std::chrono::minutes kRemembered{10};
    // Messages that are no HELLO: 100 KiB of a tunnel. With more, a peer's requests are not
    // answered; ends of sessions are always sent.
    static constexpr std::size_t kMessagesMax = 1024;

    // `ns` is sent with that content now. No effect on a number that is remembered.
    void note(Seq16 ns, const ControlContent& content, TimePoint now);
    // The content that `ns` was used for; nullopt: none that is remembered.
    [[nodiscard]] std::optional<ControlContent> at(Seq16 ns) const;
    // It remembers kMessagesMax messages, and none can be forgotten yet.
    [[nodiscard]] bool full(TimePoint now) const;

  private:
    struct Message {
        Seq16 ns;
        ControlContent content;
        TimePoint sent_at{};
    };
    // Numbers by their high octets: numbers in sequence share a page.
    struct Generation {
        std::map<std::uint8_t, std::bitset<256>> pages;
        std::size_t count = 0;
        [[nodiscard]] bool has(Seq16 ns) const;
        void add(Seq16 ns);
    };

    Generation hellos_;
    Generation older_hellos_;
    std::deque<Message> messages_;  // In the order of their first transmission.
};

}  // namespace vpnha::l2tp
