// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/node_commands.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/table.hpp"

namespace vpnha::cli {

namespace {

struct Verb {
    const char* name;
    const char* help;
    const char* flag;
    const char* warning;
    const char* control_verb;
    const char* done;  // With the node's name.
};

constexpr Verb kVerbs[] = {
    {"confirm-dead", "Two nodes: the other one is off, this one continues alone; root only",
     "--it-is-off", "You have seen to it: if it lives, two nodes may serve at once", "confirm_dead",
     "node {} counts as dead until it is reachable: this node votes alone"},
    {"vote-without",
     "A node without a memory of the lease waits no more for another one's; root only",
     "--it-remembers-nothing",
     "You have seen to it: it is new, has lost its disk, or is off for good; if it serves, two "
     "nodes may serve at once",
     "vote_without", "this node no longer waits for the memory of node {}"},
};

struct Words {
    std::string node;
    bool vouched = false;  // Required, so it is never read.
};

}  // namespace

void add_node_commands(CLI::App& app, const std::function<void(const NodeCommand&)>& parsed) {
    for (const Verb& each : kVerbs) {
        const auto words = std::make_shared<Words>();
        CLI::App* const verb = app.add_subcommand(each.name, each.help);
        verb->add_option("node", words->node, "Its name or id")->required();
        verb->add_flag(each.flag, words->vouched, each.warning)->required();
        verb->callback([&each, words, parsed] {
            parsed({each.control_verb, words->node,
                    fmt::format(fmt::runtime(each.done), printable(words->node))});
        });
    }
}

}  // namespace vpnha::cli
