// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/l2tp_exchange.hpp"

#include <fmt/format.h>

#include "protocols/l2tp/model/control_message.hpp"

namespace vpnha::probe {

namespace {

using l2tp::AvpType;
using l2tp::MessageType;
using l2tp::Seq16;

// SCCRQ is number 0 of ours, and SCCRP or StopCCN number 0 of theirs.
constexpr Seq16 kFirst{0};
constexpr Seq16 kSecond{1};
constexpr Seq16 kBothTaken{2};

}  // namespace

std::string l2tp_result_of(const l2tp::ControlMessage& message) {
    const l2tp::Avp* const avp = message.find(AvpType::result_code);
    if (avp == nullptr) {
        return "without a result";
    }
    ByteReader reader(avp->value);
    const std::uint16_t result = reader.u16();
    const std::uint16_t error = reader.remaining() >= 2 ? reader.u16() : std::uint16_t{0};
    return fmt::format("result {}, error {}", result, error);
}

L2tpExchange::L2tpExchange(TunnelId ours)
    : ours_(ours),
      request_(l2tp::encode_control({.ns = kFirst}, l2tp::encode_sccrq(ours, kProbesHostName))) {}

std::string_view L2tpExchange::step() const {
    return step_ == Step::sccrq || step_ == Step::refused ? "sccrq" : "stopccn";
}

Result<void> L2tpExchange::on_datagram(ByteView datagram) {
    const auto message = l2tp::parse_control(datagram);
    if (!message || message->header.tunnel != ours_ || message->header.session != SessionId{}) {
        return {};
    }
    if (step_ == Step::stopccn && message->header.nr == kBothTaken) {
        step_ = Step::over;
    }
    if (step_ != Step::sccrq || message->is_zlb() || message->header.nr != kSecond) {
        return {};
    }
    const TunnelId theirs{message->u16(AvpType::assigned_tunnel_id).value_or(0)};
    if (message->type() == MessageType::stopccn) {
        theirs_ = theirs;
        step_ = Step::refused;
        return fail(Errc::unreachable,
                    fmt::format("refuses a tunnel: StopCCN, {}", l2tp_result_of(*message)));
    }
    if (message->type() == MessageType::sccrp && theirs != TunnelId{}) {
        theirs_ = theirs;
        step_ = Step::stopccn;
        request_ = l2tp::encode_control({.tunnel = theirs_, .ns = kSecond, .nr = kSecond},
                                        l2tp::encode_stopccn(ours_));
    }
    return {};
}

Bytes L2tpExchange::closing_message() const {
    switch (step_) {
        case Step::sccrq:
            // Its SCCRP may be lost. The server finds the tunnel by our id (RFC 2661 4.4.3).
            return l2tp::encode_control({.ns = kSecond}, l2tp::encode_stopccn(ours_));
        case Step::refused:
            return theirs_ == TunnelId{}
                       ? Bytes{}
                       : l2tp::encode_control({.tunnel = theirs_, .ns = kSecond, .nr = kSecond},
                                              {});
        case Step::stopccn:
        case Step::over:
            break;
    }
    return {};
}

}  // namespace vpnha::probe
