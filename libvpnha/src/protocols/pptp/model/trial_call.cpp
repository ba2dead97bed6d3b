// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/model/trial_call.hpp"

#include "protocols/ppp/model/control_packet.hpp"
#include "protocols/pptp/model/gre.hpp"

namespace vpnha::pptp {

namespace {

constexpr std::uint8_t kRequestId = 1;

// An LCP that sends a request, and is over when it is answered.
class LcpLink final : public TrialLink {
  public:
    [[nodiscard]] std::string_view step() const override { return "gre"; }
    [[nodiscard]] bool is_over() const override { return is_over_; }
    [[nodiscard]] const Bytes& request() const override { return request_; }
    void repeat() override { is_asked_ = true; }
    [[nodiscard]] Result<void> on_frame(ByteView frame) override {
        ByteReader reader(frame);
        const bool is_framed = reader.u16() == kPppAddressControl;
        const bool is_lcp = reader.u16() == static_cast<std::uint16_t>(ppp::Protocol::lcp);
        if (is_framed && is_lcp && reader.ok()) {
            // pppd sends first: earlier frames were lost.
            is_over_ = is_over_ || (is_asked_ && is_answer(reader.rest()));
            is_asked_ = true;
            answers_ = {request_};
        }
        return {};
    }
    [[nodiscard]] std::vector<Bytes> take_answers() override { return std::exchange(answers_, {}); }
    [[nodiscard]] std::string missing() const override { return "pppd has not answered in GRE"; }

  private:
    static bool is_answer(ByteView lcp) {
        const auto packet = ppp::parse_control_packet(lcp);
        return packet && packet->id == kRequestId &&
               (packet->code == ppp::Code::configure_ack ||
                packet->code == ppp::Code::configure_nak ||
                packet->code == ppp::Code::configure_reject);
    }

    // Any LCP answers an empty one (RFC 1661 5.1).
    Bytes request_ = ppp::encode_control_frame(
        ppp::Protocol::lcp, {.code = ppp::Code::configure_request, .id = kRequestId, .data = {}});
    std::vector<Bytes> answers_;
    bool is_asked_ = false;
    bool is_over_ = false;
};

void append(Bytes& bytes, ByteView more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

}  // namespace

TrialCall::TrialCall(CallId ours, std::unique_ptr<TrialLink> link)
    : ours_(ours), link_(link != nullptr ? std::move(link) : std::make_unique<LcpLink>()) {}

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

Result<void> TrialCall::on_packet(ByteView packet) {
    const auto parsed = parse_gre(packet);
    if (step_ != Step::gre || !parsed || parsed->call != ours_ || parsed->payload.empty()) {
        return {};
    }
    has_spoken_ = true;
    const Bytes asked = link_->request();
    const Result<void> taken = link_->on_frame(parsed->payload);
    for (const Bytes& each : link_->take_answers()) {
        send(each);
    }
    VPNHA_CHECK(taken);
    if (link_->is_over()) {
        step_ = Step::over;
    } else if (link_->request() != asked) {
        send(link_->request());
    }
    return {};
}

void TrialCall::repeat() {
    if (step_ == Step::gre) {
        link_->repeat();
        send(link_->request());
    }
}

void TrialCall::send(ByteView frame) {
    if (frame.empty()) {
        return;
    }
    constexpr std::size_t kFramingBytes = 2;
    const auto header =
        encode_gre_header(theirs_, sequence_++, std::nullopt, frame.size() + kFramingBytes);
    ByteWriter packet;
    packet.bytes(header.view()).u16(kPppAddressControl).bytes(frame);
    packets_.push_back(std::move(packet).take());
}

std::string_view TrialCall::step_name() const {
    return step_ == Step::start ? "start" : step_ == Step::call ? "call" : link_->step();
}

std::string TrialLink::missing() const {
    return std::string(step()) + " was not answered";
}

std::string TrialCall::missing() const {
    switch (step_) {
        case Step::start:
            return "no greeting of pptpd came";
        case Step::call:
            return "no answer to a call of pptpd came";
        case Step::gre:
            return has_spoken_ ? link_->missing() : "no GRE of pppd came for a call";
        case Step::over:
            break;
    }
    return "nothing is missing";
}

}  // namespace vpnha::pptp
