// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/l2tp_dial.hpp"

#include <fmt/format.h>

#include <utility>

#include "probe/l2tp_exchange.hpp"

namespace vpnha::probe {

namespace {

using l2tp::AvpType;
using l2tp::ControlMessage;
using l2tp::MessageType;
using l2tp::Seq16;

// Of a data message (RFC 2661 3.1).
constexpr std::uint16_t kLengthBit = 0x4000;
constexpr std::uint16_t kSequenceBit = 0x0800;
constexpr std::uint16_t kOffsetBit = 0x0200;
constexpr std::uint16_t kVersionMask = 0x000f;
constexpr std::uint16_t kVersion = 2;
constexpr std::uint16_t kAddressAndControl = 0xff03;
constexpr std::size_t kDataHeaderBytes = 8;

}  // namespace

L2tpDial::L2tpDial(const L2tpNumbers& ours, PppLogin login)
    : ours_(ours),
      login_(std::move(login)),
      request_(l2tp::encode_control({}, l2tp::encode_sccrq(ours.tunnel, kProbesHostName))) {}

std::string_view L2tpDial::step() const {
    switch (step_) {
        case Step::sccrq:
            return "sccrq";
        case Step::scccn:
            return "scccn";
        case Step::icrq:
            return "icrq";
        case Step::iccn:
            return "iccn";
        case Step::ppp:
            return to_string(login_.step());
        case Step::stopccn:
        case Step::over:
            break;
    }
    return "stopccn";
}

void L2tpDial::begin(Step step, SessionId session, const Bytes& avps) {
    step_ = step;
    ns_ = l2tp::advance(ns_, 1);
    request_ = l2tp::encode_control(
        {.tunnel = theirs_.tunnel, .session = session, .ns = ns_, .nr = nr_}, avps);
}

void L2tpDial::begin_ppp() {
    step_ = Step::ppp;
    request_ = data_message(login_.request());
}

void L2tpDial::begin_stop() {
    begin(Step::stopccn, SessionId{}, l2tp::encode_stopccn(ours_.tunnel));
}

Bytes L2tpDial::data_message(const Bytes& frame) const {
    if (frame.empty()) {
        return {};
    }
    ByteWriter writer;
    writer.u16(kLengthBit | kVersion);
    writer.u16(
        static_cast<std::uint16_t>(kDataHeaderBytes + sizeof kAddressAndControl + frame.size()));
    writer.u16(theirs_.tunnel.value).u16(theirs_.session.value);
    writer.u16(kAddressAndControl).bytes(frame);
    return std::move(writer).take();
}

std::optional<ByteView> L2tpDial::frame_of(ByteView datagram) const {
    ByteReader reader(datagram);
    const std::uint16_t flags = reader.u16();
    if ((flags & kVersionMask) != kVersion) {
        return std::nullopt;
    }
    if ((flags & kLengthBit) != 0) {
        reader.u16();
    }
    const TunnelId tunnel{reader.u16()};
    const SessionId session{reader.u16()};
    if ((flags & kSequenceBit) != 0) {
        reader.u32();
    }
    if ((flags & kOffsetBit) != 0) {
        reader.take(reader.u16());
    }
    return reader.ok() && tunnel == ours_.tunnel && session == ours_.session
               ? std::optional(reader.rest())
               : std::nullopt;
}

Result<void> L2tpDial::on_datagram(ByteView datagram) {
    if (l2tp::is_data(datagram)) {
        const auto frame = frame_of(datagram);
        return frame && (step_ == Step::iccn || step_ == Step::ppp) ? on_frame(*frame)
                                                                    : Result<void>{};
    }
    const auto message = l2tp::parse_control(datagram);
    if (!message || message->header.tunnel != ours_.tunnel) {
        return {};
    }
    const Step before = step_;
    const Seq16 next = l2tp::advance(ns_, 1);
    if (!message->is_zlb() && l2tp::distance(message->header.ns, nr_) <= 0) {
        const bool is_new = message->header.ns == nr_;
        nr_ = is_new ? l2tp::advance(nr_, 1) : nr_;
        const Result<void> handled = is_new ? on_message(*message) : Result<void>{};
        answers_.push_back(
            l2tp::encode_control({.tunnel = theirs_.tunnel, .ns = next, .nr = nr_}, {}));
        VPNHA_CHECK(handled);
    }
    const bool is_taken = message->header.nr == next && step_ == before;
    if (is_taken && step_ == Step::scccn) {
        begin(Step::icrq, SessionId{}, l2tp::encode_icrq(ours_.session, ours_.session.value));
    } else if (is_taken && step_ == Step::iccn) {
        begin_ppp();
    } else if (is_taken && step_ == Step::stopccn) {
        step_ = Step::over;
    }
    return {};
}

Result<void> L2tpDial::on_message(const ControlMessage& message) {
    const bool is_taken = message.header.nr == l2tp::advance(ns_, 1);
    switch (message.type()) {
        case MessageType::sccrp:
            theirs_.tunnel = TunnelId{message.u16(AvpType::assigned_tunnel_id).value_or(0)};
            if (step_ != Step::sccrq || !is_taken || theirs_.tunnel == TunnelId{}) {
                break;
            }
            if (message.find(AvpType::challenge) != nullptr) {
                return fail(Errc::unsupported,
                            "the server wants a secret for the tunnel, and the probe has none");
            }
            begin(Step::scccn, SessionId{}, l2tp::encode_scccn());
            break;
        case MessageType::icrp:
            if (step_ == Step::icrq && is_taken && message.header.session == ours_.session) {
                theirs_.session = SessionId{message.u16(AvpType::assigned_session_id).value_or(0)};
                begin(Step::iccn, theirs_.session, l2tp::encode_iccn());
            }
            break;
        case MessageType::cdn:
            if (step_ == Step::ppp && login_.step() == PppLogin::Step::hang_up) {
                begin_stop();
            } else if (step_ == Step::icrq || step_ == Step::iccn || step_ == Step::ppp) {
                return fail(Errc::unreachable, fmt::format("ends the call at '{}': CDN, {}", step(),
                                                           l2tp_result_of(message)));
            }
            break;
        case MessageType::stopccn:
            is_stopped_ = true;
            if (step_ != Step::stopccn) {
                return fail(Errc::unreachable, fmt::format("ends the tunnel at '{}': StopCCN, {}",
                                                           step(), l2tp_result_of(message)));
            }
            step_ = Step::over;
            break;
        default:
            break;
    }
    return {};
}

void L2tpDial::repeat() {
    if (step_ == Step::ppp) {
        login_.ask();
        request_ = data_message(login_.request());
    }
}

Result<void> L2tpDial::on_frame(ByteView frame) {
    const Result<void> taken = login_.on_frame(frame);
    for (const Bytes& each : login_.take_answers()) {
        answers_.push_back(data_message(each));
    }
    VPNHA_CHECK(taken);
    if (step_ == Step::ppp && login_.step() == PppLogin::Step::over) {
        begin_stop();
    } else if (step_ == Step::ppp) {
        request_ = data_message(login_.request());
    }
    return {};
}

Bytes L2tpDial::closing_message() const {
    if (step_ == Step::over || is_stopped_) {
        return {};
    }
    // Until the SCCRP comes, the server finds the tunnel by our id (RFC 2661 4.4.3).
    return l2tp::encode_control({.tunnel = theirs_.tunnel, .ns = l2tp::advance(ns_, 1), .nr = nr_},
                                l2tp::encode_stopccn(ours_.tunnel));
}

}  // namespace vpnha::probe
