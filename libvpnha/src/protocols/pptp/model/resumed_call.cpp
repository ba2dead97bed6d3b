// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/model/resumed_call.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/accounting.hpp"
#include "base/assert.hpp"
#include "base/limits.hpp"

namespace vpnha::pptp {

namespace {

using namespace std::chrono_literals;

// pptp-linux and Windows end a connection after a minute of silence.
constexpr Duration kOwnEcho = 25s;
constexpr Duration kOwnEchoWait = 60s;

// Covers packets that were sent, and lost on the path, before their sender died. More is better, as
// long as a peer that lost them all accepts the jump: at most 2 047. Above a rung the peer is up to
// 512 behind, and 512 more for each of two lost rungs.
constexpr std::uint64_t kLeadOnRungZero = 1024;
constexpr std::uint64_t kLeadOnRungs = 448;

mppe::KeyChain chain_of(Mppe mppe, const mppe::Key& key) {
    return {static_cast<mppe::Strength>(mppe), key};
}

double ms(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

ResumedCall::ResumedCall(const CallRecord& record, const std::optional<StartKeys>& keys,
                         CallCounters& counters)
    : record_(record),
      counters_(&counters),
      link_(ppp::link_settings(record.facts), counters.link) {
    VPNHA_ASSERT(keys.has_value() == (record.mppe != Mppe::none));
    if (keys) {
        sender_.emplace(chain_of(record.mppe, keys->send));
        receiver_.emplace(chain_of(record.mppe, keys->receive), counters.mppe,
                          record.facts.ipv6.has_value());
    }
}

void ResumedCall::set_numbers(const CallNumbers& numbers, TimePoint now) {
    if (state_ != State::prepared || is_exact_) {
        return;
    }
    known_ = numbers;
    known_at_ = now;
    if (sender_) {
        sender_->skip_to(numbers.mppe_out);
        receiver_->skip_to(numbers.mppe_in, numbers.gre_in);
    }
}

bool ResumedCall::catch_up(std::size_t keys_max) {
    if (!sender_) {
        return true;
    }
    const bool out = sender_->catch_up(keys_max);
    const bool in = receiver_->catch_up(keys_max);
    return out && in;
}

bool ResumedCall::wants_keys() const {
    return sender_ && (state_ == State::resuming || state_ == State::running) &&
           !sender_->is_ready();
}

void ResumedCall::resume(bool exact, std::uint8_t tenure, TimePoint now, CallOutput& out) {
    if (state_ != State::prepared) {
        return;
    }
    if (is_exact_) {  // Paused while running: all is as it was.
        is_exact_ = false;
        state_ = State::running;
        begin_link(now);
        return;
    }
    echo_id_ = known_.echo_id;
    window_ = GreWindow(known_.gre_in);
    far_number_.reset();
    next_number_ = known_.gre_out + 1;
    state_ = State::resuming;
    if (exact) {
        if (!is_connected_) {
            connect(control_socket(record_.tcp, known_, now - known_at_), now, out);
            if (state_ == State::ended) {
                return;
            }
            if (known_.echo_open) {
                emit(build_echo_reply(known_.echo_id), out);
            }
        }
        be_running("exact", now, out);
        return;
    }
    if (!is_connected_) {
        probe_.emplace(record_.tcp, known_, now - known_at_);
    }
    ladder_.emplace(known_.gre_out, !known_.never_acknowledges, tenure, now);
    on_time(now, out);
}

void ResumedCall::pause(TimePoint now) {
    if (state_ == State::running) {
        known_ = numbers(now);
        known_at_ = now;
        is_exact_ = true;
    }
    if (state_ != State::ended) {
        state_ = State::prepared;
        probe_.reset();
        ladder_.reset();
        held_back_.clear();
    }
}

void ResumedCall::close(const std::string& reason, EndCause cause, CallOutput& out) {
    if (state_ == State::resuming || state_ == State::running) {
        close_ = {reason, cause};
        close_when_received(out);
    }
}

void ResumedCall::close_when_received(CallOutput& out) {
    if (close_ && state_ == State::running && is_connected_) {
        end(close_->reason, close_->cause, out);
    }
}

void ResumedCall::begin_link(TimePoint now) {
    link_.start(now);
    own_echo_at_ = now + kOwnEcho;
    unanswered_since_.reset();
}

void ResumedCall::connect(const ControlSocket& socket, TimePoint now, CallOutput& out) {
    snd_nxt_ = socket.snd_nxt;
    rcv_nxt_ = socket.rcv_nxt;
    known_.snd_wnd = socket.snd_wnd;
    known_.tsval = socket.tsval;
    known_.peer_tsval = socket.peer_tsval;
    known_at_ = now;
    is_connected_ = true;
    own_echo_at_ = now + kOwnEcho;
    out.connect(socket);
    heed_hang_up(out);
    close_when_received(out);
}

void ResumedCall::heed_hang_up(CallOutput& out) {
    if (!known_.hung_up) {
        return;
    }
    if (known_.stop_open) {
        emit(build_stop_reply(), out);
    }
    end("peer had hung up before the takeover", EndCause::user_request, out);
}

void ResumedCall::probe(TimePoint now, CallOutput& out) {
    if (!probe_) {
        return;
    }
    if (const auto segment = probe_->on_time(now)) {
        out.probe(*segment);
    } else if (probe_->is_hopeless(now)) {
        connect(probe_->socket(), now, out);
        probe_.reset();
    }
}

void ResumedCall::on_segment(const PeerSegment& segment, TimePoint now, CallOutput& out) {
    if (state_ == State::ended || state_ == State::prepared || !probe_) {
        return;
    }
    switch (probe_->on_segment(segment, now)) {
        case ControlProbe::Answer::none:
            return;
        case ControlProbe::Answer::reset:
            end("peer knows no such connection", EndCause::lost_carrier, out);
            return;
        case ControlProbe::Answer::numbers:
            break;
    }
    const ControlProbe answered = *probe_;
    probe_.reset();
    if (ladder_) {
        ladder_->on_path(answered.took(), now);
    }
    connect(answered.socket(), now, out);
    if (state_ != State::ended && answered.unanswered_echo()) {
        echo_id_ = *answered.unanswered_echo();
        emit(build_echo_reply(echo_id_), out);
    }
}

void ResumedCall::climb(TimePoint now, CallOutput& out) {
    if (!ladder_ || state_ != State::resuming) {
        return;
    }
    for (const Ladder::Rung& rung : ladder_->on_time(now)) {
        ByteWriter magic;
        magic.u32(record_.facts.ours.magic);
        const Bytes frame = ppp::encode_control_frame(
            ppp::Protocol::lcp,
            {.code = ppp::Code::echo_request, .id = rung.id, .data = magic.view()});
        ByteWriter payload;
        payload.u16(kPppAddressControl).bytes(frame);
        out_.resize(kGreHeaderBytesMax);
        out_.insert(out_.end(), payload.view().begin(), payload.view().end());
        send_gre(rung.number, payload.size(), out);
    }
    on_position(now, out);
    if (ladder_ && ladder_->is_hopeless(now)) {
        end("peer does not answer", EndCause::lost_carrier, out);
    }
}

void ResumedCall::on_position(TimePoint now, CallOutput& out) {
    if (!ladder_) {
        return;
    }
    const auto position = ladder_->position(now);
    if (!position) {
        return;
    }
    ladder_.reset();
    next_number_ = position->next;
    if (sender_) {
        sender_->skip_to(known_.mppe_out + position->missed +
                         (position->rung == 0 ? kLeadOnRungZero : kLeadOnRungs));
    }
    be_running(fmt::format("rung {} after {:.1f} ms, {} packets were missed at most",
                           position->rung, ms(position->took), position->missed),
               now, out);
}

void ResumedCall::be_running(const std::string& how, TimePoint now, CallOutput& out) {
    state_ = State::running;
    reset_index_ = sender_ ? sender_->index() : 0;
    begin_link(now);
    for (const Bytes& frame : std::exchange(held_back_, {})) {
        send_frame(frame, out);
    }
    out.resumed(how);
    close_when_received(out);
}

void ResumedCall::on_time(TimePoint now, CallOutput& out) {
    if (state_ == State::prepared || state_ == State::ended) {
        return;
    }
    probe(now, out);
    climb(now, out);
    ask_peer(now, out);
    if (state_ == State::running) {
        take(link_.on_time(now), out);
    }
    if (state_ != State::ended && acknowledge_at_ && *acknowledge_at_ <= now) {
        send_acknowledgement(out);
    }
}

void ResumedCall::ask_peer(TimePoint now, CallOutput& out) {
    if (state_ == State::ended || !is_connected_ || !own_echo_at_ || now < *own_echo_at_) {
        return;
    }
    if (unanswered_since_ && now - *unanswered_since_ >= kOwnEchoWait) {
        end("peer left PPTP echoes unanswered", EndCause::lost_carrier, out);
        return;
    }
    unanswered_since_ = unanswered_since_ ? unanswered_since_ : now;
    own_echo_at_ = now + kOwnEcho;
    emit(build_echo_request(++next_own_echo_), out);
}

std::optional<TimePoint> ResumedCall::next_deadline() const {
    if (state_ == State::prepared || state_ == State::ended) {
        return std::nullopt;
    }
    std::optional<TimePoint> at = acknowledge_at_;
    if (probe_) {
        at = earliest(at, probe_->next_deadline());
    }
    if (ladder_) {
        at = earliest(at, ladder_->next_deadline());
    }
    if (state_ == State::running) {
        at = earliest(at, link_.next_deadline());
    }
    return is_connected_ ? earliest(at, own_echo_at_) : at;
}

CallNumbers ResumedCall::numbers(TimePoint now) const {
    CallNumbers numbers = known_;
    if (state_ != State::running) {
        return numbers;
    }
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - known_at_);
    numbers.tsval += static_cast<std::uint32_t>(age.count());
    if (is_connected_) {
        numbers.snd_nxt = snd_nxt_;
        numbers.rcv_nxt = rcv_nxt_;
        numbers.echo_id = echo_id_;
        numbers.echo_open = false;
    }
    numbers.gre_out = next_number_ - 1;
    numbers.gre_in = receiver_ ? receiver_->last() : window_.last();
    if (sender_) {
        numbers.mppe_out = sender_->index();
        numbers.mppe_in = receiver_->index();
    }
    return numbers;
}

void ResumedCall::emit(ByteView message, CallOutput& out) {
    snd_nxt_ += static_cast<std::uint32_t>(message.size());
    out.emit(message);
}

void ResumedCall::on_control(ByteView bytes, CallOutput& out) {
    if (state_ == State::ended || !is_connected_) {
        return;
    }
    rcv_nxt_ += static_cast<std::uint32_t>(bytes.size());
    stream_.insert(stream_.end(), bytes.begin(), bytes.end());
    std::size_t done = 0;
    while (state_ != State::ended) {
        std::size_t size = 0;
        const auto message = parse_control_message(ByteView(stream_).subspan(done), size);
        if (!message) {
            ++counters_->malformed;
            end(message.error().detail, EndCause::nas_error, out);
            return;
        }
        if (!*message) {
            break;
        }
        on_message(**message, out);
        done += size;
    }
    stream_.erase(stream_.begin(), stream_.begin() + static_cast<std::ptrdiff_t>(done));
}

void ResumedCall::on_message(const ControlMessage& message, CallOutput& out) {
    switch (message.type) {
        case ControlType::echo_request:
            if (const auto id = echo_id(message)) {
                echo_id_ = *id;
                emit(build_echo_reply(*id), out);
            }
            break;
        case ControlType::echo_reply:
            unanswered_since_.reset();
            break;
        case ControlType::stop_request:
            emit(build_stop_reply(), out);
            end("peer sent Stop-Control-Connection-Request", EndCause::user_request, out);
            break;
        case ControlType::call_clear_request:
            end("peer sent Call-Clear-Request", EndCause::user_request, out);
            break;
        case ControlType::outgoing_call_request:
            if (const auto caller = requested_call(message)) {
                emit(build_call_refusal(*caller), out);
            }
            break;
        case ControlType::set_link_info:
        case ControlType::wan_error_notify:
            break;
        default:
            ++counters_->unexpected;
            break;
    }
}

void ResumedCall::on_control_closed(const std::string& why, CallOutput& out) {
    if (state_ != State::ended) {
        is_connected_ = false;
        end(why, EndCause::lost_carrier, out);
    }
}

void ResumedCall::end(const std::string& reason, EndCause cause, CallOutput& out) {
    if (state_ == State::ended) {
        return;
    }
    if (state_ == State::running) {
        // No effect if the link itself has ended.
        for (const Bytes& frame : link_.close(reason).frames) {
            send_frame(frame, out);
        }
    }
    if (is_connected_) {
        emit(build_call_disconnect_notify(record_.key.id), out);
    }
    known_ = numbers(known_at_);
    state_ = State::ended;
    out.ended(reason, cause);
}

}  // namespace vpnha::pptp
