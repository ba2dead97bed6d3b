// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/service/xl2tpd_service_config.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::uint16_t kL2tpPort = 1701;
// fgets() with a buffer of 1024: the rest of a line is read as another line.
constexpr std::size_t kLineBytesMax = 1023;

enum Context : unsigned { none = 0, global = 1, lns = 2, lac = 4, both = lns | lac };
enum class Value : std::uint8_t { any, flag };

struct Option {
    std::string_view name;
    unsigned contexts;
    Value value;
};

// words[] of file.c, with the values that its functions accept.
constexpr std::array kOptions{
    Option{"listen-addr", global, Value::any},
    Option{"port", global, Value::any},
    Option{"saref refinfo", global, Value::any},
    Option{"rand source", global, Value::any},
    Option{"auth file", global, Value::any},
    Option{"exclusive", lns, Value::flag},
    Option{"autodial", lac, Value::flag},
    Option{"redial", lac, Value::flag},
    Option{"redial timeout", lac, Value::any},
    Option{"lns", lac, Value::any},
    Option{"max redials", lac, Value::any},
    Option{"access control", global, Value::flag},
    Option{"force userspace", global, Value::flag},
    Option{"ip range", lns, Value::any},
    Option{"no ip range", lns, Value::any},
    Option{"debug avp", global, Value::flag},
    Option{"debug network", global, Value::flag},
    Option{"debug packet", global, Value::flag},
    Option{"debug tunnel", global, Value::flag},
    Option{"debug state", global, Value::flag},
    Option{"ipsec saref", global, Value::flag},
    Option{"lac", lns, Value::any},
    Option{"no lac", lns, Value::any},
    Option{"assign ip", lns, Value::flag},
    Option{"local ip", both, Value::any},
    Option{"local ip range", lns, Value::any},
    Option{"remote ip", lac, Value::any},
    Option{"defaultroute", lac, Value::flag},
    Option{"length bit", both, Value::flag},
    Option{"hidden bit", both, Value::flag},
    Option{"require pap", both, Value::flag},
    Option{"require chap", both, Value::flag},
    Option{"require authentication", both, Value::flag},
    Option{"require auth", both, Value::flag},
    Option{"refuse pap", both, Value::flag},
    Option{"refuse chap", both, Value::flag},
    Option{"refuse authentication", both, Value::flag},
    Option{"refuse auth", both, Value::flag},
    Option{"unix authentication", lns, Value::flag},
    Option{"unix auth", lns, Value::flag},
    Option{"name", both, Value::any},
    Option{"hostname", both, Value::any},
    Option{"ppp debug", both, Value::flag},
    Option{"pass peer", both, Value::flag},
    Option{"pppoptfile", both, Value::any},
    Option{"call rws", both, Value::any},
    Option{"tunnel rws", both, Value::any},
    Option{"flow bit", both, Value::flag},
    Option{"challenge", both, Value::flag},
    Option{"tx bps", both, Value::any},
    Option{"rx bps", both, Value::any},
    Option{"bps", both, Value::any},
    Option{"max retries", global, Value::any},
    Option{"cap backoff", global, Value::any},
};

// xl2tpd compares a char with 33: where that is signed, octets from 128 on are blanks as well.
bool is_blank(char octet) {
    return octet < 33;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

// nullopt: xl2tpd refuses such a value.
std::optional<bool> parse_flag(std::string_view text) {
    const std::string low = lowered(text);
    if (low == "yes" || low == "y" || low == "true") {
        return true;
    }
    return low == "no" || low == "n" || low == "false" ? std::optional(false) : std::nullopt;
}

class Reader {
  public:
    explicit Reader(std::string_view file_name) : file_name_(file_name) {}

    Result<Xl2tpdConfig> read(std::string_view text) {
        bool in_comment = false;
        while (!text.empty()) {
            const std::size_t end = std::min(text.find('\n'), text.size() - 1);
            std::string_view line = text.substr(0, std::min(end + 1, kLineBytesMax));
            text.remove_prefix(line.size());
            const bool is_whole = line.back() == '\n';
            if (in_comment) {
                in_comment = !is_whole;
                continue;
            }
            ++line_;
            const std::size_t comment = line.find(';');
            in_comment = comment != std::string_view::npos && !is_whole;
            line = trimmed(line.substr(0, comment));
            if (!line.empty()) {
                VPNHA_CHECK(line.front() == '[' ? begin_section(line) : read_option(line));
            }
        }
        return finished();
    }

  private:
    // An lns or a lac: its kind and name.
    using Section = std::pair<Context, std::string>;

    [[nodiscard]] tl::unexpected<Error> refused(const std::string& why) const {
        return fail(Errc::invalid_config, fmt::format("{}: line {}: {}", file_name_, line_, why));
    }

    Result<void> begin_section(std::string_view line) {
        const std::size_t end = line.find(']');
        if (end == std::string_view::npos) {
            return refused("a section has no ']'");
        }
        line = line.substr(1, end - 1);
        const std::size_t blank = std::min(line.find(' '), line.size());
        const std::string kind = lowered(line.substr(0, blank));
        if (kind == "global") {
            context_ = global;
            return {};
        }
        if (kind != "lns" && kind != "lac") {
            return refused(fmt::format("there is no section '{}'", line));
        }
        context_ = kind == "lns" ? lns : lac;
        // One without a name is a new one each time.
        section_ = {context_, blank < line.size() ? lowered(line.substr(blank))
                                                  : fmt::format("without a name, {}", line_)};
        sections_.try_emplace(section_);
        return {};
    }

    Result<void> read_option(std::string_view line) {
        if (context_ == none) {
            return refused("no section begins before it");
        }
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) {
            return refused("there is no '=', and a comment begins with ';'");
        }
        const std::string name = lowered(trimmed(line.substr(0, equals)));
        const std::string value(trimmed(line.substr(equals + 1)));
        const auto* const option =
            std::find_if(kOptions.begin(), kOptions.end(),
                         [&name](const Option& each) { return each.name == name; });
        if (option == kOptions.end()) {
            return refused(fmt::format("xl2tpd knows no option '{}'", name));
        }
        if ((option->contexts & context_) == 0) {
            return refused(fmt::format("'{}' is no option of this section", name));
        }
        const std::optional<bool> flag = parse_flag(value);
        if (option->value == Value::flag && !flag) {
            return refused(fmt::format("'{}' is 'yes' or 'no'", name));
        }
        return take(name, value, flag.value_or(false));
    }

    Result<void> take(const std::string& name, const std::string& value, bool flag) {
        if (name == "listen-addr") {
            return take_address(value);
        }
        if (name == "port") {
            return take_port(value);
        }
        if (name == "pppoptfile") {
            if (value.size() > kXl2tpdFileNameBytesMax) {
                return refused(fmt::format("xl2tpd accepts no file name of more than {} characters",
                                           kXl2tpdFileNameBytesMax));
            }
        }
        if (context_ != global) {
            sections_.at(section_).take(name, value, flag);
        }
        if (name == "force userspace") {
            forces_user_space_ = flag;
        }
        if (name == "local ip range") {
            return refused(
                "with 'local ip range' each session has a local address of its own, and no standby "
                "takes it; write 'local ip', the gateway's ppp_local");
        }
        return {};
    }

    Result<void> take_address(const std::string& value) {
        in_addr address{};
        if (::inet_aton(value.c_str(), &address) == 0) {
            return refused(
                fmt::format("listen-addr = {} is no IPv4 address; write the gateway's "
                            "VIP, as a name may have another one on each node",
                            value));
        }
        config_.listen.address.value = ntohl(address.s_addr);
        return {};
    }

    // Parsed by atoi(3): text after the digits is
    // ignored, and a negative number changes nothing.
    Result<void> take_port(const std::string& value) {
        const int port = std::atoi(value.c_str());
        if (port == 0 || port > std::numeric_limits<std::uint16_t>::max()) {
            return refused(fmt::format("port = {} is no UDP port", value));
        }
        if (port > 0) {
            config_.listen.port = static_cast<std::uint16_t>(port);
        }
        return {};
    }

    Result<Xl2tpdConfig> finished() {
        if (config_.listen.address.value == 0) {
            return fail(Errc::invalid_config,
                        fmt::format("{}: no listen-addr; set it to the gateway's VIP in [global]",
                                    file_name_));
        }
        if (forces_user_space_) {
            return fail(Errc::invalid_config,
                        fmt::format("{}: with 'force userspace' the kernel has no session, and no "
                                    "gateway keeps one; take it out",
                                    file_name_));
        }
        for (auto& [section, options] : sections_) {
            const std::string& file = options.options_file;
            if (section.first == lns && file.empty()) {
                return fail(Errc::invalid_config,
                            fmt::format("{}: an [lns] has no pppoptfile, so its pppds share "
                                        "/etc/ppp/options with others; give it one",
                                        file_name_));
            }
            auto& files = config_.options_files;
            if (!file.empty() && std::find(files.begin(), files.end(), file) == files.end()) {
                files.push_back(file);
            }
            if (section.first == lns) {
                config_.lns.push_back(std::move(options));
            }
        }
        return std::move(config_);
    }

    std::string_view file_name_;
    Xl2tpdConfig config_{
        .listen = {.address = {}, .port = kL2tpPort}, .options_files = {}, .lns = {}};
    std::map<Section, Xl2tpdLns> sections_;  // Of a lac as well: it has some of the options.
    bool forces_user_space_ = false;
    Context context_ = none;
    Section section_;
    unsigned line_ = 0;
};

}  // namespace

Result<Xl2tpdConfig> parse_xl2tpd_config(std::string_view text, std::string_view file_name) {
    return Reader(file_name).read(text);
}

}  // namespace vpnha::adapters
