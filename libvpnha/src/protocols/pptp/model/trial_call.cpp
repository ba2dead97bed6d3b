// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/model/trial_call.hpp"

#include "protocols/ppp/model/control_packet.hpp"
#include "protocols/pptp/model/gre.hpp"

namespace vpnha::pptp {

namespace {

constexpr std::uint8_t kRequestId = 1;

// Behind the protocol's number; empty: it is no LCP.
ByteView lcp_in(ByteView frame) {
    ByteReader reader(frame);
    const bool framed = reader.u16() == kPppAddressControl;
    const bool lcp = reader.u16() == static_cast<std::uint16_t>(ppp::Protocol::lcp);
    return framed && lcp && reader.ok() ? reader.rest() : ByteView();
}

bool is_answer(ByteView lcp) {
    const auto packet = ppp::parse_control_packet(lcp);
    return packet && packet->id == kRequestId &&
           (packet->code == ppp::Code::configure_ack || packet->code == ppp::Code::configure_nak ||
            packet->code == ppp::Code::configure_reject);
}

void append(Bytes& bytes, ByteView more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

}  // namespace

Bytes TrialCall::request() const {
    switch (step_) {
        case Step::start:
            return build_start_request();
        case Step::call:
            return build_call_request(ours_);
        case Step::gre:
        case Step::over:
            break;
    }
    return {};
}

Bytes TrialCall::closing_message() const {
    Bytes last;
    if (step_ == Step::start) {
        return last;
    }
    if (step_ != Step::call) {
        append(last, build_call_clear_request(ours_));
    }
    append(last, build_stop_request());
    return last;
}

Result<void> TrialCall::on_control(ByteView octets) {
    append(stream_, octets);
    while (true) {
        std::size_t size = 0;
        VPNHA_TRY(const auto message, parse_control_message(stream_, size));
        if (!message) {
            return {};
        }
        VPNHA_CHECK(on_message(*message));
        stream_.erase(stream_.begin(), stream_.begin() + static_cast<std::ptrdiff_t>(size));
    }
}

Result<void> TrialCall::on_message(const ControlMessage& message) {
    if (step_ == Step::start && message.type == ControlType::start_reply) {
        step_ = Step::call;
    } else if (step_ == Step::call && message.type == ControlType::outgoing_call_reply) {
        const auto answer = call_answer(message);
        if (!answer || !answer->connected) {
            return fail(Errc::unreachable, "pptpd refuses calls");
        }
        theirs_ = answer->id;
        step_ = Step::gre;
    }
    return {};
}

void TrialCall::on_packet(ByteView packet) {
    const auto parsed = parse_gre(packet);
    if (step_ != Step::gre || !parsed || parsed->call != ours_) {
        return;
    }
    const ByteView lcp = lcp_in(parsed->payload);
    if (lcp.empty()) {
        return;
    }
    // pppd speaks first: what came before it was there is lost.
    is_due_ = true;
    has_spoken_ = true;
    if (sequence_ != 0 && is_answer(lcp)) {
        step_ = Step::over;
    }
}

std::optional<Bytes> TrialCall::take_packet() {
    if (!is_due_ || step_ != Step::gre) {
        return std::nullopt;
    }
    is_due_ = false;
    // An empty Configure-Request is answered by any LCP (RFC 1661 5.1).
    const Bytes request = ppp::encode_control_frame(
        ppp::Protocol::lcp, {.code = ppp::Code::configure_request, .id = kRequestId, .data = {}});
    constexpr std::size_t kFramingBytes = 2;
    const auto header =
        encode_gre_header(theirs_, sequence_++, std::nullopt, request.size() + kFramingBytes);
    ByteWriter packet;
    packet.bytes(header.view()).u16(kPppAddressControl).bytes(request);
    return std::move(packet).take();
}

std::string_view TrialCall::missing() const {
    switch (step_) {
        case Step::start:
            return "no greeting of pptpd came";
        case Step::call:
            return "no answer to a call of pptpd came";
        case Step::gre:
            return has_spoken_ ? "pppd has not answered in GRE" : "no GRE of pppd came for a call";
        case Step::over:
            break;
    }
    return "nothing is missing";
}

}  // namespace vpnha::pptp
