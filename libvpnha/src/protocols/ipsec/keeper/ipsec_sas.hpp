// SPDX-License-Identifier: GPL-2.0-or-later
// The IPsec SAs of one gateway on one node: joins this node's charon, its kernel's ESP SAs and the
// replica. Pure.
//
//               | charon and kernel to replica     | replica to charon and kernel
//   ------------+----------------------------------+---------------------------------------------
//   promoted    | what charon says; the numbers of | at the promotion, what is not fed yet; then
//               | the ESP SAs, listed each 500 ms  | charon is active
//   otherwise   | –                                | what charon lacks, family by family; the
//               |                                  | numbers of the ESP SAs, ahead of the records
//   both        | by which ports clients of L2TP are known here, as the marks of the ESP SAs say
//
// A passive charon is fed one batch at a time; what changes meanwhile is coalesced. An IKE SA is
// confirmed when charon has read it, a CHILD SA when both its ESP SAs are in this kernel with the
// record's numbers: charon's word is not enough. What is not there in time is rebuilt.
//
// charon makes SAs with the numbers from 1 on. Where the gate is open it drops what they send until
// they have those that nobody used: it is told so before the gate opens, or before charon is fed.
//
// Of a charon that was there before this keeper nothing is known: it is told to delete each SA
// before it is fed it.
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
    // Of the outbound SAs with 32 bits the fewest; nullopt: there are none.
    std::optional<std::uint64_t> numbers_left;
    bool charon = false;  // It is there.
    bool active = false;  // It was told to speak.
    // SAs of several key exchanges (RFC 9370) that this node's charon, of 5.9, does not know.
    std::uint64_t not_for_charon = 0;
};

class IpsecSas final : public Keeper, public Counted {
  public:
    // After charon was made active, what is rekeyed then: clients that repeat a request come first.
    static constexpr Duration kRekeyPause = std::chrono::seconds(15);

    // `gateway` must outlive it. `tunnel_port`: where it takes tunnels, which are shown as
    // `tunnel_name`; nullopt: nowhere. `virtual_pools`: what charon gives to clients. `accounts`:
    // what clients use is accounted for.
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
    // charon has answered; one that is not there is not waited for.
    [[nodiscard]] bool has_turned() const override {
        return gone_ || (!turning_ && is_active_ == is_wanted_);
    }

    // ESP, in tunnel mode.
    [[nodiscard]] std::uint32_t tunnel_type() const override { return 9; }
    // charon says so to the client, and then to this keeper.
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

    // What charon was fed last, and the installations that it answers.
    struct Feeding {
        std::uint64_t ticket = 0;
        std::vector<Bytes> messages;  // Until what they make is held.
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
        TimePoint at{};  // It was asked for.
    };
    // This node's numbers are about to go on beyond those of others.
    struct Warming {
        bool exact = false;  // Those of the records are the last ones.
        bool again = false;  // Some could not be set.
        std::uint64_t listing = 0;
        std::uint64_t setting = 0;
        std::uint64_t holding = 0;
    };
    struct Counters {
        std::uint64_t rebuilds = 0;       // Families that a passive charon was fed anew.
        std::uint64_t feeds_failed = 0;   // charon may have lost some of it.
        std::uint64_t children_lost = 0;  // Not in this kernel, in spite of charon.
        std::uint64_t unreadable = 0;     // Messages of charon.
        std::uint64_t ignored = 0;        // The same, while this node does not serve.
        std::uint64_t too_large = 0;      // SAs for which a record is too small.
        std::uint64_t numbers_set = 0;    // ESP SAs of which this node has set the numbers.
        std::uint64_t repeated = 0;       // Requests of clients that are answered once more.
        std::uint64_t jumps = 0;          // CHILD SAs that left numbers out as this node took over.
        std::uint64_t ended = 0;          // IKE SAs that came to this node without a CHILD SA.
    };

    void hear(const node::CharonSaid& said, TimePoint now, Effects& effects);
    void take(ByteView message, TimePoint said_at, TimePoint now, Effects& effects);
    void leave();
    // This node is demoted: another one serves, and its records count.
    void forget_unheard();
    // What charon did while it was not passive yet, and no record tells of.
    void ignore(ByteView message);
    void hear(const node::CharonFresh& fresh, TimePoint now, Effects& effects);
    void hear(const node::CharonFed& fed, TimePoint now, Effects& effects);
    void hear(const node::CharonTurned& turned, TimePoint now, Effects& effects);
    void hear(const node::CharonGone& gone, TimePoint now, Effects& effects);
    void hear(const node::SasListed& listed, TimePoint now, Effects& effects);
    void hear(const node::SasFlushed& flushed, TimePoint now, Effects& effects);
    void hear(const node::CountersSet& set, TimePoint now, Effects& effects);
    void hear(const node::EspHeld& held, TimePoint now, Effects& effects);
    void hear(const node::IkeSeen& seen, TimePoint now, Effects& effects);

    [[nodiscard]] Result<void> put(const replica::Install& wanted, TimePoint now);
    // Its family has to be looked at.
    void touch_child(std::uint32_t spi);
    void touch_all();
    void publish(const ipsec::SaChanges& changes, TimePoint now, Effects& effects);
    // By which names charon and `swanctl --list-sas` know it.
    void log_begin(const ipsec::IkeSa& sa, Effects& effects) const;
    // Before its record goes. One that was replaced goes without a line.
    void log_end(const wire::RecordKey& record, Effects& effects) const;
    void publish(const wire::RecordKey& key, ByteView payload, TimePoint now);

    void feed(TimePoint now, Effects& effects);
    [[nodiscard]] Feeding next_feed(std::vector<Bytes>& messages, TimePoint now);
    void on_fed(const Feeding& fed, TimePoint now);
    // The charon of this node knows it, or nobody has the record any more.
    [[nodiscard]] bool takes(const ipsec::IkeKey& key) const;
    [[nodiscard]] bool takes(std::uint32_t child) const;
    void on_not_fed(const std::string& why, TimePoint now, Effects& effects);
    void set_numbers(Effects& effects);
    void go_on_warming(Effects& effects);
    // The gate drops what these send that are not in the kernel, until their numbers are set. The
    // ticket; 0: there are none.
    std::uint64_t hold(const std::set<std::uint32_t>& children, Effects& effects);
    void let_go(const std::function<bool(std::uint32_t, const Held&)>& which, Effects& effects);
    void let_right_ones_go(Effects& effects);
    void let_ended_ones_go(EspNumbers::Listed listed, TimePoint at, Effects& effects);
    // The epoch of the record of its numbers, or of its own where no record has them.
    [[nodiscard]] Epoch said_in(std::uint32_t child) const;
    [[nodiscard]] std::set<std::uint32_t> all_children() const;
    void flush(Effects& effects);
    void serve(TimePoint now, Duration patience, Effects& effects);
    void turn(TimePoint now, Effects& effects);
    void silence(Effects& effects);
    // The last request of its client is to be answered once more, without what it has made.
    void repeat(const ipsec::IkeSa& sa, const std::set<std::uint32_t>& children, TimePoint now,
                Effects& effects);
    void expect(const ipsec::IkeId& id, std::uint32_t mid, std::vector<Bytes> messages,
                Effects& effects);
    // What was installed, or asked for, is no more.
    void lose_charon(TimePoint now);
    void look_for(TimePoint now, Effects& effects);
    void install_missing(TimePoint now, Effects& effects);
    void give_up(std::uint32_t spi, TimePoint now);
    // Both its ESP SAs are there, and right.
    void confirm(std::uint32_t spi, TimePoint now);
    void answer(const wire::RecordKey& key, replica::Outcome outcome, TimePoint now);
    // It waits for a charon, and nothing waits for it.
    void put_off(const wire::RecordKey& key, TimePoint now);
    void list(TimePoint now, Effects& effects);
    // Of a child that a device encrypts no other node has a record: after a takeover it might use
    // an initialisation vector twice. Its IKE SA ends then, for want of it (LostChildren).
    void leave_out_offloaded(EspNumbers::Listed listed, TimePoint now, Effects& effects);
    // Peers that charon has moved: their records follow.
    void follow_peers(EspNumbers::Listed listed, TimePoint now, Effects& effects);
    void map_ports(EspNumbers::Listed listed, Effects& effects);
    // IKE SAs that this node took over without a CHILD SA, as was asked for at `at`.
    void end_childless(EspNumbers::Listed listed, TimePoint at, Effects& effects);
    void say(LogLevel level, const std::string& what, Effects& effects) const;

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
    // Until the kernel has removed what an earlier charon left there: that would break a feed.
    std::optional<std::uint64_t> flushing_;
    std::optional<TimePoint> flush_at_;  // Once more.
    std::set<ipsec::IkeKey> touched_;    // charon may lack something of their families.
    std::optional<Feeding> feeding_;
    TimePoint fed_at_{};                // The last one was over.
    std::optional<TimePoint> feed_at_;  // Not before.
    bool held_back_ = false;            // For want of a complete replica; once.
    std::uint64_t last_ticket_ = 0;
    // Installations that the replica waits for.
    std::map<wire::RecordKey, std::uint64_t> installing_;
    // Children that charon was fed and that were not seen in the kernel; until when they should be.
    std::map<std::uint32_t, TimePoint> unseen_;
    std::set<std::uint32_t> to_set_;
    std::map<std::uint64_t, std::set<std::uint32_t>> setting_;
    // While this node serves: children that charon may make behind the open gate.
    std::map<std::uint32_t, Held> held_;

    // What charon said while this node had lost the lease, and charon was not passive for another.
    struct Said {
        TimePoint at;
        Bytes message;
        bool is_of_dead = false;  // charon was started anew since, or is gone.
    };
    std::vector<Said> unheard_;
    bool is_paused_ = false;

    bool is_wanted_ = false;            // This node serves, and is heard.
    bool is_active_ = false;            // charon was told so.
    bool is_left_ = false;              // It still is, and records come from another node.
    bool turning_ = false;              // It has not answered yet.
    std::optional<TimePoint> turn_by_;  // Whatever is missing by then.
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
    TimePoint map_until_{};  // A child has been made; it is looked for until then.
    std::optional<TimePoint> complained_at_;
    Counters counters_;
};

}  // namespace vpnha::keepers
