// SPDX-License-Identifier: GPL-2.0-or-later
// The addresses that one gateway assigns to its clients of PPP, whatever carries them. Pure.
//
// Only the promoted node assigns them: new clients dial in nowhere else. An address has a record
// from before its client receives it until it can be reused without harm:
//
//   pppd asks           | given to its connection; the answer waits until a standby has the record
//   its session is up   | given to the session, if that has a record
//   both are gone       | held for its user, for a while
//   that is over        | free
//
// A resumed session lives as long as its record: the records are checked in turn. A session may
// come up with an address that was not assigned here: from the node's own range, when vpnhad was
// away, or the user's own one. It owns the address from then on, unless another session owns it
// already: then it is ended.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "protocols/keeper.hpp"
#include "protocols/ppp/plugin_event.hpp"
#include "services/addresses/model/address_record.hpp"
#include "services/addresses/model/pool.hpp"

namespace vpnha::keepers {

struct AddressSettings {
    std::vector<IpPrefix> pool{};  // None: every node assigns its own ones.
    Duration hold = std::chrono::seconds(60);
    // Beyond that, a new address is refused to clients; 0: never.
    std::uint64_t sessions_max = 0;
    std::uint64_t sessions_per_user_max = 0;  // For a user with a name.
};

struct AddressCounts {
    std::uint64_t size = 0;  // Of the pool.
    std::uint64_t in_use = 0;
    std::uint64_t held = 0;
    std::uint64_t refused = 0;         // Dials for which there was no address.
    std::uint64_t over_limit = 0;      // Refused by sessions_max.
    std::uint64_t over_own_limit = 0;  // Refused by sessions_per_user_max.
    std::uint64_t clashes = 0;  // Sessions that were ended because another one had their address.
};

class Addresses final : public Keeper {
  public:
    // `gateway` must outlive it.
    Addresses(Gateway& gateway, const AddressSettings& settings)
        : gateway_(gateway), settings_(settings), pool_(settings.pool) {}

    [[nodiscard]] std::span<const wire::RecordType> types() const override { return kTypes; }

    // A standby's kernel has nothing of them.
    void install(const replica::Install& wanted, TimePoint now, Effects& effects) override;
    void remove(const wire::RecordKey&, Effects&) override {}
    void on_in_sync(TimePoint) override {}
    void on_replica(TimePoint now, Effects& effects) override;
    void follow(TimePoint now, Effects& effects) override;

    void promote(TimePoint, Effects&) override {}
    void pause(Effects&) override {}
    void unpause(TimePoint, Effects&) override {}
    void mute(Effects& effects) override;
    void detach(Effects& effects) override;

    void on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) override;
    void on_time(TimePoint now, Effects& effects) override;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override;

    [[nodiscard]] Counts counts() const override { return {}; }
    [[nodiscard]] Status status(TimePoint) const override;
    [[nodiscard]] AddressCounts address_counts() const;

  private:
    static constexpr std::array kTypes{wire::RecordType::client_address};

    // The state of an address that has a record.
    struct Given {
        AddressRecord record;
        std::optional<PluginToken> plugin;  // The live pppd that has it.
        TimePoint held_until{};
    };
    struct Asking {
        std::string user;
        TimePoint until;
        std::optional<Ipv4Address> address;  // Chosen, and to be confirmed.
    };

    void handle(const node::PluginAsks& asks, TimePoint now, Effects& effects);
    void handle(const node::PluginUp& up, TimePoint now, Effects& effects);
    void handle(const node::PluginDown& down, TimePoint now, Effects& effects);

    // This node assigns addresses: it is promoted, and has read the replica.
    [[nodiscard]] bool is_serving() const;
    bool begin_if_promoted(TimePoint now);
    void begin(TimePoint now);
    // Adopts the sessions from before addresses had records.
    void adopt_sessions();
    void stop();
    // For a pppd's request. The error is why there is none.
    [[nodiscard]] Result<Ipv4Address> choose(PluginToken plugin, const std::string& user);
    [[nodiscard]] Result<void> check_limits(const std::string& user);
    [[nodiscard]] std::optional<Ipv4Address> find_for(const std::string& user) const;
    // The previous owner loses it. False: the replica is full.
    bool give(const AddressRecord& record, std::optional<PluginToken> plugin);
    // It belongs to another session than that one, and the other one lives.
    [[nodiscard]] bool is_anothers(const Given& given, PluginToken plugin,
                                   const wire::RecordKey& session) const;
    [[nodiscard]] bool lives(const Given& given) const;
    void release(Ipv4Address address, TimePoint now);
    void release_of(PluginToken plugin, TimePoint now);
    // Removes it from all indexes.
    void unlink(Given& given);
    // True: it has been answered.
    bool answer(PluginToken plugin, Asking& asking, TimePoint now, Effects& effects);
    // Checks some of those whose session lives without a pppd of this node.
    void look_after_sessions(TimePoint now);
    void let_go_of_held(TimePoint now);
    void log(LogLevel level, const std::string& text, Effects& effects) const;

    [[nodiscard]] replica::Replica& replica() { return gateway_.replica(); }
    [[nodiscard]] const replica::Replica& replica() const { return gateway_.replica(); }

    Gateway& gateway_;
    AddressSettings settings_;
    Pool pool_;
    std::map<PluginToken, Asking> asking_;
    // Where this node is promoted: all that have a record, and indexes of them.
    std::optional<Epoch> serving_;
    std::map<Ipv4Address, Given> given_;
    std::map<PluginToken, Ipv4Address> by_plugin_;
    std::set<std::pair<std::string, Ipv4Address>> held_by_user_;
    std::set<std::pair<std::string, Ipv4Address>> used_by_user_;  // All that are not held.
    std::set<std::pair<TimePoint, Ipv4Address>> held_until_;
    std::set<Ipv4Address> resumed_;     // Without a plugin.
    Ipv4Address looked_at_;             // The last one of resumed_.
    std::optional<TimePoint> look_at_;  // When to check them, or the replica for the first time.
    TimePoint complain_at_{};           // Not before.
    std::uint64_t refused_ = 0;
    std::uint64_t over_limit_ = 0;
    std::uint64_t over_own_limit_ = 0;
    std::uint64_t clashes_ = 0;
};

}  // namespace vpnha::keepers
