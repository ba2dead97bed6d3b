// SPDX-License-Identifier: GPL-2.0-or-later
#include "checker/explore.hpp"

#include <algorithm>
#include <ctime>
#include <deque>
#include <utility>

#include "checker/key.hpp"
#include "checker/liveness.hpp"
#include "checker/visited.hpp"

namespace vpnha::checker {

namespace {

// How a world was first reached.
struct Origin {
    std::uint32_t parent = 0;
    std::uint16_t move = 0;  // Which of the parent's.
};

struct Reached {
    World world;
    std::uint32_t index = 0;  // Of its origin.
    std::uint32_t depth = 0;
};

class Explorer {
  public:
    explicit Explorer(const Run& run) : run_(run), liveness_(run) {}

    Found explore(Order order, const Limits& limits) {
        note(first_world(run_), {0, 0}, 0);
        while (!frontier_.empty() && found_.broken.empty()) {
            if (found_.states >= limits.states || is_over(limits.seconds)) {
                found_.exhausted = false;
                break;
            }
            const bool nearest = order == Order::nearest_first;
            const Reached reached = std::move(nearest ? frontier_.front() : frontier_.back());
            nearest ? frontier_.pop_front() : frontier_.pop_back();
            std::uint16_t move = 0;
            for_each_move(run_, reached.world, [&](World&& next, const Move&) {
                note(std::move(next), {reached.index, move}, reached.depth + 1);
                ++move;
            });
        }
        return found_;
    }

  private:
    bool is_over(std::uint64_t seconds) {
        constexpr std::uint64_t kSeldom = 4096;  // A clock is slow to read.
        return ++looked_ % kSeldom == 0 &&
               static_cast<std::uint64_t>(std::clock() - began_) / CLOCKS_PER_SEC >= seconds;
    }

    void note(World&& world, const Origin& origin, std::uint32_t depth) {
        if (!found_.broken.empty()) {
            return;
        }
        if (!visited_.insert(key_of(run_, world)) && world.broken.empty()) {
            return;
        }
        if (world.broken.empty() && run_.liveness && world.left == Bounds{} &&
            !liveness_.can_serve(world)) {
            world.broken = "nobody can be granted the lease any more";
        }
        if (world.broken.empty() && run_.stands_in && world.left == Bounds{} &&
            !liveness_.can_stand_in(world)) {
            world.broken = "nobody stands in, and somebody could";
        }
        if (world.broken.empty() && run_.liveness && run_.bounds.rings > 0 &&
            world.left == Bounds{} && !liveness_.can_continue(world)) {
            world.broken = "a lease that has lapsed ends for good, and the voters would answer";
        }
        const auto index = static_cast<std::uint32_t>(found_.states++);
        found_.depth = std::max<std::uint64_t>(found_.depth, depth);
        found_.overlaps += world.overlap ? 1 : 0;
        found_.served += std::any_of(world.nodes.begin(), world.nodes.end(),
                                     [](const auto& node) { return node->speaks(); })
                             ? 1
                             : 0;
        origins_.push_back(origin);
        if (!world.broken.empty()) {
            found_.broken = world.broken;
            notify();
        }
        frontier_.push_back({std::move(world), index, depth});
    }

    void notify() {
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
    const std::clock_t began_ = std::clock();
    std::uint64_t looked_ = 0;
    Found found_;
    Visited visited_;
    Liveness liveness_;
    std::vector<Origin> origins_;
    std::deque<Reached> frontier_;
};

}  // namespace

Found explore(const Run& run, Order order, const Limits& limits) {
    return Explorer(run).explore(order, limits);
}

}  // namespace vpnha::checker
