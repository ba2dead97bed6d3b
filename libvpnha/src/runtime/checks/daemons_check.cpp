// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/checks/daemons_check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <utility>

#include "adapters/os/text_file.hpp"
#include "adapters/services/pptpd_service.hpp"
#include "adapters/services/xl2tpd_service.hpp"

namespace vpnha::runtime {

namespace {

// pppd has no bound; a file that includes itself ends somewhere.
constexpr unsigned kDepthMax = 8;

// Words as pppd reads them (options.c, getword()): a comment begins with a word, quotes keep what
// is within them together, and a backslash keeps the next character.
std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    std::optional<std::string> word;
    char quote = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\\' && at + 1 < text.size()) {
            ++at;
            if (text[at] != '\n') {
                word = word.value_or("") + text[at];
            }
        } else if (quote != 0 ? c == quote : c == '"' || c == '\'') {
            quote = quote != 0 ? '\0' : c;
            word = word.value_or("");
        } else if (quote == 0 && std::isspace(static_cast<unsigned char>(c)) != 0) {
            if (word) {
                words.push_back(std::move(*word));
            }
            word.reset();
        } else if (c == '#' && quote == 0 && !word) {
            at = std::min(text.find('\n', at), text.size());
        } else {
            word = word.value_or("") + c;
        }
    }
    if (word) {
        words.push_back(std::move(*word));
    }
    return words;
}

struct PluginOptions {
    bool has_plugin = false;
    std::string gateway{};  // The last one counts.
};

void read_options(const std::string& file, const DaemonPlaces& places, unsigned depth,
                  PluginOptions& found) {
    const std::vector<std::string> words = words_of(adapters::read_text(file));
    for (std::size_t at = 0; at + 1 < words.size(); ++at) {
        const std::string& value = words[at + 1];
        if (words[at] == "plugin") {
            found.has_plugin |= std::filesystem::path(value).filename() == "vpnha.so";
        } else if (words[at] == "vpnha_gateway") {
            found.gateway = value;
        } else if (depth < kDepthMax && words[at] == "file") {
            read_options(value, places, depth + 1, found);
        } else if (depth < kDepthMax && words[at] == "call") {
            read_options(places.ppp + "/peers/" + value, places, depth + 1, found);
        }
    }
}

class StockLook {
  public:
    StockLook(const config::Gateway& gateway, const DaemonPlaces& places, DaemonsCheck& check)
        : gateway_(gateway), places_(places), check_(check) {}

    void look_at_options(const char* daemon, const std::string& file) {
        if (::access(file.c_str(), R_OK) != 0) {
            check_.unread.push_back(
                fmt::format("gateway {}: {} of {}", gateway_.name, file, daemon));
            return;
        }
        PluginOptions found;
        read_options(places_.ppp + "/options", places_, 0, found);
        read_options(file, places_, 0, found);
        if (!found.has_plugin) {
            add(
                fmt::format("{} has no 'plugin vpnha.so', so vpnhad hears of no session of {}; "
                            "add it, with 'vpnha_gateway {}'",
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

    // As its agent started it.
    void look_at_daemon(const adapters::StockKind& kind, std::uint16_t port,
                        const std::string& options) {
        const auto started =
            adapters::StockService(kind, gateway_.name, places_.run_root).read_started();
        if (!started) {
            return;
        }
        const std::string listen =
            started->fact("listen") + (port == 0 ? "" : ":" + started->fact("port"));
        const Ipv4Address dialled = gateway_.dialled_address();
        const std::string wanted =
            port == 0 ? to_string(dialled) : to_string(Ipv4Endpoint{dialled, port});
        if (listen != wanted) {
            add(
                fmt::format("{} listens at {}, and sessions are recorded with {}, where no client "
                            "reaches the next node; give both files one address and port",
                            kind.name, listen, wanted));
        }
        const std::vector<std::string> files = started->facts_of("options_file");
        if (!files.empty() && std::find(files.begin(), files.end(), options) == files.end()) {
            add(
                fmt::format("{} starts pppd with {}, and ppp_options is {}, so neither this check "
                            "nor the nodes compare what is in force; name the same file",
                            kind.name, fmt::join(files, ", "), options));
        }
    }

  private:
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
        if (gateway.l2tp) {
            look.look_at_options("xl2tpd", gateway.l2tp->ppp_options);
            look.look_at_daemon(adapters::xl2tpd_kind(), gateway.l2tp->port,
                                gateway.l2tp->ppp_options);
        }
        if (gateway.pptp) {
            look.look_at_options("pptpd", gateway.pptp->ppp_options);
            look.look_at_daemon(adapters::pptpd_kind(), 0, gateway.pptp->ppp_options);
        }
    }
    return check;
}

}  // namespace vpnha::runtime
