// SPDX-License-Identifier: GPL-2.0-or-later
// announce-prefixes DIRECTORY: looks whether the gate of a gateway is open on this node, each
// 100 ms and for ever. While it is, the prefixes of a resource ocf:vpnha:announce, which DIRECTORY
// remembers, are on their device, and its command is repeated. The agent starts it, and its stop
// kills it.
//
// The gate and nothing else says who serves: its deadline is the lease's, so it is shut when vpnhad
// hangs or is dead, and open where a standby stands in before Pacemaker knows.
#include <syslog.h>

#include <cstdio>
#include <string>
#include <thread>

#include "announce/announce_settings.hpp"
#include "host/addresses/announced_prefixes.hpp"
#include "host/gate/gate_silence.hpp"
#include "host/os/boot_clock.hpp"
#include "host/os/network_descriptor.hpp"
#include "host/os/process.hpp"
#include "host/os/text_file.hpp"
#include "host/services/repeated_command.hpp"
#include "protocols/tables.hpp"

namespace vpnha::agents {

namespace {

constexpr std::chrono::milliseconds kTurn{100};

// What it does and what it cannot do: to the log and to the monitor, when it changes.
class Report {
  public:
    explicit Report(std::string file) : file_(std::move(file)) {}

    void served(bool is_served, const std::string& gateway) {
        if (is_served != is_served_) {
            is_served_ = is_served;
            ::syslog(LOG_NOTICE, "gateway %s is %s here: %s", gateway.c_str(),
                     is_served ? "served" : "not served any more",
                     is_served ? "announced" : "withdrawn");
        }
    }
    void trouble(const std::string& text) {
        if (text != trouble_) {
            trouble_ = text;
            static_cast<void>(adapters::replace_text(file_, text));
            if (!text.empty()) {
                ::syslog(LOG_ERR, "%s", text.c_str());
            }
        }
    }

  private:
    std::string file_;
    std::string trouble_;
    bool is_served_ = false;
};

Result<void> follow_gate(const std::string& directory) {
    const auto settings =
        AnnounceSettings::of_text(adapters::read_text(directory + kAnnounceStarted));
    if (!settings) {
        return fail(Errc::not_found, directory + " has no settings");
    }
    VPNHA_TRY(const config::Config config, config::load(settings->config));
    const config::Gateway* const gateway = config.find(settings->gateway);
    if (gateway == nullptr) {
        return fail(Errc::not_found, "no gateway '" + settings->gateway + "' in the configuration");
    }
    VPNHA_TRY(const auto network, adapters::NetworkNamespace::open(gateway->netns));
    const auto open = [&] {
        const adapters::InNetwork within(network);
        return std::pair(adapters::GateLook::create(*gateway), adapters::RouteNetlink::open());
    };
    auto [look, route] = open();
    if (!look || !route) {
        return tl::unexpected(look ? route.error() : look.error());
    }
    adapters::AnnouncedPrefixes prefixes(std::move(*route), settings->interface,
                                         settings->prefixes);
    adapters::RepeatedCommand command(settings->command, {});
    Report report(directory + kAnnounceTrouble);
    for (;;) {
        bool is_served = false;
        std::string trouble;
        {
            const adapters::InNetwork within(network);
            const auto seen = look->is_open();
            // What cannot be seen is not announced.
            is_served = seen.value_or(false);
            const auto done = prefixes.turn(is_served, adapters::boot_time());
            trouble = !seen ? seen.error().detail : !done ? done.error().detail : "";
        }
        // In the host's own network: an API is not behind the gateway's.
        command.turn(is_served, adapters::boot_time());
        report.served(is_served, settings->gateway);
        report.trouble(trouble.empty() ? command.failure() : trouble);
        std::this_thread::sleep_for(kTurn);
    }
}

}  // namespace

}  // namespace vpnha::agents

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "Usage: announce-prefixes DIRECTORY\n");
        return 2;
    }
    ::openlog("vpnha-announce", LOG_PID, LOG_DAEMON);
    // Both help where the node is short of what they keep; neither is needed.
    static_cast<void>(vpnha::adapters::prefer_this_process());
    static_cast<void>(vpnha::adapters::lock_memory());
    const auto ended = vpnha::agents::follow_gate(argv[1]);
    ::syslog(LOG_ERR, "%s", ended.error().detail.c_str());
    std::fprintf(stderr, "announce-prefixes: %s\n", ended.error().detail.c_str());
    return 1;
}
