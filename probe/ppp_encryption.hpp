// SPDX-License-Identifier: GPL-2.0-or-later
// Stateless MPPE of a client's half of a PPP link (RFC 3078, RFC 3079). The server asks for it
// after a login by MS-CHAPv2, which gives the keys. Pure.
//
//   the server's request        | is answered with
//   ----------------------------+------------------------------------------------
//   one strength, without state | an acknowledgement
//   several, or with state      | a NAK that names the strongest, without state
//   no MPPE                     | nothing: the caller has to reject that request
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "probe/ppp_account.hpp"
#include "protocols/ppp/model/control_packet.hpp"
#include "protocols/pptp/mppe/receiver.hpp"
#include "protocols/pptp/mppe/sender.hpp"

namespace vpnha::probe {

class PppEncryption {
  public:
    // Of a login by MS-CHAPv2; replaces all that was agreed on before.
    void set_keys(const MppeKeys& keys);
    void forget();
    [[nodiscard]] bool has_keys() const { return keys_.has_value(); }

    // For the options in a Configure-Request of the server's CCP. nullopt: they do not include
    // MPPE, or there was no login by MS-CHAPv2.
    struct Answer {
        ppp::Code code{};  // Acknowledged, NAK, or rejected.
        Bytes options;
    };
    [[nodiscard]] std::optional<Answer> answer(ByteView options);
    // For our own Configure-Request.
    [[nodiscard]] Bytes wish() const;
    // Handles a NAK to it. False: the server names no strength that the probe has.
    [[nodiscard]] bool take_nak(ByteView options);

    // Both sides have agreed.
    void begin();
    [[nodiscard]] bool is_on() const { return sender_.has_value(); }
    // A frame from the protocol number on, encrypted; each has its own key.
    [[nodiscard]] Bytes seal(ByteView frame);
    // The IPv4 packet after the protocol number. nullopt: it is not for us.
    [[nodiscard]] std::optional<Bytes> open(ByteView sealed);

  private:
    std::optional<MppeKeys> keys_;
    std::uint32_t strength_ = 0;  // The bit in the option; 0: none is known yet.
    std::optional<mppe::Sender> sender_;
    // Has a fixed address, even when this object is moved.
    struct Receiving {
        explicit Receiving(const mppe::KeyChain& chain) : receiver(chain, counters, false) {}
        mppe::ReceiverCounters counters;
        mppe::Receiver receiver;
    };
    std::unique_ptr<Receiving> receiving_;
};

}  // namespace vpnha::probe
