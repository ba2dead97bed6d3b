// SPDX-License-Identifier: GPL-2.0-or-later
// One member of a group that is measured; tests/bench/run starts one in each node. The writer tells
// what it does in lines of JSON; a standby says what it holds when it is complete, and when it
// ends, which it does when the writer has left.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <map>
#include <string>
#include <utility>

#include "load.hpp"
#include "party.hpp"

namespace {

using vpnha::bench::emit;
using vpnha::bench::Load;
using vpnha::bench::LoadOptions;
using vpnha::bench::Mode;
using vpnha::bench::Party;

struct Options {
    bool writer = false;
    bool plain = false;
    bool ike = false;
    LoadOptions load;
};

void parse(CLI::App& app, Options& options, int argc, char** argv) {
    static const std::map<std::string, Mode> kModes = {
        {"flood", Mode::flood}, {"paced", Mode::paced}, {"join", Mode::join}};
    double seconds = 5;
    app.add_flag("--writer", options.writer, "Publish and measure; otherwise a standby");
    app.add_flag("--plain", options.plain, "One message a record, instead of the replica");
    app.add_flag("--ike", options.ike,
                 "Records of IKE SAs, three each; otherwise of L2TP sessions");
    app.add_option("--mode", options.load.mode)->transform(CLI::CheckedTransformer(kModes));
    app.add_option("--members", options.load.members, "To wait for");
    app.add_option("--records", options.load.records);
    app.add_option("--rate", options.load.rate, "Updates a second, paced and join");
    app.add_option("--seconds", seconds);
    app.parse(argc, argv);
    options.load.length =
        std::chrono::duration_cast<vpnha::Duration>(std::chrono::duration<double>(seconds));
}

int serve(const Options& options) {
    vpnha::adapters::QbLoop loop;
    loop.on_signal(SIGTERM, [&loop] { loop.stop(); });
    Load load(loop, options.load);
    std::unique_ptr<Party> party;
    bool lost = false;
    bool emitted_complete = false;
    const Party::Hooks hooks = {
        [&] {
            if (options.writer) {
                load.on_news();
                return;
            }
            if (party == nullptr) {
                return;
            }
            if (party->is_complete() && !std::exchange(emitted_complete, true)) {
                emit({{"event", "complete"}, {"contents", json_of(party->contents())}});
            }
            if (party->writer_left()) {
                loop.stop();
            }
        },
        [&](const std::set<vpnha::NodeId>& members) { load.on_members(members); },
        [&] {
            lost = true;
            loop.stop();
        }};
    party = options.plain ? join_plain(loop, hooks)
                          : join_replica(loop, hooks,
                                         options.ike ? vpnha::bench::kIkeRecords
                                                     : vpnha::bench::kSessionRecords);
    if (party == nullptr) {
        return 1;
    }
    if (options.writer) {
        load.start(*party);
    }
    loop.run();
    if (!options.writer) {
        emit({{"event", "end"}, {"contents", json_of(party->contents())}});
    }
    return lost || load.finished() != options.writer ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("One member of a group that is measured");
    Options options;
    try {
        parse(app, options, argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error);
    }
    return serve(options);
}
