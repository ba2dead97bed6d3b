// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/keeper_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "cluster/wire/record_traits.hpp"

namespace vpnha::node {

KeeperList::KeeperList(const Parts& parts, const keepers::Settings& settings,
                       std::span<const keepers::Make> families)
    : parts_(parts) {
    for (const keepers::Make make : families) {
        if (auto keeper = make(*this, settings)) {
            keepers_.push_back(std::move(keeper));
        }
    }
}

keepers::Keeper* KeeperList::keeper_of(wire::RecordType type) const {
    for (const auto& keeper : keepers_) {
        const auto types = keeper->types();
        if (std::find(types.begin(), types.end(), type) != types.end()) {
            return keeper.get();
        }
    }
    return nullptr;
}

void KeeperList::visit_ppp_sessions(const VisitSession& visit) const {
    for (const auto& keeper : keepers_) {
        for (const wire::RecordType type : keeper->types()) {
            if (!wire::is_session(type)) {
                continue;
            }
            for (const auto& [key, stored] : parts_.replica.store().all(type)) {
                if (const auto facts = keeper->facts_of(stored.payload)) {
                    visit(key, *facts);
                }
            }
        }
    }
}

std::uint32_t KeeperList::tunnel_type_of(wire::RecordType type) const {
    const keepers::Keeper* const keeper = keeper_of(type);
    return keeper == nullptr ? 0 : keeper->tunnel_type();
}

std::string KeeperList::tag() const {
    return fmt::format("gateway={} epoch={}", parts_.name, to_string(parts_.replica.epoch()));
}

void KeeperList::install_missing(TimePoint now, Effects& effects) {
    for (const replica::Effect& each : parts_.replica.install_missing()) {
        install(std::get<replica::Install>(each), now, effects);
    }
}

void KeeperList::install(const replica::Install& wanted, TimePoint now, Effects& effects) {
    if (keepers::Keeper* const keeper = keeper_of(wanted.key.type)) {
        keeper->install(wanted, now, effects);
    } else {
        keepers::set_aside(*this, wanted,
                           fmt::format("record type {} is of a later release; upgrade this node",
                                       static_cast<int>(wanted.key.type)),
                           now, effects);
    }
}

void KeeperList::report_end(const wire::RecordKey& session, EndCause cause, TimePoint now) {
    for (const auto& keeper : keepers_) {
        keeper->on_end(session, cause, now);
    }
}

void KeeperList::report_usage(const keepers::Usage& usage, TimePoint now, Effects& effects) {
    for (const auto& keeper : keepers_) {
        keeper->on_usage(usage, now, effects);
    }
}

bool KeeperList::lives(const wire::RecordKey& session, TimePoint now) const {
    const keepers::Keeper* const keeper = keeper_of(session.type);
    return keeper == nullptr || keeper->lives(session, now);
}

void KeeperList::remove(const wire::RecordKey& key, Effects& effects) {
    if (keepers::Keeper* const keeper = keeper_of(key.type)) {
        keeper->remove(key, effects);
    }
}

void KeeperList::on_in_sync(TimePoint now) {
    for (const auto& keeper : keepers_) {
        keeper->on_in_sync(now);
    }
}

void KeeperList::on_replica(TimePoint now, Effects& effects) {
    for (const auto& keeper : keepers_) {
        keeper->on_replica(now, effects);
    }
}

void KeeperList::follow(TimePoint now, Effects& effects) {
    for (const auto& keeper : keepers_) {
        keeper->follow(now, effects);
    }
}

void KeeperList::on_addresses(Effects& effects) {
    for (const auto& keeper : keepers_) {
        keeper->on_addresses(effects);
    }
}

void KeeperList::on_open(TimePoint now, Effects& effects) {
    for (const auto& keeper : keepers_) {
        keeper->on_open(now, effects);
    }
}

void KeeperList::promote(TimePoint now, Effects& effects) {
    for (const auto& keeper : keepers_) {
        keeper->promote(now, effects);
    }
}

void KeeperList::pause(Effects& effects) {
    for (const auto& keeper : keepers_) {
        keeper->pause(effects);
    }
}

void KeeperList::unpause(TimePoint now, Effects& effects) {
    for (const auto& keeper : keepers_) {
        keeper->unpause(now, effects);
    }
}

void KeeperList::mute(Effects& effects) {
    for (const auto& keeper : keepers_) {
        keeper->mute(effects);
    }
}

void KeeperList::detach(Effects& effects) {
    for (const auto& keeper : keepers_) {
        keeper->detach(effects);
    }
}

Result<void> KeeperList::end(const wire::RecordKey& key, TimePoint now, Effects& effects) {
    keepers::Keeper* const keeper = keeper_of(key.type);
    if (keeper == nullptr) {
        return fail(Errc::not_found, "no keeper has the session");
    }
    VPNHA_CHECK(keeper->end(key, now, effects));
    for (const auto& each : keepers_) {
        each->on_end_ordered(key, EndCause::admin_reset);
    }
    return {};
}

Result<ppp::Terms> KeeperList::change(const wire::RecordKey& key, const ppp::TermsChange& change,
                                      TimePoint now, Effects& effects) {
    keepers::Keeper* const keeper = keeper_of(key.type);
    if (keeper == nullptr) {
        return fail(Errc::not_found, "no keeper has the session");
    }
    return keeper->change(key, change, now, effects);
}

void KeeperList::on_event(const KeeperEvent& event, TimePoint now, Effects& effects) {
    for (const auto& keeper : keepers_) {
        keeper->on_event(event, now, effects);
    }
}

void KeeperList::on_time(TimePoint now, Effects& effects) {
    for (const auto& keeper : keepers_) {
        keeper->on_time(now, effects);
    }
}

bool KeeperList::have_turned() const {
    return std::all_of(keepers_.begin(), keepers_.end(),
                       [](const auto& keeper) { return keeper->has_turned(); });
}

bool KeeperList::take_packets() const {
    return std::all_of(keepers_.begin(), keepers_.end(),
                       [](const auto& keeper) { return keeper->takes_packets(); });
}

Duration KeeperList::lets_out() const {
    Duration longest{};
    for (const auto& keeper : keepers_) {
        longest = std::max(longest, keeper->lets_out());
    }
    return longest;
}

std::optional<TimePoint> KeeperList::next_deadline() const {
    std::optional<TimePoint> at;
    for (const auto& keeper : keepers_) {
        at = earliest(at, keeper->next_deadline());
    }
    return at;
}

std::vector<keepers::SessionView> KeeperList::sessions(const keepers::ListPart& part) const {
    std::vector<keepers::SessionView> all;
    keepers::ListPart left = part;
    // The list has one family after the other: those before that of `after` are through.
    const keepers::Keeper* const last = keeper_of(part.after.type);
    auto keeper = std::ranges::find(keepers_, last, [](const auto& each) { return each.get(); });
    for (keeper = last == nullptr ? keepers_.begin() : keeper;
         keeper != keepers_.end() && left.max > 0; ++keeper) {
        std::vector<keepers::SessionView> own = (*keeper)->sessions(left);
        left = {.max = left.max - own.size()};
        std::move(own.begin(), own.end(), std::back_inserter(all));
    }
    return all;
}

keepers::SessionTotals KeeperList::session_totals() const {
    keepers::SessionTotals sum;
    for (const auto& keeper : keepers_) {
        const keepers::SessionTotals own = keeper->session_totals();
        sum.all += own.all;
        sum.quarantined += own.quarantined;
    }
    return sum;
}

Status KeeperList::status(TimePoint now) const {
    Status all;
    for (const auto& keeper : keepers_) {
        all.merge(keeper->status(now));
    }
    return all;
}

keepers::Counts KeeperList::counts() const {
    keepers::Counts all;
    for (const auto& keeper : keepers_) {
        for (const auto& [name, count] : keeper->counts()) {
            all[name] += count;
        }
    }
    return all;
}

std::vector<keepers::Counted*> KeeperList::counted() const {
    std::vector<keepers::Counted*> all;
    for (const auto& keeper : keepers_) {
        if (keepers::Counted* const counted = keeper->counted()) {
            all.push_back(counted);
        }
    }
    return all;
}

}  // namespace vpnha::node
