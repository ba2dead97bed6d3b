// SPDX-License-Identifier: GPL-2.0-or-later
// The IPsec SAs of one gateway on one node: joins this node's charon, its kernel's ESP SAs and the
// replica. Pure.
//
//               | charon and kernel to replica     | replica to charon and kernel
//   ------------+----------------------------------+---------------------------------------------
//   promoted    | charon's messages; the numbers   | at the promotion, what is not fed yet; then
//               | of the ESP SAs, each 500 ms      | charon is active
//   otherwise   | –                                | what is missing in charon, family by family;
//               |                                  | numbers of the ESP SAs, ahead of the records
//   both        | the ports of L2TP clients in this node, from the marks of the ESP SAs
//
// A passive charon is fed one batch at a time; changes in between are coalesced. An IKE SA is
// confirmed when charon has read it. A CHILD SA is confirmed when both its ESP SAs are in this
// kernel with the record's numbers: charon's report does not suffice. Late SAs are rebuilt.
//
// charon makes SAs with numbers from 1 on. The gate drops what they send until they have numbers
// that nobody has used. It receives the SPIs before it opens, or before charon is fed.
//
// The SAs of a charon that was there before this keeper are not known: it receives a delete for
// each SA before it is fed that SA.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "protocols/ipsec/keeper/esp_numbers.hpp"
#include "protocols/ipsec/keeper/ike_usage.hpp"
#include "protocols/ipsec/keeper/lost_children.hpp"
#include "protocols/ipsec/keeper/open_exchanges.hpp"
#include "protocols/ipsec/model/charon_image.hpp"
#include "protocols/ipsec/model/sa_store.hpp"
#include "protocols/ipsec/work.hpp"
#include "protocols/keeper.hpp"

namespace vpnha::keepers {

// As `vpnha status` shows it.
struct IpsecState {
    std::uint64_t ike_sas = 0;
    std::uint64_t child_sas = 0;
    std::uint64_t half_open = 0;
    // The fewest numbers left in outbound SAs with 32 bits; nullopt: there are none.
    std::optional<std::uint64_t> numbers_left;
    bool charon = false;  // There is a charon.
    bool active = false;  // It was turned active.
    // SAs with several key exchanges (RFC 9370), which this node's charon (5.9) does not support.
    std::uint64_t not_for_charon = 0;
};

class IpsecSas final : public Keeper, public Counted {
  public:
    // From the turn to active until the rekeys: clients that repeat a request come first.
    static constexpr Duration kRekeyPause = std::chrono::seconds(15);

    // `gateway` must outlive it. `tunnel_port`: the port of tunnels, which are shown as
    // `tunnel_name`; nullopt: none. `virtual_pools`: the addresses that charon gives to clients.
    // `accounts`: the traffic of clients is accounted for.
    IpsecSas(Gateway& gateway, std::optional<std::uint16_t> tunnel_port,
             std::string_view tunnel_name, std::vector<IpPrefix> virtual_pools, bool accounts)
        : gateway_(gateway),
          tunnel_port_(tunnel_port),
          tunnel_name_(tunnel_name),
          virtual_pools_(std::move(virtual_pools)),
          store_(tunnel_port),
          usage_(gateway, accounts, tunnel_port) {}

    [[nodiscard]] std::span<const wire::RecordType> types() const override { return kTypes; }
    [[nodiscard]] Counted* counted() override { return this; }

    void warm(const Margin& margin, TimePoint now, Effects& effects) override;
    [[nodiscard]] bool is_warm() const override { return !warming_; }
    void read(TimePoint now, Effects& effects) override;
    [[nodiscard]] TimePoint read_at() const override { return read_at_; }

    void install(const replica::Install& wanted, TimePoint now, Effects& effects) override;
    void remove(const wire::RecordKey& key, Effects& effects) override;
    void on_in_sync(TimePoint now) override;
    void on_replica(TimePoint, Effects&) override {}
    void follow(TimePoint now, Effects& effects) override;

    void promote(TimePoint now, Effects& effects) override;
    void pause(Effects& effects) override;
    void unpause(TimePoint now, Effects& effects) override;
    void mute(Effects& effects) override;
    void detach(Effects& effects) override;
    // charon has answered; a charon that is gone counts as turned.
    [[nodiscard]] bool has_turned() const override {
        return gone_ || (!turning_ && is_active_ == is_wanted_);
    }

    // ESP, in tunnel mode.
    [[nodiscard]] std::uint32_t tunnel_type() const override { return 9; }
    // charon notifies the client, and then this keeper.
    [[nodiscard]] Result<void> end(const wire::RecordKey& key, TimePoint now,
                                   Effects& effects) override;
    void on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) override;
    void on_time(TimePoint now, Effects& effects) override;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override;

    [[nodiscard]] std::vector<SessionView> sessions(const ListPart& part) const override;
    [[nodiscard]] SessionTotals session_totals() const override;
    [[nodiscard]] Counts counts() const override;
    [[nodiscard]] Status status(TimePoint) const override;
    [[nodiscard]] IpsecState state() const;

  private:
    static constexpr std::array kTypes{wire::RecordType::ike_sa, wire::RecordType::child_sa,
                                       wire::RecordType::esp_counters};

    // The last feed of charon, and the installations that its answer completes.
    struct Feeding {
        std::uint64_t ticket = 0;
        std::vector<Bytes> messages;  // Until the SAs made of them are held.
        std::set<ipsec::IkeKey> ikes;
        std::set<std::uint32_t> children;
        std::map<wire::RecordKey, std::uint64_t> installing;
    };
    struct Held {
        std::uint32_t spi_out = 0;
        std::uint64_t ticket = 0;
    };
    struct Listing {
        std::uint64_t ticket = 0;
        TimePoint at{};  // When it was requested.
    };
    // This node is about to continue with numbers beyond those of other nodes.
    struct Warming {
        bool exact = false;  // The numbers of the records are the last ones.
        bool again = false;  // Some could not be set.
        std::uint64_t listing = 0;
        std::uint64_t setting = 0;
        std::uint64_t holding = 0;
    };
    struct Counters {
        std::uint64_t rebuilds = 0;       // Families that a passive charon was fed anew.
        std::uint64_t feeds_failed = 0;   // charon may have lost some of it.
        std::uint64_t children_lost = 0;  // Missing in this kernel, although charon has them.
        std::uint64_t unreadable = 0;     // Messages of charon.
        std::uint64_t ignored = 0;        // The same, while this node does not serve.
        std::uint64_t too_large = 0;      // SAs for which a record is too small.
        std::uint64_t numbers_set = 0;    // ESP SAs whose numbers this node has set.
        std::uint64_t repeated = 0;       // Requests of clients that are answered once more.
        std::uint64_t jumps = 0;          // CHILD SAs that skipped numbers as this node took over.
        std::uint64_t ended = 0;          // IKE SAs that came to this node without a CHILD SA.
    };

    void handle(const node::CharonEmitted& emitted, TimePoint now, Effects& effects);
    void take(ByteView message, TimePoint emitted_at, TimePoint now, Effects& effects);
    void leave();
    // This node is demoted: another one serves, and its records count.
    void forget_unreceived();
    // A change that charon made before it became passive, and that is in no record.
    void ignore(ByteView message);
    void handle(const node::CharonFresh& fresh, TimePoint now, Effects& effects);
    void handle(const node::CharonFed& fed, TimePoint now, Effects& effects);
    void handle(const node::CharonTurned& turned, TimePoint now, Effects& effects);
    void handle(const node::CharonGone& gone, TimePoint now, Effects& effects);
    void handle(const node::SasListed& listed, TimePoint now, Effects& effects);
    void handle(const node::SasFlushed& flushed, TimePoint now, Effects& effects);
    void handle(const node::CountersSet& set, TimePoint now, Effects& effects);
    void handle(const node::EspHeld& held, TimePoint now, Effects& effects);
    void handle(const node::IkeSeen& seen, TimePoint now, Effects& effects);

    [[nodiscard]] Result<void> put(const replica::Install& wanted, TimePoint now);
    // Marks its family to be checked.
    void touch_child(std::uint32_t spi);
    void touch_all();
    void publish(const ipsec::SaChanges& changes, TimePoint now, Effects& effects);
    // Logs the names by which charon and `swanctl --list-sas` know it.
    void log_begin(const ipsec::IkeSa& sa, Effects& effects) const;
    // Called before its record is erased. One that was replaced gets no line.
    void log_end(const wire::RecordKey& record, Effects& effects) const;
    void publish(const wire::RecordKey& key, ByteView payload, TimePoint now);

    void feed(TimePoint now, Effects& effects);
    [[nodiscard]] Feeding next_feed(std::vector<Bytes>& messages, TimePoint now);
    void on_fed(const Feeding& fed, TimePoint now);
    // The charon of this node knows it, or no node has the record any more.
    [[nodiscard]] bool takes(const ipsec::IkeKey& key) const;
    [[nodiscard]] bool takes(std::uint32_t child) const;
    void on_not_fed(const std::string& why, TimePoint now, Effects& effects);
    void set_numbers(Effects& effects);
    void continue_warming(Effects& effects);
    // The gate drops what these children send until their numbers are set, if they are not in the
    // kernel. Returns the ticket; 0: there are none.
    std::uint64_t hold(const std::set<std::uint32_t>& children, Effects& effects);
    void let_go(const std::function<bool(std::uint32_t, const Held&)>& which, Effects& effects);
    void let_right_ones_go(Effects& effects);
    void let_ended_ones_go(EspNumbers::Listed listed, TimePoint at, Effects& effects);
    // The epoch of the record of its numbers, or of its own record if there is none.
    [[nodiscard]] Epoch emitted_in(std::uint32_t child) const;
    [[nodiscard]] std::set<std::uint32_t> all_children() const;
    void flush(Effects& effects);
    void serve(TimePoint now, Duration patience, Effects& effects);
    void turn(TimePoint now, Effects& effects);
    void silence(Effects& effects);
    // Has the last request of its client answered once more; what it made is removed first.
    void repeat(const ipsec::IkeSa& sa, const std::set<std::uint32_t>& children, TimePoint now,
                Effects& effects);
    void expect(const ipsec::IkeId& id, std::uint32_t mid, std::vector<Bytes> messages,
                Effects& effects);
    // Drops what was installed in charon or requested of it.
    void lose_charon(TimePoint now);
    void look_for(TimePoint now, Effects& effects);
    void install_missing(TimePoint now, Effects& effects);
    void give_up(std::uint32_t spi, TimePoint now);
    // Both its ESP SAs are there and have the right numbers.
    void confirm(std::uint32_t spi, TimePoint now);
    void answer(const wire::RecordKey& key, replica::Outcome outcome, TimePoint now);
    // It waits for a charon, and the replica does not wait for it.
    void put_off(const wire::RecordKey& key, TimePoint now);
    void list(TimePoint now, Effects& effects);
    // A child that a device encrypts gets no record: after a takeover it might use an IV twice. Its
    // IKE SA ends then because the child is missing (LostChildren).
    void leave_out_offloaded(EspNumbers::Listed listed, TimePoint now, Effects& effects);
    // Updates the records of peers that charon has moved.
    void follow_peers(EspNumbers::Listed listed, TimePoint now, Effects& effects);
    void map_ports(EspNumbers::Listed listed, Effects& effects);
    // Ends IKE SAs that this node took over without a CHILD SA, by a listing requested at `at`.
    void end_childless(EspNumbers::Listed listed, TimePoint at, Effects& effects);
    void emit(LogLevel level, const std::string& what, Effects& effects) const;

    [[nodiscard]] const ipsec::SaSet& sas() const { return store_.sas(); }
    [[nodiscard]] replica::Replica& replica() { return gateway_.replica(); }
    [[nodiscard]] const replica::Replica& replica() const { return gateway_.replica(); }

    Gateway& gateway_;
    std::optional<std::uint16_t> tunnel_port_;
    std::string_view tunnel_name_;
    std::vector<IpPrefix> virtual_pools_;
    ipsec::SaStore store_;
    ipsec::CharonImage image_;
    EspNumbers numbers_;
    IkeUsage usage_;
    ipsec::PeerPaths paths_;

    bool gone_ = false;        // There is no charon.
    bool had_charon_ = false;  // There was one.
    // Until the kernel has removed the SAs of an earlier charon: they would break a feed.
    std::optional<std::uint64_t> flushing_;
    std::optional<TimePoint> flush_at_;  // Flushes once more.
    std::set<ipsec::IkeKey> touched_;    // charon's copies of their families may be incomplete.
    std::optional<Feeding> feeding_;
    TimePoint fed_at_{};                // When the last one ended.
    std::optional<TimePoint> feed_at_;  // Not before.
    bool held_back_ = false;            // Because the replica is not complete; once.
    std::uint64_t last_ticket_ = 0;
    // Installations that the replica waits for.
    std::map<wire::RecordKey, std::uint64_t> installing_;
    // Fed children that the kernel has not shown, with the time by which it should.
    std::map<std::uint32_t, TimePoint> unseen_;
    std::set<std::uint32_t> to_set_;
    std::map<std::uint64_t, std::set<std::uint32_t>> setting_;
    // While this node serves: children that charon may make behind the open gate.
    std::map<std::uint32_t, Held> held_;

    // charon's messages while this node had lost the lease and charon was not passive yet.
    struct Emitted {
        TimePoint at;
        Bytes message;
        bool is_of_dead = false;  // charon was started anew since, or is gone.
    };
    std::vector<Emitted> unreceived_;
    bool is_paused_ = false;

    bool is_wanted_ = false;            // This node serves, and its messages arrive.
    bool is_active_ = false;            // charon was turned active.
    bool is_left_ = false;              // It still is, and records come from another node.
    bool turning_ = false;              // It has not answered yet.
    std::optional<TimePoint> turn_by_;  // By then it is turned in any case.
    std::optional<TimePoint> turn_again_at_;
    std::optional<TimePoint> rekey_at_;
    std::optional<TimePoint> list_at_;
    std::optional<Listing> listing_;
    TimePoint read_at_{};
    std::optional<Warming> warming_;
    std::optional<TimePoint> settle_at_;
    OpenExchanges open_exchanges_;
    LostChildren lost_children_;
    std::optional<TimePoint> watch_until_;  // For clients that repeat a request.
    std::set<std::uint32_t> offloaded_;     // CHILD SAs that a device encrypts.
    std::vector<ipsec::PortMapping> mapped_;
    TimePoint map_until_{};  // A child has been made; its ports are sought until then.
    std::optional<TimePoint> complained_at_;
    Counters counters_;
};

}  // namespace vpnha::keepers
