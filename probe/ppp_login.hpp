// SPDX-License-Identifier: GPL-2.0-or-later
// A client's half of a PPP link, as far as a probe needs it: LCP, a login by PAP, CHAP or
// MS-CHAPv2, MPPE, an address, a ping, and the end (RFC 1661, 1334, 1994, 2759, 3078, 1332). Pure,
// and without a device: only the probe's own packets have the address, and no table of this
// machine.
//
//   step       | asks                            | what ends it
//   -----------+---------------------------------+----------------------------------------------
//   lcp        | Configure-Request               | both Configure-Requests are acknowledged
//   login      | as the server has chosen; or    | its success; of MS-CHAPv2 the server's request
//              | nothing, if it wants no login   | for MPPE or an address after it
//   encryption | Configure-Request               | both are acknowledged
//   address    | Configure-Request               | both are acknowledged, and ours has an address
//   ping       | echo request                    | the reply
//   hang_up    | Terminate-Request               | Terminate-Ack
//
// The server's requests are answered in each step. Its requests for compression, IPv6, and MPPE
// without MS-CHAPv2 or after an address are rejected.
#pragma once

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "probe/ppp_account.hpp"
#include "probe/ppp_encryption.hpp"
#include "protocols/ppp/model/control_packet.hpp"

namespace vpnha::probe {

// Random numbers of one probe.
struct PppNumbers {
    MsChallenge challenge{};
    std::uint16_t ping = 0;
};

class PppLogin {
  public:
    enum class Step { lcp, login, encryption, address, ping, hang_up, over };

    // `target`: what is pinged; 0.0.0.0: the server's own address in the link.
    PppLogin(PppAccount account, const PppNumbers& numbers, Ipv4Address target);

    [[nodiscard]] Step step() const { return step_; }
    // The frame with which the step asks, from the protocol number on. Empty: the server sends
    // next.
    [[nodiscard]] const Bytes& request() const { return request_; }
    // The step was not answered. If the server should have begun, it is asked: it begins when its
    // pppd has started, and nothing reaches it before; two requests would make it begin twice.
    // Encrypted requests are encrypted anew.
    void ask();
    // A frame of the server's. Error unreachable: it refuses.
    [[nodiscard]] Result<void> on_frame(ByteView frame);
    // Frames that answer the server's frames.
    [[nodiscard]] std::vector<Bytes> take_answers() { return std::exchange(answers_, {}); }

  private:
    // PAP, or CHAP with one of its algorithms; 0: the server wants no login.
    struct Login {
        ppp::Protocol protocol{};
        std::uint8_t algorithm = 0;
    };
    struct Negotiation {
        std::uint8_t id = 0;      // Of our Configure-Request.
        bool has_ours = false;    // It is acknowledged.
        bool has_theirs = false;  // We have acknowledged the server's.
        [[nodiscard]] bool is_over() const { return has_ours && has_theirs; }
    };

    void begin(Step step);
    void ask_for_encryption();
    void ask_for_address();
    void ping();
    void answer(ppp::Protocol protocol, const ppp::ControlPacket& packet);
    // True: by an acknowledgement.
    bool answer_request(ppp::Protocol protocol, const ppp::ControlPacket& packet, const Bytes& naks,
                        const Bytes& rejects, Negotiation& negotiation);
    Result<void> on_lcp(const ppp::ControlPacket& packet);
    void on_lcp_request(const ppp::ControlPacket& packet);
    void on_chap_challenge(const ppp::ControlPacket& packet);
    Result<void> on_login(ppp::Protocol protocol, const ppp::ControlPacket& packet);
    Result<void> on_ccp(const ppp::ControlPacket& packet);
    void on_ccp_request(const ppp::ControlPacket& packet);
    void reject(ppp::Protocol protocol, ByteView packet);
    Result<void> on_ipcp(const ppp::ControlPacket& packet);
    void on_ipcp_request(const ppp::ControlPacket& packet);
    Result<void> on_address(ByteView options);
    void on_ip(ByteView packet);
    Result<void> hangs_up(const ppp::ControlPacket& packet);

    PppAccount account_;
    PppNumbers numbers_;
    Ipv4Address target_;
    Step step_ = Step::lcp;
    Bytes request_;
    std::vector<Bytes> answers_;
    Login login_;
    Negotiation lcp_;
    Negotiation ccp_;
    Negotiation ipcp_;
    PppEncryption encryption_;
    bool is_logged_in_ = false;
    Ipv4Address address_{};
    Ipv4Address server_{};
    std::uint8_t last_id_ = 0;
    int naks_ = 0;
};

[[nodiscard]] std::string_view to_string(PppLogin::Step step);

}  // namespace vpnha::probe
