// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/daemons_check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "host/secrets/secret_file.hpp"
#include "protocols/gateway_services.hpp"
#include "protocols/ppp/service/ppp_options.hpp"

namespace vpnha::runtime {

namespace {

class StockLook {
  public:
    StockLook(const config::Gateway& gateway, const DaemonPlaces& places, DaemonsCheck& check)
        : gateway_(gateway), places_(places), check_(check) {}

    void look_at_options(std::string_view daemon, const std::string& file) {
        if (::access(file.c_str(), R_OK) != 0) {
            check_.unread.push_back(
                fmt::format("gateway {}: {} of {}", gateway_.name, file, daemon));
            return;
        }
        const PppOptions found = read_ppp_options(file, places_.ppp);
        if (!found.has_vpnha) {
            add(
                fmt::format("{} has no 'plugin vpnha.so', so vpnhad receives no session of {}; add "
                            "it, with 'vpnha_gateway {}'",
                            file, daemon, gateway_.name));
        } else if (found.gateway != gateway_.name) {
            add(
                fmt::format("{} has {}, so the gateway keeps no session of {}; write "
                            "'vpnha_gateway {}'",
                            file,
                            found.gateway.empty() ? "no 'vpnha_gateway'"
                                                  : "'vpnha_gateway " + found.gateway + "'",
                            daemon, gateway_.name));
        }
    }

    // By the program that reads it when the gateway is promoted.
    void look_at_file(const config::ComparedFile& file) {
        const auto read = adapters::SecretFile::read(file.path);
        if (!read || !*read) {
            check_.unread.push_back(fmt::format("gateway {}: {}", gateway_.name, file.path));
        } else if (const auto checked = file.check((*read)->content(), file.path); !checked) {
            std::istringstream lines(checked.error().detail);
            for (std::string line; std::getline(lines, line);) {
                add(line);
            }
        }
    }

    // As its agent started it.
    void look_at_network(const adapters::StockService& service) {
        const auto started = service.read_started();
        if (started && started->netns != gateway_.netns) {
            add(fmt::format(
                "{} runs in {}, and the gateway is in {}; start its resource again on "
                "this node",
                service.kind().name, words_for(started->netns), words_for(gateway_.netns)));
        }
    }

    // As above.
    void look_at_daemon(const adapters::StockService& service,
                        const std::optional<std::uint16_t>& port, const std::string& options) {
        const auto started = service.read_started();
        if (!started) {
            return;
        }
        const char* const name = service.kind().name;
        const std::string listen =
            started->fact("listen") + (port ? ":" + started->fact("port") : "");
        const Ipv4Address dialled = gateway_.dialled_address();
        const std::string wanted =
            port ? to_string(Ipv4Endpoint{dialled, *port}) : to_string(dialled);
        if (listen != wanted) {
            add(
                fmt::format("{} listens at {}, and sessions are recorded with {}, where no client "
                            "reaches the next node; give both files one address and port",
                            name, listen, wanted));
        }
        const std::vector<std::string> files = started->facts_of("options_file");
        if (!files.empty() && std::find(files.begin(), files.end(), options) == files.end()) {
            add(
                fmt::format("{} starts pppd with {}, and ppp_options is {}, so neither this check "
                            "nor the nodes compare what is in force; name the same file",
                            name, fmt::join(files, ", "), options));
        }
    }

  private:
    static std::string words_for(const std::string& netns) {
        return netns.empty() ? "the host's network namespace"
                             : fmt::format("the network namespace '{}'", netns);
    }
    void add(const std::string& what) {
        check_.wrong.push_back(fmt::format("gateway {}: {}", gateway_.name, what));
    }

    const config::Gateway& gateway_;
    const DaemonPlaces& places_;
    DaemonsCheck& check_;
};

}  // namespace

DaemonsCheck find_in_daemons(const config::Config& config, const DaemonPlaces& places) {
    DaemonsCheck check;
    for (const config::Gateway& gateway : config.gateways) {
        StockLook look(gateway, places, check);
        const std::vector<adapters::StockService> services =
            adapters::gateway_services(gateway.name, places.run_root);
        for (const adapters::StockService& service : services) {
            look.look_at_network(service);
        }
        for (const config::Facts& protocol : gateway.protocols.facts()) {
            for (const config::ComparedFile& file : protocol.files) {
                if (file.check != nullptr) {
                    look.look_at_file(file);
                }
            }
            if (protocol.ppp_options) {
                look.look_at_options(protocol.daemon, *protocol.ppp_options);
                for (const adapters::StockService& service : services) {
                    if (protocol.daemon == service.kind().name) {
                        look.look_at_daemon(service, protocol.tunnel_port, *protocol.ppp_options);
                    }
                }
            }
        }
    }
    return check;
}

}  // namespace vpnha::runtime
