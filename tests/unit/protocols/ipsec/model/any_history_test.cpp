// SPDX-License-Identifier: GPL-2.0-or-later
// Any history of SAs at the node that serves leads to the same SAs, with the same keys and the same
// addresses of their clients, in a charon that was fed from the records, whatever of them was
// coalesced, in whatever order they came, and whoever served. `PassiveCharon` is what
// process_ike_add() and its neighbours do in a passive charon.
#include <gmock/gmock.h>

#include "protocols/ipsec/model/charon_image.hpp"
#include "protocols/ipsec/model/sa_store.hpp"
#include "support/ha_builder.hpp"
#include "support/passive_charon.hpp"
#include "support/random.hpp"

namespace vpnha::ipsec {
namespace any_history_test {

using test::IkeSample;
using test::PassiveCharon;
using test::Random;

// What is true at the node that serves: it makes the history.
class History {
  public:
    explicit History(std::uint64_t seed) : random_(seed) {}

    struct Ike {
        IkeSample sample;
        Bytes add;
        bool established = false;
        bool left = false;  // IKEv1: another one has adopted its children.
        std::optional<IkeKey> replaces;
        std::uint32_t mid = 0;
        std::vector<Bytes> vips = {};
    };
    struct Child {
        IkeKey made;
        IkeKey owner;
        Bytes keys;
    };

    // Each of them one after the other.
    std::vector<Bytes> step() {
        emitted_.clear();
        const std::uint64_t what = random_.below(14);
        const IkeKey* const some = pick(true);
        if (ikes_.size() < 4 || (what == 0 && ikes_.size() < 12)) {
            begin();
        } else if (some == nullptr) {
            finish_some();
        } else if (what < 3) {
            if (!ikes_.at(*some).left) {
                add_child(*some);
            }
        } else if (what < 5) {
            end_child();
        } else if (what == 5) {
            end(*some);
        } else if (what == 6) {
            speak(*some);
        } else if (what == 7 && !ikes_.at(*some).left) {
            give_address(ikes_.at(*some));
        } else if (what == 7 || what == 8) {
            finish_some();
        } else if (some->version == 2) {
            rekey(*some);
        } else {
            reauthenticate(*some);
        }
        return emitted_;
    }

    // Another node continues: what was not established is gone.
    void fail_over() {
        std::erase_if(ikes_, [](const auto& each) { return !each.second.established; });
    }

    std::map<IkeKey, Ike> ikes_;
    std::map<std::uint32_t, Child> children_;
    bool has_failed_rekeys_ = false;  // A log does not survive them.

  private:
    void emit(Bytes message) { emitted_.push_back(std::move(message)); }

    const IkeKey* pick(bool established) {
        std::vector<const IkeKey*> all;
        for (const auto& [key, ike] : ikes_) {
            if (ike.established == established) {
                all.push_back(&key);
            }
        }
        return all.empty() ? nullptr : all[random_.below(all.size())];
    }

    IkeKey add_ike(std::uint8_t version, const IkeSample* like, std::optional<IkeKey> replaces) {
        Ike ike;
        if (like != nullptr) {
            ike.sample = *like;
        } else {
            ike.sample.client = "client" + std::to_string(number_);
        }
        ike.sample.id = test::ike_id(version, ++number_);
        ike.replaces = replaces;
        ike.add = replaces ? ike.sample.add({*replaces}) : ike.sample.add();
        const IkeKey key = ike.sample.id.key;
        emit(ike.add);
        ikes_[key] = ike;
        return key;
    }

    void begin() {
        const auto version = static_cast<std::uint8_t>(1 + random_.below(2));
        const IkeKey key = add_ike(version, nullptr, std::nullopt);
        if (random_.below(4) != 0) {
            finish(key);
        }
    }

    void finish_some() {
        if (const IkeKey* const key = pick(false)) {
            if (random_.below(3) == 0) {
                const IkeId id = ikes_.at(*key).sample.id;
                has_failed_rekeys_ = has_failed_rekeys_ || ikes_.at(*key).replaces;
                emit(build_ike_delete(id));
                ikes_.erase(id.key);
            } else if (!ikes_.at(*key).replaces) {
                finish(IkeKey(*key));
            }
        }
    }

    void finish(const IkeKey& key) {
        Ike& ike = ikes_.at(key);
        speak(key);
        emit(ike.sample.update());
        ike.established = true;
        if (random_.below(4) != 0) {
            add_child(key);
        }
    }

    // No two of a history have the same one.
    void give_address(Ike& ike) {
        const std::uint32_t number = ++number_;
        IkeSa emitted;
        emitted.updates.push_back(ike.sample.vip("10.1." + std::to_string(number / 256) + "." +
                                                 std::to_string(number % 256)));
        ike.vips = peer_of(emitted).vips;
        emit(emitted.updates.front());
    }

    void speak(const IkeKey& key) {
        Ike& ike = ikes_.at(key);
        if (key.version == 1) {
            emit(build_iv(ike.sample.id, Bytes{static_cast<std::uint8_t>(random_.below(256))}));
        } else {
            emit(build_mid(HaType::ike_mid_responder, ike.sample.id, ++ike.mid));
        }
    }

    void add_child(const IkeKey& key) {
        const std::uint32_t spi = 0xc0000000 + ++number_;
        emit(ikes_.at(key).sample.child(spi, 0xd0000000 + number_));
        children_[spi] = {key, key, ikes_.at(key).add};
    }

    void end_child() {
        if (children_.empty()) {
            return;
        }
        auto at = children_.begin();
        std::advance(at, random_.below(children_.size()));
        emit(build_child_delete({at->second.owner, false}, at->first));
        children_.erase(at);
    }

    void end(const IkeKey key) {
        emit(build_ike_delete({key, false}));
        ikes_.erase(key);
        std::erase_if(children_, [&](const auto& each) { return each.second.owner == key; });
    }

    // Silently: charon says nothing of what the new SA inherits.
    void hand_over(const IkeKey& from, const IkeKey& to) {
        ikes_.at(to).vips = std::exchange(ikes_.at(from).vips, {});
        for (auto& [spi, child] : children_) {
            if (child.owner == from) {
                child.owner = to;
            }
        }
    }

    void rekey(const IkeKey old) {
        const IkeSample sample = ikes_.at(old).sample;
        const IkeKey fresh = add_ike(2, &sample, old);
        std::optional<IkeKey> loser;
        if (random_.below(5) == 0) {
            loser = add_ike(2, &sample, old);  // Both sides began one.
            has_failed_rekeys_ = true;
        }
        if (random_.below(5) == 0) {
            has_failed_rekeys_ = true;  // The log's charon has no SA for it any more.
            add_child(old);
        }
        if (random_.below(5) == 0) {
            has_failed_rekeys_ = true;  // Never finished, or ended in a moment.
            return;
        }
        if (loser && random_.below(2) == 0) {
            emit(build_ike_delete({*loser, false}));
            ikes_.erase(*loser);
            loser.reset();
        }
        hand_over(old, fresh);
        emit(build_ike_delete({old, false}));
        ikes_.erase(old);
        finish(fresh);
        if (loser) {
            emit(build_ike_delete({*loser, false}));
            ikes_.erase(*loser);
        }
    }

    void reauthenticate(const IkeKey old) {
        const IkeSample sample = ikes_.at(old).sample;
        if (ikes_.at(old).left) {
            end(old);
            return;
        }
        const IkeKey fresh = add_ike(1, &sample, std::nullopt);
        Ike& ike = ikes_.at(fresh);
        speak(fresh);
        emit(ike.sample.update());
        ike.established = true;
        hand_over(old, fresh);
        ikes_.at(old).left = true;
        if (random_.below(2) == 0) {
            end(old);
        }
        add_child(fresh);
    }

    Random random_;
    std::uint32_t number_ = 0;
    std::vector<Bytes> emitted_;
};

// A node that holds the records, and its passive charon.
struct Standby {
    SaStore store{1701};
    CharonImage image;
    PassiveCharon charon;

    Standby() { image.clear(); }

    void feed(const std::set<IkeKey>& members) {
        for (const IkeKey& member : members) {
            for (const Bytes& message : image.feed(member, store.sas()).messages) {
                charon.on(message);
            }
        }
    }
};

struct Changed {
    std::set<IkeKey> ikes;
    std::set<std::uint32_t> children;
};

// Some of what has changed, as the latest records have it.
void deliver(const SaSet& records, Changed& changed, Standby& standby, Random& random, bool all) {
    std::set<IkeKey> members;
    const auto touch = [&](std::uint32_t spi) {
        if (const ChildSa* const child = standby.store.sas().find_child(spi)) {
            members.insert(child->made);
            members.insert(child->owner);
        }
    };
    const auto comes = [&] { return all || random.below(2) == 0; };
    std::erase_if(changed.children, [&](std::uint32_t spi) {
        if (!comes()) {
            return false;
        }
        touch(spi);
        standby.store.erase_child(spi);
        if (const ChildSa* const child = records.find_child(spi)) {
            const auto parsed = parse_child_sa(encode_spi(spi), encode_record(*child));
            EXPECT_TRUE(parsed);
            EXPECT_EQ(*parsed, *child);
            standby.store.put(*parsed);
        }
        touch(spi);
        return true;
    });
    std::erase_if(changed.ikes, [&](const IkeKey& key) {
        if (!comes()) {
            return false;
        }
        members.insert(key);
        standby.store.erase(key);
        if (const IkeSa* const sa = records.find(key)) {
            const auto parsed = parse_ike_sa(encode_key(key), encode_record(*sa));
            EXPECT_TRUE(parsed);
            EXPECT_EQ(*parsed, *sa);
            standby.store.put(*parsed);
        }
        return true;
    });
    standby.feed(members);
}

void expect_as_in(const History& history, const PassiveCharon& charon, const std::string& what) {
    EXPECT_THAT(charon.complaints, ::testing::IsEmpty()) << what;
    for (const auto& [spi, child] : charon.children) {
        EXPECT_TRUE(history.children_.contains(spi))
            << what << std::hex << spi << " of v" << std::dec << int{child.owner.version} << " "
            << child.owner.spi_i - 0xa000;
    }
    ASSERT_EQ(charon.children.size(), history.children_.size()) << what;
    for (const auto& [spi, child] : history.children_) {
        ASSERT_TRUE(charon.children.contains(spi)) << what;
        EXPECT_EQ(charon.children.at(spi).keys, child.keys) << what;
        if (!history.ikes_.at(child.owner).left) {  // A passive charon has ended it by now.
            EXPECT_EQ(charon.children.at(spi).owner, child.owner) << what;
        }
    }
    for (const auto& [key, ike] : history.ikes_) {
        if (ike.established && !ike.left) {
            ASSERT_TRUE(charon.ikes.contains(key)) << what;
            EXPECT_EQ(charon.ikes.at(key).mid_responder, ike.mid) << what;
            EXPECT_EQ(charon.ikes.at(key).vips, ike.vips) << what;
            for (const Bytes& vip : ike.vips) {
                EXPECT_TRUE(charon.reserved.contains(vip)) << what;
            }
        }
    }
    for (const auto& [key, ike] : charon.ikes) {
        EXPECT_TRUE(history.ikes_.contains(key)) << what;
    }
}

void run(std::uint64_t seed) {
    SCOPED_TRACE(seed);
    Random random(seed + 1'000'000);
    History history(seed);
    std::vector<Standby> nodes(3);
    std::vector<Changed> behind(3);
    std::size_t holder = 0;
    PassiveCharon log;
    log.strict = false;
    bool log_is_whole = true;
    const std::uint64_t steps = 5 + random.below(60);
    for (std::uint64_t i = 0; i < steps; ++i) {
        std::vector<Bytes> messages = history.step();
        messages.emplace_back();  // Time passes.
        for (const Bytes& message : messages) {
            Result<SaChanges> changes;
            if (message.empty()) {
                changes = nodes[holder].store.settle();
            } else {
                changes = nodes[holder].store.apply(message);
                log.on(message);
            }
            ASSERT_TRUE(changes) << changes.error().detail;
            for (std::size_t node = 0; node < nodes.size(); ++node) {
                behind[node].ikes.insert(changes->ikes.begin(), changes->ikes.end());
                behind[node].children.insert(changes->children.begin(), changes->children.end());
            }
            for (std::size_t node = 0; node < nodes.size(); ++node) {
                if (node != holder && random.below(3) == 0) {
                    deliver(nodes[holder].store.sas(), behind[node], nodes[node], random, false);
                }
            }
        }
        if (random.below(12) == 0) {
            const std::size_t next = (holder + 1 + random.below(2)) % nodes.size();
            deliver(nodes[holder].store.sas(), behind[next], nodes[next], random, true);
            expect_as_in(history, nodes[next].charon, "at a takeover");
            // The old one is told to be passive; the new one continues with what it was fed.
            nodes[holder].store.forget_half_open();
            nodes[holder].image.assume(nodes[holder].store.sas());
            nodes[holder].charon = PassiveCharon();
            for (const auto& [key, ike] : nodes[holder].image.sas().ikes) {
                nodes[holder].charon.ikes[key] = {ike.add, 0, true, {}, ike.mid_responder};
                nodes[holder].charon.ikes[key].emitted.id = ike.id;
                nodes[holder].charon.ikes[key].emitted.updates = ike.updates;
                const std::vector<Bytes>& vips = history.ikes_.at(key).vips;
                nodes[holder].charon.ikes[key].vips = vips;
                nodes[holder].charon.reserved.insert(vips.begin(), vips.end());
            }
            for (const auto& [spi, child] : nodes[holder].image.sas().children) {
                nodes[holder].charon.children[spi] = {history.children_.at(spi).keys, child.owner};
            }
            expect_as_in(history, nodes[holder].charon, "of the node that served");
            behind[holder] = {};
            history.fail_over();
            log_is_whole = false;
            holder = next;
        }
    }
    for (std::size_t node = 0; node < nodes.size(); ++node) {
        if (node != holder) {
            deliver(nodes[holder].store.sas(), behind[node], nodes[node], random, true);
            expect_as_in(history, nodes[node].charon, "at the end");
        }
    }
    Standby late;
    late.store = nodes[holder].store;
    std::set<IkeKey> all;
    for (const auto& [key, sa] : late.store.sas().ikes()) {
        all.insert(key);
    }
    late.feed(all);
    expect_as_in(history, late.charon, "of a node that came late");
    EXPECT_LE(late.store.sas().ikes().size(), history.ikes_.size() + 2 * history.children_.size());
    if (log_is_whole && !history.has_failed_rekeys_) {
        ASSERT_EQ(log.children.size(), late.charon.children.size());
        for (const auto& [spi, child] : log.children) {
            EXPECT_EQ(late.charon.children.at(spi).keys, child.keys);
            EXPECT_EQ(late.charon.children.at(spi).owner, child.owner);
        }
    }
}

TEST(AnyHistoryTest, LeadsToTheSameSas) {
    for (std::uint64_t seed = 1; seed <= 400 && !HasFailure(); ++seed) {
        run(seed);
    }
}

}  // namespace any_history_test
}  // namespace vpnha::ipsec
