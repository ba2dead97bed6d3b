// SPDX-License-Identifier: GPL-2.0-or-later
#include "echo/keeper/echo_sessions.hpp"

#include <fmt/format.h>

#include <utility>

namespace vpnha::echo {

namespace {

constexpr Duration kReadEach = std::chrono::milliseconds(500);

}  // namespace

void EchoSessions::want(Work work, effects::Effects& effects) const {
    effects.emplace_back(GatewayWork{gateway_.id(), std::move(work)});
}

void EchoSessions::warm(const keepers::Margin& margin, TimePoint, effects::Effects& effects) {
    SetNumbers set{{}, ++last_ticket_};
    for (const auto& [key, session] : replica().store().all(wire::RecordType::echo_session)) {
        const Result<SessionId> id = parse_key(key);
        if (!id) {
            continue;
        }
        // A session whose number nobody has told yet began at 0, in the epoch that it is from.
        const auto* const known = replica().store().find(number_key(*id));
        const Result<std::uint64_t> next =
            known == nullptr ? Result<std::uint64_t>(0) : parse_number(known->payload);
        const Epoch in = known == nullptr ? session.version.epoch : known->version.epoch;
        const std::uint64_t number = next.value_or(0);
        set.numbers[*id] = number + margin.beyond({in, number, session.version.epoch.number}, kUse);
    }
    warming_ = set.ticket;
    want(std::move(set), effects);
}

void EchoSessions::read(TimePoint now, effects::Effects& effects) {
    reading_ = {++last_ticket_, now};
    want(ReadNumbers{reading_->ticket}, effects);
}

void EchoSessions::install(const replica::Install& wanted, TimePoint now,
                           effects::Effects& effects) {
    const Result<SessionId> id = parse_key(wanted.key);
    if (!id) {
        return keepers::set_aside(gateway_, wanted, id.error().detail, now, effects);
    }
    if (wanted.key.type == wire::RecordType::echo_session) {
        const ByteView sealed = wanted.payload;
        want(Install{*id, Bytes(sealed.begin(), sealed.end()), wanted.ticket}, effects);
    } else if (const auto next = parse_number(wanted.payload); !next) {
        keepers::set_aside(gateway_, wanted, next.error().detail, now, effects);
    } else {
        // The store has it until the lease is granted.
        replica().on_installed(wanted.key, wanted.ticket, replica::Outcome::installed, now);
    }
}

void EchoSessions::remove(const wire::RecordKey& key, effects::Effects& effects) {
    if (const auto id = parse_key(key); id && key.type == wire::RecordType::echo_session) {
        want(Remove{*id}, effects);
    }
}

void EchoSessions::on_open(TimePoint, effects::Effects& effects) {
    want(Serve{true}, effects);
}

void EchoSessions::promote(TimePoint now, effects::Effects& effects) {
    read_next_ = now + kReadEach;
    read(now, effects);
}

void EchoSessions::pause(effects::Effects& effects) {
    want(Serve{false}, effects);
}

void EchoSessions::unpause(TimePoint now, effects::Effects& effects) {
    on_open(now, effects);
    promote(now, effects);
}

void EchoSessions::mute(effects::Effects& effects) {
    warming_.reset();
    reading_.reset();
    read_next_.reset();
    pause(effects);
}

void EchoSessions::detach(effects::Effects& effects) {
    mute(effects);
    for (const auto& [key, stored] : replica().store().all(wire::RecordType::echo_session)) {
        remove(key, effects);
    }
}

void EchoSessions::on_event(const effects::KeeperEvent& event, TimePoint now,
                            effects::Effects& effects) {
    if (const auto* const own = event.get<Event>()) {
        std::visit([&](const auto& each) { handle(each, now, effects); }, *own);
    }
}

void EchoSessions::handle(const Installed& installed, TimePoint now, effects::Effects&) {
    replica().on_installed(
        session_key(installed.id), installed.ticket,
        installed.result ? replica::Outcome::installed : replica::Outcome::refused, now);
}

void EchoSessions::handle(const NumbersSet& set, TimePoint, effects::Effects&) {
    if (warming_ == set.ticket) {
        warming_.reset();
    }
}

void EchoSessions::handle(const NumbersRead& read, TimePoint, effects::Effects&) {
    // An answer to an earlier question is older than what is asked for now.
    if (!reading_ || reading_->ticket != read.ticket || !replica().promoted()) {
        return;
    }
    for (const auto& [id, next] : read.numbers) {
        if (replica().store().find(session_key(id)) != nullptr) {
            replica().publish(number_key(id), encode_number(next));
        }
    }
    read_at_ = std::exchange(reading_, std::nullopt)->asked_at;
}

void EchoSessions::handle(const Opened& opened, TimePoint, effects::Effects& effects) {
    if (!gateway_.is_served() || !replica().publish(session_key(opened.id), opened.sealed)) {
        ++lost_;
        want(Remove{opened.id}, effects);
    }
}

void EchoSessions::handle(const Closed& closed, TimePoint now, effects::Effects&) {
    if (gateway_.is_served()) {
        replica().erase(session_key(closed.id), now);
        replica().erase(number_key(closed.id), now);
    }
}

void EchoSessions::on_time(TimePoint now, effects::Effects& effects) {
    if (read_next_ && now >= *read_next_) {
        read_next_ = now + kReadEach;
        if (!reading_) {
            read(now, effects);
        }
    }
}

std::vector<keepers::SessionView> EchoSessions::sessions(const keepers::ListPart& part) const {
    std::vector<keepers::SessionView> views;
    for (const auto& [key, stored] :
         replica().store().some(wire::RecordType::echo_session, part.after, part.max)) {
        keepers::SessionView& view = views.emplace_back();
        view.record = key;
        view.protocol = "echo";
        view.epoch = stored.version.epoch;
        view.state = keepers::SessionState::hot;
        if (replica().promoted()) {
            view.state = replica().is_protected(key) ? keepers::SessionState::protected_
                                                     : keepers::SessionState::unprotected;
        } else if (stored.hold != replica::Hold::installed) {
            view.state = keepers::SessionState::unprotected;
        }
    }
    return views;
}

keepers::SessionTotals EchoSessions::session_totals() const {
    return {.all = replica().store().size_of(wire::RecordType::echo_session)};
}

keepers::Counts EchoSessions::counts() const {
    return {{"echo_lost", lost_}};
}

Status EchoSessions::status(TimePoint) const {
    return {{"echo/sessions", std::uint64_t{session_totals().all}}};
}

}  // namespace vpnha::echo
