// SPDX-License-Identifier: GPL-2.0-or-later
// The clients of IPsec: what they and a charon that speaks do with each other. They know nothing of
// a takeover: a client keeps its SAs as long as a charon that answers it has one of them.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "sim/charon.hpp"
#include "sim/story.hpp"
#include "support/ha_builder.hpp"

namespace vpnha::sim {

struct IkeClient {
    [[nodiscard]] const ipsec::IkeKey& key() const { return sample.id.key; }

    test::IkeSample sample;            // Of the SA that it has now.
    std::string inner;                 // Its virtual address, if it has one.
    std::set<std::uint32_t> children;  // By the gateway's inbound SPIs.
    std::uint32_t mid = 2;
    bool alive = true;
};

class IkeClients {
  public:
    // So many of them ask for a virtual address.
    IkeClients(std::uint64_t seed, unsigned inner_percent, Story& story)
        : random_(seed * 0x9e3779b97f4a7c15 + 17),
          of_addresses_(seed * 0x9e3779b97f4a7c15 + 22),
          inner_percent_(inner_percent),
          story_(story) {}

    // Something that a client and a charon that speaks do; they can reach each other.
    void act(Charon& charon);
    // Nobody does anything new, but what one side alone has ends.
    void settle(Charon& charon);
    // Each child's client sends a packet. Those that the kernel does not take are returned.
    [[nodiscard]] std::vector<std::uint32_t> send(Charon& charon);
    // charon makes another CHILD SA in place of that one, and its client agrees.
    void rekey_child(Charon& charon, std::uint32_t spi);
    // charon has told the client that this SA is over.
    void on_end(const ipsec::IkeKey& key);

    // The client that has this SA now; nullptr: it has ended, or there was none.
    [[nodiscard]] const IkeClient* find(const ipsec::IkeKey& key) const;
    [[nodiscard]] const std::vector<IkeClient>& all() const { return clients_; }
    [[nodiscard]] std::size_t living_count() const {
        return static_cast<std::size_t>(std::ranges::count_if(clients_, &IkeClient::alive));
    }

  private:
    void dial(Charon& charon);
    void hang_up(Charon& charon, IkeClient& client);
    void rekey_ike(Charon& charon, IkeClient& client);
    void ask(Charon& charon, IkeClient& client);
    // False: charon refuses it.
    bool add_child(Charon& charon, IkeClient& client);
    void make_child(Charon& charon, IkeClient& client);
    void end_child(Charon& charon, IkeClient& client, std::uint32_t spi);
    // As dead peer detection, and the client's own.
    void end_dead(Charon& charon);
    void mend(Charon& charon, IkeClient& client);
    [[nodiscard]] std::vector<IkeClient*> living();
    [[nodiscard]] IkeClient* owner_of(const ipsec::IkeKey& key);

    test::Random random_;
    test::Random of_addresses_;
    unsigned inner_percent_;
    Story& story_;
    std::vector<IkeClient> clients_;
    std::map<std::uint32_t, std::uint64_t> sent_;  // By the inbound SPI.
    std::uint32_t last_ = 0;                       // Of the numbers that SPIs are made of.
};

}  // namespace vpnha::sim
