// SPDX-License-Identifier: GPL-2.0-or-later
#include "checker/explore.hpp"

#include <algorithm>
#include <deque>
#include <utility>

#include "checker/key.hpp"

namespace vpnha::checker {

namespace {

struct Print {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    friend bool operator==(const Print&, const Print&) = default;
};

// Two independent multiplicative hashes with a final mix (the constants are those of xxHash and
// splitmix64).
Print print_of(const std::string& key) {
    Print print{0x9e3779b185ebca87, 0xc2b2ae3d27d4eb4f};
    for (const char c : key) {
        const auto octet = static_cast<std::uint8_t>(c);
        print.a = (print.a ^ octet) * 0x100000001b3;
        print.a ^= print.a >> 29;
        print.b = (print.b + octet + 1) * 0xd6e8feb86659fd93;
        print.b ^= print.b >> 32;
    }
    const auto mix = [](std::uint64_t value) {
        value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
        value = (value ^ value >> 27) * 0x94d049bb133111eb;
        return value ^ value >> 31;
    };
    return {mix(print.a), mix(print.b)};
}

// Open addressing, in a table that doubles.
class Visited {
  public:
    // False when it was there before.
    bool insert(const Print& print) {
        if (2 * (size_ + 1) > slots_.size()) {
            grow();
        }
        if (!put(slots_, print)) {
            return false;
        }
        ++size_;
        return true;
    }
    [[nodiscard]] std::uint64_t size() const { return size_; }

  private:
    static bool put(std::vector<Print>& slots, const Print& print) {
        std::size_t at = print.a & (slots.size() - 1);
        while (slots[at] != Print{}) {
            if (slots[at] == print) {
                return false;
            }
            at = (at + 1) & (slots.size() - 1);
        }
        slots[at] = print;
        return true;
    }
    void grow() {
        std::vector<Print> slots(2 * slots_.size());
        for (const Print& print : slots_) {
            if (print != Print{}) {
                put(slots, print);
            }
        }
        slots_ = std::move(slots);
    }

    std::vector<Print> slots_ = std::vector<Print>(1U << 16U);
    std::uint64_t size_ = 0;
};

// How a world was first reached.
struct Origin {
    std::uint32_t parent = 0;
    std::uint16_t move = 0;  // Which of the parent's.
};

class Explorer {
  public:
    explicit Explorer(const Run& run) : run_(run) {}

    Found explore(std::uint64_t states_max) {
        World first = first_world(run_);
        note(std::move(first), {0, 0});
        for (std::uint32_t parent = 0; !frontier_.empty() && found_.broken.empty(); ++parent) {
            if (found_.states >= states_max) {
                found_.exhausted = false;
                break;
            }
            const World world = std::move(frontier_.front());
            frontier_.pop_front();
            std::uint16_t move = 0;
            for_each_move(run_, world, [&](World&& next, const Move&) {
                note(std::move(next), {parent, move});
                ++move;
            });
        }
        return found_;
    }

  private:
    void note(World&& world, const Origin& origin) {
        if (!found_.broken.empty()) {
            return;
        }
        key_.clear();
        write_key(run_, world, key_);
        if (!visited_.insert(print_of(key_)) && world.broken.empty()) {
            return;
        }
        ++found_.states;
        found_.overlaps += world.overlap ? 1 : 0;
        found_.served += std::any_of(world.nodes.begin(), world.nodes.end(),
                                     [](const auto& node) { return node->speaks(); })
                             ? 1
                             : 0;
        origins_.push_back(origin);
        if (!world.broken.empty()) {
            found_.broken = world.broken;
            tell();
        }
        frontier_.push_back(std::move(world));
    }

    void tell() {
        std::vector<std::uint16_t> path;
        for (std::uint32_t at = static_cast<std::uint32_t>(origins_.size() - 1); at != 0;
             at = origins_[at].parent) {
            path.push_back(origins_[at].move);
        }
        std::reverse(path.begin(), path.end());
        World world = first_world(run_);
        for (const std::uint16_t wanted : path) {
            std::uint16_t move = 0;
            World reached;
            for_each_move(run_, world, [&](World&& next, const Move& made) {
                if (move++ == wanted) {
                    found_.moves.push_back(describe(world, made));
                    reached = std::move(next);
                }
            });
            world = std::move(reached);
        }
    }

    const Run& run_;
    Found found_;
    Visited visited_;
    std::vector<Origin> origins_;
    std::deque<World> frontier_;
    std::string key_;
};

}  // namespace

Found explore(const Run& run, std::uint64_t states_max) {
    return Explorer(run).explore(states_max);
}

}  // namespace vpnha::checker
