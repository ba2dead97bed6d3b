// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/bandwidth/backend/bandwidth.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <chrono>
#include <utility>
#include <variant>

#include "base/limits.hpp"
#include "host/os/log.hpp"
#include "host/os/timers.hpp"

namespace vpnha::runtime {

namespace {

constexpr Duration kRateComplaintPause = std::chrono::minutes(1);

}  // namespace

Bandwidth::~Bandwidth() {
    loop_.cancel_timer(kBandwidthTimer);
}

bool Bandwidth::execute(effects::ProtocolWork& work) {
    return execute_own<bandwidth::BandwidthWork>(work, [this](auto& each) {
        waiting_.emplace_back(std::move(each));
        if (waiting_.size() == 1) {
            schedule();
        }
    });
}

Status Bandwidth::status() const {
    return {{"bandwidth/limited", std::uint64_t{limited_.size()}}, {"bandwidth/failed", failed_}};
}

void Bandwidth::schedule() {
    loop_.set_timer(kBandwidthTimer, loop_.now(), [this] { work_slice(); });
}

void Bandwidth::work_slice() {
    const TimePoint until = loop_.now() + limits::kLoopSlice;
    while (!waiting_.empty() && loop_.now() < until) {
        std::visit([this](const auto& each) { carry_out(each); }, waiting_.front());
        waiting_.pop_front();
    }
    if (!waiting_.empty()) {
        // Other work of the node has its turn, too.
        loop_.set_timer(kBandwidthTimer, loop_.now() + kTurnPause, [this] { work_slice(); });
    }
}

std::uint32_t Bandwidth::device_of(const bandwidth::SetRate& work) const {
    if (work.device != 0) {
        return work.device;
    }
    const std::string name = work.interface.empty() ? interface_of_(work.session) : work.interface;
    return name.empty() ? 0 : if_nametoindex(name.c_str());
}

void Bandwidth::carry_out(const bandwidth::SetRate& work) {
    const Limited wanted{device_of(work), work.rate, work.mtu};
    const auto had = limited_.find(work.session);
    if (had != limited_.end() && had->second == wanted) {
        return;  // The kernel would empty the device's queues.
    }
    if (had != limited_.end() && had->second.device != wanted.device) {
        leave(work.session);
    }
    if (wanted.device == 0) {
        return;  // The keeper is about to receive its end.
    }
    const Result<void> set =
        limiter_->set(wanted.device, bandwidth::shaping_of(work.rate, work.mtu));
    if (!set) {
        if (set.error().code != Errc::not_found) {
            complain(work.session, set.error());
        }
        return;
    }
    limited_[work.session] = wanted;
    sessions_[wanted.device] = work.session;
}

void Bandwidth::carry_out(const bandwidth::RemoveRate& work) {
    leave(work.session);
}

void Bandwidth::leave(const wire::RecordKey& session) {
    const auto entry = limited_.extract(session);
    const auto device = entry ? sessions_.find(entry.mapped().device) : sessions_.end();
    if (device == sessions_.end() || device->second != session) {
        return;
    }
    adapters::log_failure("removing a session's limit", limiter_->remove(device->first));
    sessions_.erase(device);
}

void Bandwidth::complain(const wire::RecordKey& session, const Error& error) {
    ++failed_;
    if (complain_from_ && loop_.now() < *complain_from_) {
        return;
    }
    complain_from_ = loop_.now() + kRateComplaintPause;
    adapters::write_log(LogLevel::error,
                        fmt::format("a session is not limited event=rate-not-set record={} "
                                    "failures={}: {}",
                                    to_hex(session.id.view()), failed_, error.detail));
}

}  // namespace vpnha::runtime
