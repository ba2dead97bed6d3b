// SPDX-License-Identifier: GPL-2.0-or-later
#include "witness/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

namespace vpnha::witness {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kListenMax = 16;
constexpr std::int64_t kRateMin = 1'000;
constexpr std::int64_t kRateMax = 1'000'000;
constexpr std::int64_t kGrainMinMs = 10;
constexpr std::int64_t kGrainMaxMs = 200;

constexpr std::string_view kUsage =
    R"(vpnha-witness: the third vote of a pair of VPN gateways (vpnha-witness(8))

  vpnha-witness --key-file FILE --state DIRECTORY [--listen ADDRESS:PORT]...
      Votes until SIGTERM. SIGUSR1: writes what it knows to the log.
  vpnha-witness enrol --key-file FILE
      Reads the line of `vpnha witness-key` from stdin, and writes the key file.

  --key-file FILE           the witness's key of the cluster, mode 0600
  --state DIRECTORY         what the votes must remember, of this witness alone
  --listen ADDRESS:PORT     numeric, as 192.0.2.1:5421 or [2001:db8::1]:5421; up to 16 times;
                            without it port 5421 on all addresses
  --clock-rate-ppm NUMBER   as clock_rate_ppm in the nodes' vpnha.toml; 10000 unless given
  --clock-grain-ms NUMBER   as clock_grain in the nodes' vpnha.toml; 10 unless given
  --help, --version
)";

// Notes mistakes, and continues.
class Parser {
  public:
    explicit Parser(const std::vector<std::string>& arguments) : rest_(arguments) {}

    Result<Options> parse() {
        for (at_ = 0; at_ < rest_.size(); ++at_) {
            take(rest_[at_]);
        }
        const bool is_asked =
            options_.verb == Options::Verb::help || options_.verb == Options::Verb::version;
        if (!is_asked) {
            look_for_missing();
        }
        if (!errors_.empty()) {
            return fail(Errc::invalid_argument, fmt::format("{}", fmt::join(errors_, "\n")));
        }
        return std::move(options_);
    }

  private:
    void take(const std::string& argument) {
        const std::size_t equals = argument.find('=');
        const std::string name = argument.substr(0, equals);
        inline_value_ =
            equals == std::string::npos ? std::nullopt : std::optional(argument.substr(equals + 1));
        if (argument == "enrol" && at_ == 0) {
            options_.verb = Options::Verb::enrol;
        } else if (argument == "--help" || argument == "-h") {
            options_.verb = Options::Verb::help;
        } else if (argument == "--version") {
            options_.verb = Options::Verb::version;
        } else if (name == "--key-file") {
            take_once(name, options_.key_file);
        } else if (name == "--state") {
            take_once(name, options_.state);
        } else if (name == "--listen") {
            take_listen(name);
        } else if (name == "--clock-rate-ppm") {
            if (const auto number = take_number(name, kRateMin, kRateMax)) {
                options_.timing.rate_ppm = *number;
            }
        } else if (name == "--clock-grain-ms") {
            if (const auto number = take_number(name, kGrainMinMs, kGrainMaxMs)) {
                options_.timing.grain = milliseconds(*number);
            }
        } else {
            complain(fmt::format("there is no option '{}'; see vpnha-witness --help", argument));
        }
    }
    // The value after the option; nullopt: it is missing.
    std::optional<std::string> value_of(const std::string& name) {
        given_.insert(name);
        if (inline_value_) {
            return inline_value_;
        }
        if (at_ + 1 == rest_.size() || rest_[at_ + 1].starts_with("--")) {
            complain(fmt::format("{} needs a value", name));
            return std::nullopt;
        }
        return rest_[++at_];
    }
    void take_once(const std::string& name, std::string& into) {
        const bool is_again = given_.contains(name);
        const std::optional<std::string> value = value_of(name);
        if (is_again) {
            complain(fmt::format("{} is given twice; one process serves one cluster", name));
        } else if (value && value->empty()) {
            complain(fmt::format("{} needs a value that is not empty", name));
        } else if (value) {
            into = *value;
        }
    }
    void take_listen(const std::string& name) {
        const std::optional<std::string> value = value_of(name);
        if (!value) {
            return;
        }
        Result<Endpoint> endpoint = parse_endpoint(*value);
        if (!endpoint) {
            complain(fmt::format("--listen {}: {}", *value, endpoint.error().detail));
        } else if (options_.listen.size() == kListenMax) {
            complain(fmt::format("--listen {}: it may be given {} times", *value, kListenMax));
        } else {
            options_.listen.push_back(std::move(*endpoint));
        }
    }
    std::optional<std::int64_t> take_number(const std::string& name, std::int64_t min,
                                            std::int64_t max) {
        const std::optional<std::string> value = value_of(name);
        if (!value) {
            return std::nullopt;
        }
        std::int64_t number = 0;
        const char* const end = value->data() + value->size();
        const auto [stop, error] = std::from_chars(value->data(), end, number);
        if (error != std::errc{} || stop != end || number < min || number > max) {
            complain(fmt::format("{} {}: it is a number from {} to {}", name, *value, min, max));
            return std::nullopt;
        }
        return number;
    }
    void look_for_missing() {
        const bool runs = options_.verb == Options::Verb::run;
        if (!given_.contains("--key-file")) {
            complain("--key-file FILE is missing");
        }
        if (runs && !given_.contains("--state")) {
            complain("--state DIRECTORY is missing");
        }
        for (const std::string& name : given_) {
            if (!runs && name != "--key-file") {
                complain(fmt::format("enrol takes no {}", name));
            }
        }
    }
    void complain(std::string what) { errors_.push_back(std::move(what)); }

    const std::vector<std::string>& rest_;
    std::size_t at_ = 0;
    std::optional<std::string> inline_value_;  // Of --name=value.
    std::set<std::string> given_;
    std::vector<std::string> errors_;
    Options options_;
};

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments) {
    return Parser(arguments).parse();
}

std::string_view usage() {
    return kUsage;
}

}  // namespace vpnha::witness
