// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/admission_watch.hpp"

#include <algorithm>

#include "host/os/log.hpp"
#include "host/os/timers.hpp"

namespace vpnha::runtime {

namespace {

using adapters::Used;

constexpr std::chrono::seconds kPause{1};

std::optional<double> percent(const std::optional<Used>& used) {
    return used && used->of != 0 ? std::optional(100.0 * static_cast<double>(used->used) /
                                                 static_cast<double>(used->of))
                                 : std::nullopt;
}

}  // namespace

Load load_of(const adapters::NodeLoad& before, const adapters::NodeLoad& now) {
    const std::optional<double> own = percent(now.own_descriptors);
    const std::optional<double> all = percent(now.files);
    std::optional<Used> since;
    if (before.processor_ticks && now.processor_ticks &&
        before.processor_ticks->of < now.processor_ticks->of) {
        // Ticks of waiting may go back.
        const std::uint64_t busy = now.processor_ticks->used;
        since = {busy - std::min(busy, before.processor_ticks->used),
                 now.processor_ticks->of - before.processor_ticks->of};
    }
    return {percent(now.conntrack), std::max(own, all), percent(now.memory_kib), percent(since)};
}

AdmissionWatch::AdmissionWatch(adapters::QbLoop& loop, adapters::BpfGate& gate,
                               const config::Admission& marks)
    : loop_(loop), gate_(gate), admission_(marks), before_(adapters::read_node_load()) {
    notify_gate();
    loop_.set_timer(kLoadTimer, loop_.now() + kPause, [this] { look(); });
}

void AdmissionWatch::look() {
    const adapters::NodeLoad now = adapters::read_node_load();
    if (const auto news = admission_.on_load(load_of(before_, now))) {
        adapters::write_log(news->level, news->text);
        notify_gate();
    }
    before_ = now;
    loop_.set_timer(kLoadTimer, loop_.now() + kPause, [this] { look(); });
}

void AdmissionWatch::notify_gate() {
    if (const Result<void> notified = gate_.drain_all(admission_.closed()); !notified) {
        adapters::write_log(LogLevel::error, notified.error().detail);
    }
}

}  // namespace vpnha::runtime
