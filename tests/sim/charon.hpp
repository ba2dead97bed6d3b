// SPDX-License-Identifier: GPL-2.0-or-later
// A machine's charon, and the ESP SAs that it has in its kernel, as
// protocols/ipsec/backend/ipsec.hpp has them. charon outlives vpnhad, and is made empty when the
// next vpnhad starts; the kernel outlives charon.
//
// What vpnhad wants of them is done in its order, each piece after some time. Numbers of outbound
// SAs are used as in numbers.hpp, so many a millisecond that a margin has nothing to spare.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "cluster/effects/effects.hpp"
#include "protocols/ipsec/work.hpp"
#include "sim/agenda.hpp"
#include "sim/numbers.hpp"
#include "support/passive_charon.hpp"
#include "support/random.hpp"

namespace vpnha::node {
class Node;
}

namespace vpnha::sim {

// charon and the kernel's ESP SAs are those of one gateway.
inline constexpr GatewayId kIpsecGateway{1};
// Out of which charon gives addresses.
inline const IpPrefix kVirtualPool = parse_ip_prefix("10.7.0.0/16").value_or(IpPrefix{});

class Charon {
  public:
    using Call = std::function<effects::Effects(node::Node&, TimePoint)>;
    struct Ports {
        // Into the node's queue of events; it is gone with vpnhad.
        std::function<void(Call)> post;
        // The machine stands still.
        std::function<bool()> stands_still;
        // What the kernel has used up to now is put down in `numbers`, which has outbound SAs by
        // their SPIs.
        std::function<void()> use_numbers;
        std::function<TimePoint()> now;  // By the node's clock.
        // It speaks for its SAs from now on, and vpnhad is about to be told so.
        std::function<void()> active;
        // vpnhad wants an IKE SA ended, or a CHILD SA replaced by another one; before it is.
        std::function<void(const ipsec::IkeKey&)> ends;
        std::function<void(std::uint32_t spi)> rekeys;
        std::function<void(const std::string&)> broken;
    };

    Charon(std::uint64_t seed, Agenda& agenda, Numbers& numbers, Ports ports)
        : random_(seed), agenda_(agenda), numbers_(numbers), ports_(std::move(ports)) {}

    // vpnhad starts, and takes charon for gone until it is empty.
    void meet();
    // vpnhad is gone.
    void part();
    // The machine loses its power; its numbers are dropped as well.
    void lose_power();
    // It dies alone, and is started again.
    void crash();

    void execute(const node::IpsecWork& work);

    // What it has done itself, as it says it.
    void emit(const Bytes& message);
    // A packet comes to the kernel: false where it is dropped for its number.
    [[nodiscard]] bool receive(std::uint32_t spi, std::uint64_t number);

    [[nodiscard]] bool is_active() const { return is_there_ && is_active_; }
    // It is there, and vpnhad knows it.
    [[nodiscard]] bool is_met() const { return is_there_ && is_met_; }
    [[nodiscard]] bool has(const ipsec::IkeKey& key) const { return sas_.ikes.contains(key); }
    // It has the CHILD SA, and its kernel both ESP SAs.
    [[nodiscard]] bool has_child(std::uint32_t spi) const {
        return sas_.children.contains(spi) && kernel_.contains(spi);
    }
    // It has had that once, a CHILD SA with both ESP SAs; this charon, or any on this machine.
    [[nodiscard]] bool had(const ipsec::IkeKey& key) const { return in_this(had_, key); }
    [[nodiscard]] bool had_child(std::uint32_t spi) const { return in_this(had_children_, spi); }
    [[nodiscard]] bool ever_had(const ipsec::IkeKey& key) const { return had_.contains(key); }
    [[nodiscard]] bool ever_had_child(std::uint32_t spi) const {
        return had_children_.contains(spi);
    }
    [[nodiscard]] const test::PassiveCharon& sas() const { return sas_; }
    // The first one of its pool that it has reserved for nobody, as its plugin ha gives it.
    [[nodiscard]] std::string free_address() const;
    [[nodiscard]] bool is_reserved(std::string_view address) const;
    [[nodiscard]] bool has_address(const ipsec::IkeKey& key, std::string_view address) const;
    // The kernel has refused it last.
    [[nodiscard]] bool is_refused(std::uint32_t spi) const { return refused_.contains(spi); }
    // The gate drops what this outbound SA sends.
    [[nodiscard]] bool holds(std::uint32_t spi_out) const { return held_.contains(spi_out); }
    [[nodiscard]] bool is_held(std::uint32_t spi) const { return holds(kernel_.at(spi).spi_out); }
    [[nodiscard]] bool has_kernel(std::uint32_t spi) const { return kernel_.contains(spi); }
    // Of the child's ESP SAs: the last number that was received, the next that is sent.
    [[nodiscard]] std::uint64_t received(std::uint32_t spi) const { return kernel_.at(spi).seq; }
    [[nodiscard]] std::uint64_t next(std::uint32_t spi) const;

    // Of the ESP SAs that charon is fed the kernel refuses so many.
    unsigned refused_percent = 0;

  private:
    // Both ESP SAs of a child.
    struct Pair {
        std::uint32_t spi_out = 0;
        IpAddress gateway;
        IpAddress peer;
        bool esn = false;
        std::uint64_t seq = 0;
        std::vector<std::uint32_t> bitmap;
    };
    using Job = std::function<void()>;

    template <class Key>
    [[nodiscard]] bool in_this(const std::map<Key, std::uint64_t>& had, const Key& key) const {
        const auto found = had.find(key);
        return found != had.end() && found->second == charon_;
    }
    void later(Job job);
    void do_next();
    template <class Event>
    void notify(Event event);
    void be_there_after(Duration time);
    void handle(const Bytes& message, unsigned refused);
    // The kernel follows what charon has.
    void install(std::uint32_t spi, const test::PassiveCharon::Child& child);
    void remove(std::uint32_t spi);
    [[nodiscard]] std::vector<ipsec::SaCounters> list();
    [[nodiscard]] Result<void> set(const node::SetCounters& wanted);

    void carry_out(const node::FeedCharon& feed);
    void carry_out(const node::TurnCharon& turn);
    void carry_out(const node::ListSas& list);
    void carry_out(const node::SetCounters& set);
    void carry_out(const node::FlushSas& flush);
    void carry_out(const node::HoldEsp& hold);
    void carry_out(const node::RekeyChildren& rekey);
    void carry_out(const node::EndIkeSas& end);
    // Nobody repeats a request here, and no two clients have one port.
    void carry_out(const node::MapPorts&) {}
    void carry_out(const node::WatchIke&) {}
    void carry_out(const node::SendIke&) {}

    test::Random random_;
    Agenda& agenda_;
    Numbers& numbers_;
    Ports ports_;
    test::PassiveCharon sas_;
    std::map<std::uint32_t, Pair> kernel_;  // By the inbound SPI.
    std::set<std::uint32_t> held_;
    std::set<std::uint32_t> refused_;
    // By the number of the last charon that had it.
    std::map<ipsec::IkeKey, std::uint64_t> had_;
    std::map<std::uint32_t, std::uint64_t> had_children_;
    std::deque<Job> jobs_;
    bool job_due_ = false;
    std::uint64_t charon_ = 0;  // Number of the charon that is there, or comes.
    bool is_there_ = false;
    bool is_met_ = false;
    bool is_active_ = false;
};

}  // namespace vpnha::sim
