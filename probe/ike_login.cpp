// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ike_login.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "host/os/process.hpp"
#include "host/os/program_output.hpp"
#include "host/os/unique_fd.hpp"
#include "host/secrets/secret_file.hpp"

namespace vpnha::probe {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr const char* kCharon = "/usr/sbin/charon-systemd";
constexpr const char* kSwanctl = "/usr/sbin/swanctl";
// Debian's profiles of AppArmor allow the two to read here.
constexpr const char* kFolder = "/etc/strongswan.d";
constexpr const char* kSettings = "/etc/strongswan.d/probe.conf";
constexpr const char* kAccount = "/etc/strongswan.d/probe.swanctl.conf";
constexpr const char* kVici = "/run/charon.vici";
constexpr std::string_view kConnection = "probe";
constexpr auto kPoll = 10ms;
// For a charon after SIGTERM.
constexpr auto kEndPatience = 2s;
constexpr std::string_view kAddressMark = "local-vips";

// It writes to no file, device or log. Plugins that a machine does not have are skipped.
constexpr std::string_view kCharonSettings =
    "charon-systemd {\n"
    "    load = random nonce openssl gmp curve25519 aes des sha1 sha2 md4 md5 hmac cmac xcbc gcm "
    "ccm "
    "ctr chapoly kdf mgf1 pem pkcs1 pkcs8 x509 pubkey revocation constraints eap-identity "
    "eap-mschapv2 eap-md5 eap-gtc eap-tls eap-ttls eap-peap xauth-generic kernel-netlink "
    "socket-default vici\n"
    "    port = 0\n"
    "    port_nat_t = 0\n"
    "    install_routes = no\n"
    "    install_virtual_ip = no\n"
    "    retransmit_base = 1\n"
    "    retransmit_timeout = 0.5\n"
    "    retransmit_tries = 120\n"
    "}\n";

Error missing(const std::string& what, int error) {
    return {Errc::unsupported, system_error(what, error).detail +
                                   "; it needs root, and the packages charon-systemd and "
                                   "strongswan-swanctl"};
}

// From now on this process has its own /run and its own settings of strongSwan.
Result<void> leave_others() {
    for (const char* const program : {kCharon, kSwanctl}) {
        if (::access(program, X_OK) != 0) {
            return tl::unexpected(missing(program, errno));
        }
    }
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        return tl::unexpected(missing("a mount namespace", errno));
    }
    for (const char* const folder : {"/run", kFolder}) {
        if (::mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                    "mode=0700,size=1m") != 0) {
            return tl::unexpected(missing(folder, errno));
        }
    }
    return {};
}

// No copy of a secret stays in this process's memory.
Result<void> write_file(const char* path, std::initializer_list<std::string_view> parts) {
    const adapters::UniqueFd file(::open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    for (const std::string_view part : parts) {
        if (!file ||
            ::write(file.get(), part.data(), part.size()) != static_cast<ssize_t>(part.size())) {
            return tl::unexpected(system_error(fmt::format("writing {}", path), errno));
        }
    }
    return {};
}

class Charon {
  public:
    Charon() = default;
    Charon(const Charon&) = delete;
    Charon& operator=(const Charon&) = delete;
    ~Charon() {
        if (pid_ <= 0) {
            return;
        }
        ::kill(pid_, SIGTERM);
        if (!has_ended(Clock::now() + kEndPatience)) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
    }

    // Until charon accepts requests.
    Result<void> start(Clock::time_point end) {
        const pid_t parent = ::getpid();
        pid_ = ::fork();
        if (pid_ == 0) {
            run(parent);
        }
        if (pid_ < 0) {
            return tl::unexpected(system_error("fork", errno));
        }
        while (::access(kVici, F_OK) != 0) {
            if (has_ended(Clock::now() + kPoll)) {
                pid_ = -1;
                return fail(Errc::unsupported, fmt::format("{} has ended at once", kCharon));
            }
            if (Clock::now() >= end) {
                return fail(Errc::unsupported, fmt::format("{} does not come up", kCharon));
            }
        }
        return {};
    }

  private:
    [[noreturn]] static void run(pid_t parent) {
        // charon ends with the probe, even if that is killed.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent || !adapters::forbid_dumps()) {
            ::_exit(1);
        }
        const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
            ::dup2(null, fd);
        }
        ::execl(kCharon, kCharon, nullptr);
        ::_exit(1);
    }
    [[nodiscard]] bool has_ended(Clock::time_point until) const {
        for (;;) {
            if (::waitpid(pid_, nullptr, WNOHANG) != 0) {
                return true;
            }
            if (Clock::now() >= until) {
                return false;
            }
            std::this_thread::sleep_for(kPoll);
        }
    }

    pid_t pid_ = -1;
};

class Login {
  public:
    Login(std::string account, int version, Clock::time_point end, Within within)
        : account_(std::move(account)), version_(version), end_(end), within_(std::move(within)) {}

    Outcome run(const Path& path) {
        Outcome outcome;
        if (const Result<void> done = log_in(path, outcome.steps); !done) {
            outcome.error = done.error();
        }
        return outcome;
    }

  private:
    Result<void> log_in(const Path& path, std::vector<Step>& steps) {
        VPNHA_CHECK(prepare(path));
        Charon charon;
        VPNHA_CHECK(charon.start(end_));
        VPNHA_CHECK(load());
        begun_ = Clock::now();
        VPNHA_CHECK(initiate());
        done(within_ ? "ipsec" : "login", steps);
        if (within_) {
            VPNHA_CHECK(carry_out_within(steps));
        } else if (wants_address_) {
            VPNHA_CHECK(wait_for_address());
            done("address", steps);
        }
        const auto ended = swanctl({"--terminate", "--ike", std::string(kConnection)});
        if (!ended || ended->code != 0) {
            return fail(Errc::timeout, "hang_up was not answered");
        }
        done(within_ ? "ipsec_end" : "hang_up", steps);
        return {};
    }

    // The server is notified of the end in any case.
    Result<void> carry_out_within(std::vector<Step>& steps) {
        Outcome outcome = within_(end_ - Clock::now());
        steps.insert(steps.end(), outcome.steps.begin(), outcome.steps.end());
        begun_ = Clock::now();
        if (outcome.error) {
            end_ = std::max(end_, begun_ + kEndPatience);
            static_cast<void>(swanctl({"--terminate", "--ike", std::string(kConnection)}));
            return tl::unexpected(*std::move(outcome.error));
        }
        return {};
    }

    Result<void> prepare(const Path& path) {
        VPNHA_TRY(const auto account, adapters::SecretFile::read_private(account_));
        VPNHA_TRY(const std::string server, numeric(path.server));
        VPNHA_TRY(const std::string source, numeric(path.source));
        wants_address_ = wants_address(account.content());
        VPNHA_CHECK(leave_others());
        VPNHA_CHECK(write_file(kSettings, {kCharonSettings}));
        VPNHA_CHECK(write_file(
            kAccount,
            {account.content(), "\n", ike_settings(version_, server, source, within_ != nullptr)}));
        // NOLINTBEGIN(concurrency-mt-unsafe): no other thread of this process reads it.
        ::setenv("STRONGSWAN_CONF", kSettings, 1);
        ::setenv("SWANCTL_DIR", "/etc/swanctl", 1);
        ::unsetenv("NOTIFY_SOCKET");
        // NOLINTEND(concurrency-mt-unsafe)
        return {};
    }

    static Result<std::string> numeric(const SocketAddress& address) {
        if (address.size == 0) {
            return std::string("%any");
        }
        std::array<char, NI_MAXHOST> text{};
        const int error = ::getnameinfo(address.get(), address.size, text.data(), text.size(),
                                        nullptr, 0, NI_NUMERICHOST);
        return error == 0 ? Result<std::string>(text.data())
                          : fail(Errc::invalid_argument, ::gai_strerror(error));
    }

    Result<adapters::Printed> swanctl(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), kSwanctl);
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
        return adapters::printed_by(arguments, std::max(left, std::chrono::milliseconds(1)),
                                    adapters::ErrorOutput::dropped);
    }

    Result<void> load() const {
        const auto loaded = swanctl({"--load-all", "--noprompt", "--file", kAccount});
        if (!loaded || loaded->code != 0 ||
            loaded->text.find("loaded connection 'probe'") == std::string::npos) {
            return fail(Errc::invalid_config,
                        fmt::format("{}: swanctl does not take it; it has to have the connection "
                                    "'{}', and its secrets",
                                    account_, kConnection));
        }
        return {};
    }

    Result<void> initiate() const {
        const auto printed =
            swanctl({"--initiate", within_ ? "--child" : "--ike", std::string(kConnection)});
        if (!printed) {
            return fail(printed.error().code, printed.error().code == Errc::timeout
                                                  ? "login was not answered"
                                                  : printed.error().detail);
        }
        return printed->code == 0 ? Result<void>{} : tl::unexpected(ike_refusal(printed->text));
    }

    // IKEv1 asks for it after phase 1.
    Result<void> wait_for_address() const {
        for (;;) {
            const auto listed = swanctl({"--list-sas", "--raw"});
            if (!listed || Clock::now() >= end_) {
                return fail(Errc::unreachable, "gives no address");
            }
            if (listed->text.find(kAddressMark) != std::string::npos) {
                return {};
            }
            std::this_thread::sleep_for(kPoll);
        }
    }

    void done(std::string_view step, std::vector<Step>& steps) {
        const Clock::time_point now = Clock::now();
        steps.push_back({std::string(step), now - begun_});
        begun_ = now;
    }

    std::string account_;
    int version_;
    Clock::time_point end_;
    Within within_;              // None: a login is enough.
    Clock::time_point begun_{};  // The step.
    bool wants_address_ = false;
};

}  // namespace

std::string ike_settings(int version, const std::string& server, const std::string& source,
                         bool for_l2tp) {
    const std::string more =
        for_l2tp ? fmt::format(
                       "        encap = yes\n        children {{\n            {} {{\n"
                       "                mode = transport\n"
                       "                local_ts = dynamic[udp/1701]\n"
                       "                remote_ts = dynamic[udp/1701]\n"
                       "            }}\n        }}\n",
                       kConnection)
                 : "        childless = force\n";
    return fmt::format(
        "connections {{\n    {} {{\n        version = {}\n        remote_addrs = {}\n"
        "        local_addrs = {}\n{}        keyingtries = 1\n        unique = never\n    }}\n}}\n",
        kConnection, version, server, source, more);
}

Error ike_refusal(const std::string& printed) {
    // Each line is "[IKE] what charon did": the last one is the reason.
    constexpr std::string_view kOfIke = "[IKE] ";
    std::istringstream lines(printed);
    std::string last;
    bool is_silence = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(kOfIke)) {
            last = line.substr(kOfIke.size());
            is_silence = is_silence || last.find("peer not responding") != std::string::npos;
        }
    }
    if (is_silence) {
        return {Errc::timeout, "login was not answered"};
    }
    return {Errc::unreachable,
            "refuses the login" + (last.empty() ? last : fmt::format(" ({})", last))};
}

bool wants_address(std::string_view account) {
    while (!account.empty()) {
        std::string_view line = account.substr(0, account.find('\n'));
        account.remove_prefix(std::min(line.size() + 1, account.size()));
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        if (line.starts_with("vips")) {
            return true;
        }
    }
    return false;
}

Outcome log_in_by_ike(int version, const Path& path, const std::string& account_file,
                      std::chrono::nanoseconds patience, Within within) {
    return Login(account_file, version, Clock::now() + patience, std::move(within)).run(path);
}

}  // namespace vpnha::probe
