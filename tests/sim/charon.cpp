// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/charon.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/limits.hpp"
#include "cluster/node/node.hpp"
#include "sim/plan.hpp"

namespace vpnha::sim {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kUsedAtOnce =
    limits::kEspPerSecond / static_cast<std::uint64_t>(std::chrono::seconds(1) / kPerNumber);
constexpr std::uint64_t kEnd32 = std::uint64_t{1} << 32;
// Of 64 bits: an SA whose last number this is has no next one.
constexpr std::uint64_t kNoMore = ~std::uint64_t{0};
constexpr std::uint32_t kWindow = 64;
constexpr Duration kPausedLook = milliseconds(5);

Numbers::Key key_of(std::uint32_t spi_out) {
    return {kIpsecGateway, spi_out};
}

// A window in which nothing is missing.
std::vector<std::uint32_t> bitmap_at(std::uint64_t number) {
    return std::vector<std::uint32_t>(kWindow / 32,
                                      number == 0 ? 0 : std::numeric_limits<std::uint32_t>::max());
}

std::string name_of_host(const Bytes& host) {
    return to_string(ipsec::parse_host(host)->address);
}

}  // namespace

void Charon::meet() {
    is_there_ = false;
    held_.clear();
    notify(node::CharonGone{});
    be_there_after(random_.chance(70) ? between(random_, milliseconds(20), milliseconds(400))
                                      : between(random_, milliseconds(400), seconds(5)));
}

void Charon::part() {
    ++charon_;
    jobs_.clear();
    is_there_ = false;
    is_met_ = false;
    is_active_ = false;
}

void Charon::lose_power() {
    part();
    sas_ = {};
    kernel_.clear();
}

void Charon::crash() {
    if (!is_there_) {
        return;
    }
    is_there_ = false;
    is_met_ = false;
    is_active_ = false;
    sas_ = {};
    notify(node::CharonGone{});
    be_there_after(between(random_, milliseconds(300), seconds(8)));
}

void Charon::be_there_after(Duration time) {
    agenda_.after(time, [this, charon = ++charon_] {
        if (charon != charon_) {
            return;
        }
        // vpnhad has it delete its SAs, with their ESP SAs. What a dead one left stays.
        ports_.use_numbers();
        for (const auto& [spi, child] : std::exchange(sas_, {}).children) {
            remove(spi);
        }
        is_there_ = true;
        is_active_ = false;
        ports_.post([this](node::Node& node, TimePoint now) {
            is_met_ = true;
            return node.on_event(kIpsecGateway, node::CharonFresh{}, now);
        });
    });
}

template <class Event>
void Charon::notify(Event event) {
    ports_.post([event = std::move(event)](node::Node& node, TimePoint now) {
        return node.on_event(kIpsecGateway, event, now);
    });
}

void Charon::later(Job job) {
    jobs_.push_back(std::move(job));
    do_next();
}

void Charon::do_next() {
    if (job_due_ || jobs_.empty()) {
        return;
    }
    job_due_ = true;
    const Duration lasts = random_.chance(90) ? between(random_, microseconds(50), milliseconds(3))
                                              : between(random_, milliseconds(3), milliseconds(80));
    agenda_.after(ports_.stands_still() ? kPausedLook : lasts, [this] {
        job_due_ = false;
        if (!ports_.stands_still() && !jobs_.empty()) {
            const Job job = std::move(jobs_.front());
            jobs_.pop_front();
            job();
        }
        do_next();
    });
}

void Charon::handle(const Bytes& message, unsigned refused) {
    std::set<std::uint32_t> gone;
    for (const auto& [spi, child] : sas_.children) {
        gone.insert(spi);
    }
    sas_.on(message);
    if (!sas_.complaints.empty()) {
        ports_.broken(sas_.complaints.back());
    }
    if (const auto key = ipsec::parse_ha_message(message)->ike_id()->key; has(key)) {
        had_[key] = charon_;
    }
    ports_.use_numbers();
    for (const auto& [spi, child] : sas_.children) {
        if (gone.erase(spi) != 0) {
            continue;
        }
        if (random_.chance(refused)) {
            refused_.insert(spi);
        } else {
            install(spi, child);
        }
    }
    std::ranges::for_each(gone, [this](std::uint32_t spi) { remove(spi); });
}

void Charon::install(std::uint32_t spi, const test::PassiveCharon::Child& child) {
    if (kernel_.contains(spi)) {
        ports_.broken("makes a CHILD SA that its kernel has from before");
    }
    const ipsec::IkePeer peer = ipsec::peer_of(sas_.ikes.at(child.owner).emitted);
    const bool esn = spi % 2 == 0;
    kernel_[spi] = {child.spi_out,
                    ipsec::parse_host(peer.local)->address,
                    ipsec::parse_host(peer.remote)->address,
                    esn,
                    0,
                    bitmap_at(0)};
    had_children_[spi] = charon_;
    refused_.erase(spi);
    numbers_.set(key_of(child.spi_out), {1, ports_.now(), kUsedAtOnce, esn ? kNoMore : kEnd32});
}

void Charon::remove(std::uint32_t spi) {
    if (const auto found = kernel_.find(spi); found != kernel_.end()) {
        numbers_.drop(key_of(found->second.spi_out));
        kernel_.erase(found);
    }
}

std::string Charon::free_address() const {
    std::set<std::string> reserved;
    for (const Bytes& each : sas_.reserved) {
        reserved.insert(name_of_host(each));
    }
    std::string address;
    for (unsigned i = 1; address.empty() || reserved.contains(address); ++i) {
        address = fmt::format("10.7.{}.{}", i / 256, i % 256);
    }
    for (const auto& [key, ike] : sas_.ikes) {
        if (has_address(key, address)) {
            ports_.broken("gives away an address that one of its IKE SAs has");
        }
    }
    return address;
}

bool Charon::has_address(const ipsec::IkeKey& key, std::string_view address) const {
    const auto is_it = [&](const Bytes& each) { return name_of_host(each) == address; };
    const auto ike = sas_.ikes.find(key);
    return ike != sas_.ikes.end() && std::ranges::any_of(ike->second.vips, is_it);
}

bool Charon::is_reserved(std::string_view address) const {
    return std::ranges::any_of(sas_.reserved,
                               [&](const Bytes& each) { return name_of_host(each) == address; });
}

void Charon::emit(const Bytes& message) {
    handle(message, 0);
    ports_.post([message](node::Node& node, TimePoint now) {
        return node.on_event(kIpsecGateway, node::CharonEmitted{message}, now);
    });
}

bool Charon::receive(std::uint32_t spi, std::uint64_t number) {
    Pair& pair = kernel_.at(spi);
    if (number <= pair.seq) {
        return false;
    }
    pair.seq = number;
    pair.bitmap = bitmap_at(number);
    return true;
}

std::uint64_t Charon::next(std::uint32_t spi) const {
    return numbers_.sas().at(key_of(kernel_.at(spi).spi_out)).next;
}

void Charon::execute(const node::IpsecWork& work) {
    std::visit([this](const auto& each) { carry_out(each); }, work);
}

void Charon::carry_out(const node::FeedCharon& feed) {
    if (!is_met()) {
        return;
    }
    later([this, feed, charon = charon_] {
        if (charon != charon_ || !is_there_) {
            return;
        }
        for (const Bytes& message : feed.messages) {
            handle(message, refused_percent);
        }
        notify(node::CharonFed{feed.ticket, {}});
    });
}

void Charon::carry_out(const node::TurnCharon& turn) {
    if (!is_met()) {
        return;
    }
    later([this, turn, charon = charon_] {
        if (charon != charon_ || !is_there_) {
            return;
        }
        is_active_ = turn.active;
        if (is_active_) {
            ports_.active();
        }
        notify(node::CharonTurned{turn.active});
    });
}

void Charon::carry_out(const node::ListSas& wanted) {
    later([this, wanted] {
        ports_.post([ticket = wanted.ticket, sas = list()](node::Node& node, TimePoint now) {
            return node.on_event(kIpsecGateway, node::SasListed{sas, ticket}, now);
        });
    });
}

std::vector<ipsec::SaCounters> Charon::list() {
    ports_.use_numbers();
    std::vector<ipsec::SaCounters> all;
    for (const auto& [spi, pair] : kernel_) {
        ipsec::SaCounters in{{pair.peer, pair.gateway, spi}, 0, kWindow, pair.esn, 0, 0, {}};
        in.seq = pair.seq;
        in.bitmap = pair.bitmap;
        ipsec::SaCounters out{{pair.gateway, pair.peer, pair.spi_out}, 0, 0, pair.esn, 0, 0, {}};
        out.oseq = next(spi) == kNoMore ? kNoMore : next(spi) - 1;
        all.push_back(std::move(in));
        all.push_back(std::move(out));
    }
    return all;
}

void Charon::carry_out(const node::SetCounters& wanted) {
    later([this, wanted] { notify(node::CountersSet{wanted.ticket, set(wanted)}); });
}

// As protocols/ipsec/backend/xfrm_table.hpp does it.
Result<void> Charon::set(const node::SetCounters& wanted) {
    ports_.use_numbers();
    Result<void> result;
    for (const ipsec::SaCounters& each : wanted.counters) {
        const auto in = kernel_.find(each.id.spi);
        const auto out = std::ranges::find_if(
            kernel_, [&](const auto& pair) { return pair.second.spi_out == each.id.spi; });
        if (in != kernel_.end()) {
            Pair& pair = in->second;
            if (each.seq > pair.seq) {
                pair.seq = each.seq;
                pair.bitmap = each.bitmap;
            }
        } else if (out != kernel_.end()) {
            Numbers::Sa numbers = numbers_.sas().at(key_of(each.id.spi));
            const std::uint64_t set = each.oseq == kNoMore ? kNoMore : each.oseq + 1;
            numbers.next = wanted.exact ? set : std::max(numbers.next, set);
            numbers.at = ports_.now();
            numbers_.set(key_of(each.id.spi), numbers);
        } else {
            result = fail(Errc::system, "No such process");
        }
    }
    return result;
}

void Charon::carry_out(const node::FlushSas& wanted) {
    later([this, wanted] {
        ports_.use_numbers();
        while (!kernel_.empty()) {
            remove(kernel_.begin()->first);
        }
        notify(node::SasFlushed{wanted.ticket, {}});
    });
}

// At once, as everything about the gate.
void Charon::carry_out(const node::HoldEsp& wanted) {
    ports_.use_numbers();
    for (const std::uint32_t spi : wanted.spis) {
        if (wanted.held) {
            held_.insert(spi);
        } else {
            held_.erase(spi);
        }
    }
    notify(node::EspHeld{wanted.ticket, {}});
}

void Charon::carry_out(const node::RekeyChildren& wanted) {
    later([this, wanted] {
        if (is_active()) {
            std::ranges::for_each(wanted.spis, ports_.rekeys);
        }
    });
}

void Charon::carry_out(const node::EndIkeSas& wanted) {
    later([this, wanted] {
        for (const ipsec::IkeKey& key : wanted.sas) {
            if (is_active()) {
                ports_.ends(key);
                emit(ipsec::build_ike_delete({key, false}));
            }
        }
    });
}

}  // namespace vpnha::sim
