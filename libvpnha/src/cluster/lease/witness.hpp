// SPDX-License-Identifier: GPL-2.0-or-later
// The vote of a witness on one gateway: an engine that is never promoted, and its disk. Pure.
//
// It has no configuration of nodes. It asks nodes that have sent to it for their memory (13), and
// takes over their list: a list without the witness does not need its own forgotten votes.
//
//  18  It saves ahead. By the file it has granted numbers up to N + 2, to anybody. So a grant
//      of such a number waits for no disk: the file is written again after the answer. A list, a
//      mark or an order waits for it. After a crash everything up to N + 2 counts as granted: such
//      epochs are refused, and the real grants are not known. A clean end leaves exact values.
//
//   file \ start     | after a clean end | after any other end
//   -----------------+-------------------+---------------------------------------------------
//   exact            | its values        | its values: nothing was granted without a new file
//   ahead            | XXX               | N + 3 was granted to nobody
//   none             | has no memory     | has no memory
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "cluster/lease/engine.hpp"

namespace vpnha::lease {

class Witness {
  public:
    struct File {
        Durable durable;
        bool ahead = false;
        friend bool operator==(const File&, const File&) = default;
    };
    struct Save {
        File file;
        std::uint64_t ticket = 0;
    };
    // To be saved one after the other, and to be sent now.
    struct Orders {
        std::vector<Save> saves;
        std::vector<Send> sends;
    };

    // `self`: kWitness; its boot id and instance are random numbers of this start. `file`: nullopt:
    // there is none.
    Witness(const Sender& self, const Timing& timing, const std::optional<File>& file,
            TimePoint now);

    // Authentic, not replayed, and of a node.
    [[nodiscard]] Orders on_message(const Sender& sender, const Message& message, TimePoint now);
    // next_deadline() has come; harmless when it has not.
    [[nodiscard]] Orders on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;
    // The result of the save with that ticket, and of those before it.
    [[nodiscard]] Orders on_saved(std::uint64_t ticket, bool succeeded, TimePoint now);
    // To be saved last, by a clean end: nothing is sent after it. nullopt: nothing was ever saved,
    // and nothing is to be.
    [[nodiscard]] std::optional<File> last_file() const;

    [[nodiscard]] const Engine& engine() const { return engine_; }
    [[nodiscard]] bool saves() const { return engine_.state().saves; }
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  private:
    struct Waiting {
        std::uint64_t ticket = 0;
        Send send;
    };
    struct Unsaved {
        std::uint64_t ticket = 0;
        File file;
    };

    void note_sender(NodeId node, Orders& orders, TimePoint now);
    void take(Effects&& effects, Orders& orders);
    void save(Orders& orders);
    // This witness's messages stay true after any end.
    [[nodiscard]] bool is_covered() const;

    Engine engine_;
    std::vector<NodeId> received_;  // Nodes, the last one at the end.
    std::optional<File> on_disk_;
    Durable newest_;
    std::deque<Unsaved> unsaved_;
    std::deque<Waiting> waiting_;
    std::uint64_t tickets_ = 0;
    // The next save if nothing else needs one: when the disk was not tried for long, and after a
    // start, late enough that repeated crashes use up no numbers.
    std::optional<TimePoint> save_at_;
};

}  // namespace vpnha::lease
