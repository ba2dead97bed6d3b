// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/model/used_numbers.hpp"

#include <algorithm>
#include <utility>

#include "protocols/l2tp/model/control_message.hpp"

namespace vpnha::l2tp {

const ControlContent& hello_content() {
    static const ControlContent kHello{SessionId{0}, encode_hello()};
    return kHello;
}

bool UsedNumbers::Generation::has(Seq16 ns) const {
    const auto page = pages.find(static_cast<std::uint8_t>(ns.value >> 8));
    return page != pages.end() && page->second[ns.value & 0xFFU];
}

void UsedNumbers::Generation::add(Seq16 ns) {
    pages[static_cast<std::uint8_t>(ns.value >> 8)].set(ns.value & 0xFFU);
    ++count;
}

void UsedNumbers::note(Seq16 ns, const ControlContent& content, TimePoint now) {
    while (!messages_.empty() && messages_.front().sent_at + kRemembered <= now) {
        messages_.pop_front();
    }
    if (at(ns)) {
        return;
    }
    if (content != hello_content()) {
        messages_.push_back({ns, content, now});
        return;
    }
    if (hellos_.count == kPerGeneration) {
        older_hellos_ = std::exchange(hellos_, {});
    }
    hellos_.add(ns);
}

std::optional<ControlContent> UsedNumbers::at(Seq16 ns) const {
    const auto message = std::find_if(messages_.begin(), messages_.end(),
                                      [ns](const Message& each) { return each.ns == ns; });
    if (message != messages_.end()) {
        return message->content;
    }
    return hellos_.has(ns) || older_hellos_.has(ns) ? std::optional(hello_content()) : std::nullopt;
}

bool UsedNumbers::full(TimePoint now) const {
    return messages_.size() >= kMessagesMax && now < messages_.front().sent_at + kRemembered;
}

}  // namespace vpnha::l2tp
