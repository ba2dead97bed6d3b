// SPDX-License-Identifier: GPL-2.0-or-later
// A PPTP call that was negotiated at another node: the control connection, GRE, PPP and MPPE, as
// handled by pptpd and pppd before. Pure; it lives in the process of the data path.
//
//   event \ state     | prepared       | resuming                    | running          | ended
//   ------------------+----------------+-----------------------------+------------------+-------
//   resume()          | exact: running | XXX ignored                 | XXX ignored      | –
//                     | else: resuming |                             |                  |
//   TCP segment       | –              | the socket's numbers        | –                | –
//   GRE               | –              | data goes in; an answer to  | data goes in,    | –
//                     |                | a rung of the ladder        | PPP is answered  |
//   packet of the TUN | –              | XXX not read before         | goes out         | –
//   control message   | –              | answered                    | answered         | –
//   pause()           | –              | prepared                    | prepared, exact  | –
//   close()           | XXX ignored    | ended, once it is running   | ended, once it   | –
//                     |                |                             | is connected     |
//   end of the peer,  | –              | ended                       | ended            | –
//     its silence     |                |                             |                  |
//
// Resuming has two parts, which run side by side. The probe finds the
// numbers of the control connection (control_probe.hpp), the ladder those
// of GRE (ladder.hpp). Data is sent as soon as the ladder has an answer:
// each packet then has a GRE number and an MPPE index that nobody has used.
//
// A peer that had hung up when the numbers were read is notified that the call is over, as soon as
// there is a socket.
//
// A peer that negotiates LCP, IPCP or CCP anew cannot be served: its link ends, and it dials again.
// A CCP Reset-Request means that it did not accept our index: the next index and the GRE number
// skip by the same amount. A successor with older numbers learns those of GRE from the peer, and
// assumes no more indexes to be used. The skip costs pptp-linux, which waits at a gap, 0.3 s.
// Anybody can send one: one each 500 ms counts, and only if a packet was sent since the last. A
// peer of which 200 encrypted packets in a row cannot be opened dials again, too.
//
// Anybody can send GRE with the client's address. So a packet must prove its origin: a packet of
// MPPE by being opened, whatever its number; any other by a near number, an acknowledgement by
// being near the sent numbers. Of the rest only LCP echoes are answered. A call without MPPE
// accepts a far number if the next packet follows it.
//
// A packet takes a bounded time. If many keys of MPPE are to be made, catch_up() makes them in
// slices between other calls' packets; takes_packets() is false until then.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/accounting.hpp"
#include "protocols/ppp/model/link_endpoint.hpp"
#include "protocols/pptp/model/control_message.hpp"
#include "protocols/pptp/model/control_probe.hpp"
#include "protocols/pptp/model/gre.hpp"
#include "protocols/pptp/model/ladder.hpp"
#include "protocols/pptp/mppe/receiver.hpp"
#include "protocols/pptp/mppe/sender.hpp"

namespace vpnha::pptp {

// A call's requests, carried out in this order. The octets are valid during the call only.
class CallOutput {
  public:
    virtual void probe(const ProbeSegment& segment) = 0;
    // Opens a socket for the control connection; the peer's octets arrive by on_control().
    virtual void connect(const ControlSocket& socket) = 0;
    virtual void emit(ByteView message) = 0;  // On that socket.
    virtual void send(ByteView gre) = 0;      // From the VIP to the peer.
    virtual void deliver(ByteView packet) = 0;
    // From now on packets of the TUN device may be read.
    virtual void resumed(const std::string& how) = 0;
    // The call is over. Pending messages are sent first, then the socket's FIN.
    virtual void ended(const std::string& reason, EndCause cause) = 0;

  protected:
    ~CallOutput() = default;
};

struct CallCounters {
    std::uint64_t malformed = 0;   // GRE, PPP or control messages.
    std::uint64_t duplicates = 0;  // GRE numbers that had come, were too old, or too far ahead.
    std::uint64_t in_clear = 0;    // IP packets without the MPPE that was agreed on.
    std::uint64_t resets = 0;      // CCP Reset-Requests.
    std::uint64_t unexpected = 0;  // Control messages that do not fit a live call.
    mppe::ReceiverCounters mppe;
    ppp::LinkCounters link;
};

// As MS-CHAPv2 gave them.
struct StartKeys {
    mppe::Key send;
    mppe::Key receive;
};

class ResumedCall {
  public:
    enum class State { prepared, resuming, running, ended };

    // With MPPE there are keys. The counters must outlive it.
    ResumedCall(const CallRecord& record, const std::optional<StartKeys>& keys,
                CallCounters& counters);
    ResumedCall(const ResumedCall&) = delete;
    ResumedCall& operator=(const ResumedCall&) = delete;

    // Prepared: newer numbers, as they were at `now`.
    void set_numbers(const CallNumbers& numbers, TimePoint now);
    // Makes at most so many keys; true: all up to the numbers are there.
    [[nodiscard]] bool catch_up(std::size_t keys_max);
    // It is resuming or running, and catch_up() has something to do.
    [[nodiscard]] bool wants_keys() const;

    // `exact`: nobody has used numbers beyond the known ones. `tenure`: as the ladder's.
    void resume(bool exact, std::uint8_t tenure, TimePoint now, CallOutput& out);
    // The gate is shut; resume() continues the call.
    void pause(TimePoint now);

    // This side ends it: PPP's Terminate-Request, then Call-Disconnect-Notify. The end waits until
    // both can be sent.
    void close(const std::string& reason, EndCause cause, CallOutput& out);

    void on_segment(const PeerSegment& segment, TimePoint now, CallOutput& out);
    void on_control(ByteView bytes, CallOutput& out);
    // The peer has closed the connection, or it has failed.
    void on_control_closed(const std::string& why, CallOutput& out);
    // From the GRE header on.
    void on_gre(ByteView bytes, TimePoint now, CallOutput& out);
    // From the TUN device; dropped unless takes_packets().
    void on_packet(ByteView packet, CallOutput& out);
    void on_time(TimePoint now, CallOutput& out);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    [[nodiscard]] State state() const { return state_; }
    // Running, and the key of the next packet is the next to be made.
    [[nodiscard]] bool takes_packets() const {
        return state_ == State::running && (!sender_ || sender_->is_ready());
    }
    // The present numbers. While resuming they are unknown: the known ones are returned.
    [[nodiscard]] CallNumbers numbers(TimePoint now) const;

  private:
    // Encrypted packets in a row that could not be opened.
    struct Unopened {
        int count = 0;
        std::uint32_t last = 0;  // GRE number.
        TimePoint since{};
    };
    struct Close {
        std::string reason;
        EndCause cause{};
    };

    void close_when_received(CallOutput& out);
    void begin_link(TimePoint now);
    void on_position(TimePoint now, CallOutput& out);
    void be_running(const std::string& how, TimePoint now, CallOutput& out);
    // The call may be over then.
    void connect(const ControlSocket& socket, TimePoint now, CallOutput& out);
    void heed_hang_up(CallOutput& out);
    void probe(TimePoint now, CallOutput& out);
    void climb(TimePoint now, CallOutput& out);
    void ask_peer(TimePoint now, CallOutput& out);

    void emit(ByteView message, CallOutput& out);
    void on_message(const ControlMessage& message, CallOutput& out);
    void on_frame(const GrePacket& packet, TimePoint now, CallOutput& out);
    void on_encrypted(const GrePacket& packet, ByteView frame, TimePoint now, CallOutput& out);
    void on_unopened(std::uint32_t number, TimePoint now, CallOutput& out);
    void on_unencrypted(const GrePacket& packet, std::uint16_t protocol, ByteView frame,
                        TimePoint now, CallOutput& out);
    // Whether the number is accepted; it counts as received then.
    [[nodiscard]] bool take_number(std::uint32_t number);
    [[nodiscard]] bool is_near_what_was_sent(std::uint32_t acknowledged) const;
    // The protocol number of a packet that the link carries for others; nullopt: none.
    [[nodiscard]] std::optional<std::uint16_t> protocol_of(ByteView packet) const;
    void heed(const GrePacket& packet, bool is_proven, TimePoint now);
    void on_link_frame(std::uint16_t protocol, ByteView frame, TimePoint now, CallOutput& out);
    void on_clear(std::uint16_t protocol, ByteView packet, CallOutput& out);
    void on_ccp(ByteView bytes, TimePoint now, CallOutput& out);
    void on_lcp_reply(std::uint32_t number, ByteView frame, TimePoint now);
    void take(ppp::LinkEndpoint::Effects effects, CallOutput& out);
    void send_frame(ByteView frame, CallOutput& out);
    // Uses the number; `size` octets of payload are in out_ after the room for a header.
    void send_gre(std::uint32_t number, std::size_t size, CallOutput& out);
    void send_acknowledgement(CallOutput& out);
    void end(const std::string& reason, EndCause cause, CallOutput& out);

    CallRecord record_;
    CallCounters* counters_;
    std::optional<mppe::Sender> sender_;
    std::optional<mppe::Receiver> receiver_;
    State state_ = State::prepared;
    bool is_exact_ = false;       // Paused while running.
    std::optional<Close> close_;  // It may wait.

    CallNumbers known_;
    TimePoint known_at_{};

    // The control connection.
    std::optional<ControlProbe> probe_;
    bool is_connected_ = false;
    std::uint32_t snd_nxt_ = 0;
    std::uint32_t rcv_nxt_ = 0;
    std::uint32_t echo_id_ = 0;
    Bytes stream_;  // The start of an incomplete message.
    std::uint32_t next_own_echo_ = 0;
    std::optional<TimePoint> own_echo_at_;
    std::optional<TimePoint> unanswered_since_;

    // GRE and PPP.
    std::optional<Ladder> ladder_;
    ppp::LinkEndpoint link_;
    GreWindow window_{0};
    std::uint32_t next_number_ = 0;
    bool must_acknowledge_ = false;
    std::optional<TimePoint> acknowledge_at_;
    std::vector<Bytes> held_back_;
    std::optional<TimePoint> reset_at_;
    std::uint64_t reset_index_ = 0;  // Our index after its last lead.
    Unopened unopened_;
    std::optional<std::uint32_t> far_number_;  // The last one that was not accepted.
    Bytes plain_;
    Bytes out_;
};

}  // namespace vpnha::pptp
