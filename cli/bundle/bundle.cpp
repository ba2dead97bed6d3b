// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/bundle/bundle.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <sstream>
#include <utility>

#include "cli/completion.hpp"
#include "cli/doctor.hpp"
#include "cli/events.hpp"
#include "cli/json_text.hpp"
#include "cli/table.hpp"
#include "host/os/program_output.hpp"
#include "host/os/text_file.hpp"
#include "host/os/utc.hpp"
#include "host/pacemaker/cib.hpp"
#include "protocols/tables.hpp"
#include "vpnha/configuration.hpp"
#include "vpnha/version.hpp"

namespace vpnha::cli::bundle {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kCorosyncConf = "/etc/corosync/corosync.conf";
constexpr const char* kCrmMon = "/usr/sbin/crm_mon";
constexpr const char* kDpkgQuery = "/usr/bin/dpkg-query";
constexpr const char* kJournalctl = "/usr/bin/journalctl";
// Some hours of a node with many events.
constexpr const char* kJournalLines = "--lines=10000";
constexpr std::chrono::seconds kPatience{20};

Result<std::string> output(const std::vector<std::string>& words) {
    return adapters::output_of(words, kPatience, adapters::ErrorOutput::dropped);
}

Result<std::string> answer(const Ask& ask, const char* verb) {
    VPNHA_TRY(const json given, ask(verb, json::object()));
    return json_text(given, 2) + "\n";
}

// A JSON object a line, as `vpnha events --json`.
Result<std::string> events(const Ask& ask) try {
    std::string text;
    EventsRead read;
    for (bool is_more = true; is_more;) {
        VPNHA_TRY(is_more, read_events(read, ask, [&text](const json& event) {
                      text += json_text(event) + "\n";
                  }));
    }
    return text;
} catch (const json::exception& error) {
    return tl::unexpected(other_version(error));
}

Result<std::string> file(const char* path) {
    const std::string text = adapters::read_text(path);
    return text.empty() ? fail(Errc::not_found, fmt::format("{} cannot be read", path))
                        : Result<std::string>(text);
}

std::string doctor() {
    std::ostringstream text;
    static_cast<void>(examine(kConfigurationPath, false, text, text));
    return text.str();
}

std::string host_name() {
    utsname host{};
    return ::uname(&host) == 0 ? host.nodename : "";
}

Result<std::string> versions() {
    utsname host{};
    static_cast<void>(::uname(&host));
    VPNHA_TRY(const std::string packages, output({kDpkgQuery, "--show"}));
    return fmt::format("vpnha\t{}\nkernel\t{} {}\n{}", version(), host.release, host.version,
                       packages);
}

std::vector<Part> all_parts(const Ask& ask) {
    return {
        {"versions.txt", versions()},
        {"vpnha.toml", effective_configuration(kConfigurationPath)},
        {"corosync.conf", file(kCorosyncConf)},
        {"status.json", answer(ask, "status")},
        {"gate.json", answer(ask, "gate")},
        {"plan.json", answer(ask, "plan")},
        {"events.jsonl", events(ask)},
        {"doctor.txt", doctor()},
        {"cib.xml", output({adapters::kCibadmin, "--query", "--local"})},
        {"crm_mon.xml", output({kCrmMon, "--output-as=xml"})},
        {"journal.txt", output({kJournalctl, "--quiet", "--no-pager", "--output=short-iso-precise",
                                kJournalLines, "--unit=vpnhad.service"})},
    };
}

// By the file's name.
Form form_of(const fs::path& path) {
    const std::string name = path.filename();
    return name.ends_with("secrets")                                 ? Form::third_word
           : name == "servers"                                       ? Form::second_word
           : name.ends_with(".secret") || path.extension() == ".key" ? Form::whole_line
                                                                     : Form::named;
}

// The usual places, and those that the configuration names.
std::vector<SecretPlace> secret_places() {
    std::vector<SecretPlace> places;
    for (const char* directory : {"/etc/ppp", "/etc/radcli", "/etc/radiusclient", "/etc/swanctl",
                                  "/etc/strongswan.d", "/etc/vpnha", "/etc/vpnha-witness"}) {
        places.push_back({directory});
    }
    if (const auto config = config::load(kConfigurationPath)) {
        places.push_back({config->radius.secret_file, Form::whole_line});
        for (const config::Gateway& gateway : config->gateways) {
            for (const config::Facts& facts : gateway.protocols.facts()) {
                for (const config::ComparedFile& each : facts.files) {
                    places.push_back({each.path, each.what == "secrets" ? Form::third_word
                                                                        : form_of(each.path)});
                }
            }
        }
    }
    return places;
}

}  // namespace

Result<Redaction> learn(const std::vector<SecretPlace>& places) {
    Redaction redaction;
    const auto learn_file = [&redaction](const fs::path& path, Form form) -> Result<void> {
        VPNHA_TRY(auto file, adapters::SecretFile::read(path));
        if (file) {
            redaction.learn(std::move(*file), form);
        }
        return {};
    };
    for (const SecretPlace& place : places) {
        std::error_code error;
        if (!fs::is_directory(place.path, error)) {
            VPNHA_CHECK(learn_file(place.path, place.form));
            continue;
        }
        for (const fs::directory_entry& each :
             fs::recursive_directory_iterator(place.path, error)) {
            if (each.is_regular_file(error)) {
                VPNHA_CHECK(learn_file(each.path(), form_of(each.path())));
            }
        }
    }
    return redaction;
}

Result<std::string> write_parts(const fs::path& directory, std::vector<Part> parts,
                                const Redaction& redaction) {
    if (::mkdir(directory.c_str(), S_IRWXU) != 0) {
        return tl::unexpected(system_error("cannot make " + directory.string(), errno));
    }
    std::string missing;
    for (Part& part : parts) {
        if (part.text && part.name.ends_with(".xml")) {
            part.text = redaction.xml(*part.text);
        } else if (part.text) {
            part.text = redaction.text(*part.text);
        }
        if (part.text) {
            VPNHA_CHECK(adapters::write_text(directory / part.name, *part.text));
        } else {
            missing += fmt::format("{}: {}\n", part.name, part.text.error().detail);
        }
    }
    missing = redaction.text(missing);
    if (!missing.empty()) {
        VPNHA_CHECK(adapters::write_text(directory / "missing.txt", missing));
    }
    return missing;
}

ExitCode write_report(const Order& order, const SwitchoverPorts& ports) {
    if (::geteuid() != 0) {
        return report({Errc::permission,
                       "only root can make a report: nobody else reads the files of secrets, "
                       "whose values are taken out of it"},
                      ports.err);
    }
    // "2026-11-20T094611": tar takes the text before a colon for a host.
    std::string time = adapters::utc_s(adapters::unix_us_now());
    time.pop_back();
    std::erase(time, ':');
    const std::string directory = order.directory.empty()
                                      ? fmt::format("vpnha-report-{}-{}", host_name(), time)
                                      : order.directory;
    const Result<Redaction> redaction = learn(secret_places());
    if (!redaction) {
        return report(redaction.error(), ports.err);
    }
    const auto missing = write_parts(directory, all_parts(ports.ask), *redaction);
    if (!missing) {
        return report(missing.error(), ports.err);
    }
    ports.print("{}: look through it before you pass it on", printable(directory));
    if (!missing->empty()) {
        ports.out << "not in it:\n" << *missing;
    }
    return ExitCode::ok;
}

void add_report(CLI::App& app, const std::function<void(const Order&)>& ordered) {
    const auto order = std::make_shared<Order>();
    CLI::App* const verb = app.add_subcommand(
        "report", "A directory for a report of a bug: states, logs, no secrets; root only");
    verb->add_option("--output", order->directory, "It is made; by default vpnha-report-HOST-TIME")
        ->type_name(kFileType);
    verb->callback([order, ordered] { ordered(*order); });
}

}  // namespace vpnha::cli::bundle
