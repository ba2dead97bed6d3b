// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/config_verbs.hpp"

#include <unistd.h>

#include <memory>
#include <ostream>
#include <string>

#include "cli/doctor.hpp"
#include "cli/keys_view.hpp"
#include "cli/tuning_view.hpp"
#include "vpnha/configuration.hpp"
#include "vpnha/tuning.hpp"

namespace vpnha::cli {

namespace {

struct Given {
    std::string path = kConfigurationPath;
    bool as_roff = false;
    bool as_sysctl = false;
    bool as_markdown = false;
};

ExitCode show(const std::string& path, const ConfigOutput& output) {
    const Result<std::string> text = effective_configuration(path);
    output.out << text.value_or("");
    return text ? ExitCode::ok : report(text.error(), output.err);
}

}  // namespace

void add_config(CLI::App& app, const std::function<void(ConfigVerb)>& ordered) {
    const auto given = std::make_shared<Given>();
    const auto prints = [ordered](std::function<std::string(bool use_colour)> text) {
        ordered([text = std::move(text)](const ConfigOutput& output) {
            output.out << text(output.use_colour);
            return ExitCode::ok;
        });
    };
    CLI::App* const config = app.add_subcommand("config", "The configuration file");
    config->require_subcommand(1);
    CLI::App* const all = config->add_subcommand("show", "Every key with the value in force");
    all->add_option("FILE", given->path, "The file")->capture_default_str();
    all->callback([given, ordered] {
        ordered([given](const ConfigOutput& output) { return show(given->path, output); });
    });
    config->add_subcommand("example", "A file to start from")->callback([prints] {
        prints([](bool) { return configuration_example(); });
    });
    CLI::App* const keys = config->add_subcommand("keys", "All keys, their types and defaults");
    keys->add_flag("--roff", given->as_roff, "As the section KEYS of vpnha.toml(5)");
    keys->callback([given, prints] {
        prints([given](bool use_colour) {
            return given->as_roff ? configuration_manual() : render_keys(use_colour);
        });
    });
    CLI::App* const tuning =
        config->add_subcommand("tuning", "What a gateway wants of a node's kernel and limits");
    CLI::Option* const as_sysctl =
        tuning->add_flag("--sysctl", given->as_sysctl, "As a file for /etc/sysctl.d");
    tuning->add_flag("--markdown", given->as_markdown, "As the table of docs/operate/tuning.md")
        ->excludes(as_sysctl);
    tuning->callback([given, prints] {
        prints([given](bool use_colour) {
            return given->as_sysctl     ? tuning_sysctls()
                   : given->as_markdown ? tuning_manual()
                                        : render_tuning(use_colour);
        });
    });
}

void add_doctor(CLI::App& app, const std::function<void(ConfigVerb)>& ordered) {
    const auto path = std::make_shared<std::string>(kConfigurationPath);
    const auto as_json = std::make_shared<bool>(false);
    CLI::App* const verb = app.add_subcommand(
        "doctor", "Looks at the configuration, this machine and the cluster, with what to mend");
    verb->add_option("FILE", *path, "The configuration file")->capture_default_str();
    verb->add_flag("--json", *as_json, "As JSON");
    verb->callback([path, as_json, ordered] {
        ordered([path, as_json](const ConfigOutput& output) {
            return examine(*path, *as_json, output.out, output.err);
        });
    });
}

void add_witness_key(CLI::App& app, const std::function<void(ConfigVerb)>& ordered) {
    const auto path = std::make_shared<std::string>(kConfigurationPath);
    CLI::App* const verb = app.add_subcommand(
        "witness-key", "Prints the secret that vpnha-witness is enrolled with; root only");
    verb->add_option("FILE", *path, "The configuration file")->capture_default_str();
    verb->callback([path, ordered] {
        ordered([path](const ConfigOutput& output) {
            const Result<void> written = write_witness_key(*path, STDOUT_FILENO);
            return written ? ExitCode::ok : report(written.error(), output.err);
        });
    });
}

}  // namespace vpnha::cli
