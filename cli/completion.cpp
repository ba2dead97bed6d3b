// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace vpnha::cli {

namespace {

struct CommandOption {
    std::string name;  // "--columns"
    std::string help;
    std::string value;  // Its operand: "GATEWAY"; empty: none is required.
};

struct CommandNode {
    std::string path;  // " config show"; empty: the program itself.
    std::string help;
    std::vector<std::string> words;  // Of the commands below, with their help after a tab.
    std::vector<CommandOption> options;
    std::string operand;  // "FILE"
};

// Values that a shell can list: files by the type of an option, gateways by its name.
std::string value_of(const std::string& name, const CLI::Option& option) {
    if (option.get_type_name() == kFileType) {
        return "FILE";
    }
    return name == "--gateway" ? "GATEWAY" : "VALUE";
}

void add_node(const CLI::App& app, const std::string& path, std::vector<CommandNode>& nodes) {
    CommandNode node;
    node.path = path;
    node.help = app.get_description();
    for (const CLI::App* const each : app.get_subcommands({})) {
        node.words.push_back(each->get_name());
    }
    for (const CLI::Option* const each : app.get_options()) {
        if (each->get_positional()) {
            node.operand = each->get_name(true);
            continue;
        }
        for (const std::string& name : each->get_lnames()) {
            // An option with an optional value, such as --watch, is completed like a flag.
            const bool wants = each->get_items_expected_min() > 0;
            node.options.push_back({"--" + name, each->get_description(),
                                    wants ? value_of("--" + name, *each) : std::string()});
        }
    }
    const std::vector<const CLI::App*> below = app.get_subcommands({});
    nodes.push_back(std::move(node));
    for (const CLI::App* const each : below) {
        add_node(*each, path + " " + each->get_name(), nodes);
    }
}

std::vector<CommandNode> nodes_of(const CLI::App& app) {
    std::vector<CommandNode> nodes;
    add_node(app, "", nodes);
    return nodes;
}

// A command that prints the values of a name in capitals; empty: they cannot be listed.
std::string lister_of(const std::string& value) {
    if (value == "GATEWAY") {
        return R"(sed -n 's/^\[gateway\.\([^].]*\)\].*/\1/p' /etc/vpnha/vpnha.toml 2>/dev/null)";
    }
    return value == "ID" ? "vpnha sessions --columns id 2>/dev/null | sed 1d" : "";
}

std::string joined_paths(const std::vector<CommandNode>& nodes) {
    std::string paths;
    for (const CommandNode& node : nodes) {
        if (!node.path.empty()) {
            paths += fmt::format("{}\"{}\"", paths.empty() ? "" : "|", node.path);
        }
    }
    return paths;
}

// The options that require a value of that kind, each behind its command: an option of one name may
// be a flag of another command.
std::string joined_options(const std::vector<CommandNode>& nodes, const std::string& value) {
    std::vector<std::string> places;
    for (const CommandNode& node : nodes) {
        for (const CommandOption& option : node.options) {
            if (option.value == value) {
                places.push_back(fmt::format("\"{} {}\"", node.path, option.name));
            }
        }
    }
    return fmt::format("{}", fmt::join(places, "|"));
}

// Up to the first command. `text` has places for all paths, for options before a file, for options
// before a gateway, for the command that lists gateways, and for other options.
std::string begin_of(const char* text, const std::vector<CommandNode>& nodes) {
    return fmt::format(fmt::runtime(text), joined_paths(nodes), joined_options(nodes, "FILE"),
                       joined_options(nodes, "GATEWAY"), lister_of("GATEWAY"),
                       joined_options(nodes, "VALUE"));
}

constexpr const char* kHead =
    "# SPDX-License-Identifier: GPL-2.0-or-later\n"
    "# Made by vpnha completion from its own table of commands.\n";

std::string bash_of(const std::vector<CommandNode>& nodes) {
    std::string text = kHead;
    text += begin_of(
        R"sh(_vpnha() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} place= word i
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${{COMP_WORDS[i]}}
        case "$place $word" in {}) place="$place $word";; esac
    done
    case "$place $before" in
        {}) COMPREPLY=($(compgen -f -- "$cur")); return;;
        {}) COMPREPLY=($(compgen -W "$({})" -- "$cur")); return;;
        {}) return;;
    esac
    case "$place" in
)sh",
        nodes);
    for (const CommandNode& node : nodes) {
        std::string words = fmt::format("{}", fmt::join(node.words, " "));
        for (const CommandOption& option : node.options) {
            words += (words.empty() ? "" : " ") + option.name;
        }
        const std::string lister = lister_of(node.operand);
        text += fmt::format("        \"{}\") COMPREPLY=($(compgen {}-W \"{}{}\" -- \"$cur\"));;\n",
                            node.path, node.operand == "FILE" ? "-f " : "", words,
                            lister.empty() ? "" : fmt::format(" $({})", lister));
    }
    return text + "    esac\n}\ncomplete -F _vpnha vpnha\n";
}

// Escaped for single quotes, and for the text after a colon.
std::string zsh_text(std::string help) {
    std::string text;
    for (const char c : help) {
        text += c == '\''  ? std::string("'\\''")
                : c == ':' ? std::string("\\:")
                           : std::string(1, c);
    }
    return text;
}

std::string zsh_of(const std::vector<CommandNode>& nodes) {
    std::string text = "#compdef vpnha\n";
    text += kHead;
    text += begin_of(
        R"sh(_vpnha() {{
    local place= word
    local -a commands options names
    for word in $words[2,CURRENT-1]; do
        case "$place $word" in ({}) place="$place $word";; esac
    done
    case "$place $words[CURRENT-1]" in
        ({}) _files; return;;
        ({}) names=($({})); compadd -a names; return;;
        ({}) return;;
    esac
    case "$place" in
)sh",
        nodes);
    for (const CommandNode& node : nodes) {
        std::string commands;
        for (const CommandNode& below : nodes) {
            const std::size_t last = below.path.rfind(' ');
            if (last != std::string::npos && below.path.substr(0, last) == node.path) {
                commands +=
                    fmt::format(" '{}:{}'", below.path.substr(last + 1), zsh_text(below.help));
            }
        }
        std::string options;
        for (const CommandOption& option : node.options) {
            options += fmt::format(" '{}:{}'", option.name, zsh_text(option.help));
        }
        const std::string lister = lister_of(node.operand);
        text += fmt::format("        (\"{}\") commands=({}); options=({})", node.path, commands,
                            options);
        text += node.operand == "FILE" ? "; _files"
                : lister.empty()       ? ""
                                       : fmt::format("; names=($({})); compadd -a names", lister);
        text += ";;\n";
    }
    return text +
           "    esac\n"
           "    (( $#commands )) && _describe command commands\n"
           "    [[ $words[CURRENT] == -* ]] && _describe option options\n"
           "}\n"
           "_vpnha \"$@\"\n";
}

}  // namespace

std::string completion_of(const CLI::App& app, Shell shell) {
    const std::vector<CommandNode> nodes = nodes_of(app);
    return shell == Shell::bash ? bash_of(nodes) : zsh_of(nodes);
}

void add_completion(CLI::App& app, const std::function<void(Shell)>& ordered) {
    CLI::App* const verb = app.add_subcommand(
        "completion",
        "Prints a shell's completion of these commands; the package has installed it");
    verb->require_subcommand(1);
    const auto add = [&](const char* name, Shell shell) {
        verb->add_subcommand(name, fmt::format("Of {}", name))->callback([shell, ordered] {
            ordered(shell);
        });
    };
    add("bash", Shell::bash);
    add("zsh", Shell::zsh);
}

}  // namespace vpnha::cli
