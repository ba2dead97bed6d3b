// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/radius/accounting_servers.hpp"

#include <fmt/format.h>
#include <radcli/radcli.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <limits>

#include "adapters/secrets/secret_file.hpp"

namespace vpnha::adapters {

namespace {

using Kind = node::AccountingRequest::Kind;

// MAX_SECRET_LENGTH of the library, less the NUL.
constexpr std::size_t kSecretBytesMax = MAX_SECRET_LENGTH - 1;
constexpr std::uint64_t kMsPerSecond = 1000;

// The attributes of one request.
class Attributes {
  public:
    explicit Attributes(rc_handle* handle) : handle_(handle) {}
    ~Attributes() { rc_avpair_free(pairs_); }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;

    void add(int attribute, std::uint64_t number) {
        // The counter of a server that takes 32 bits ends there, rather than begins anew.
        const auto value = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(number, std::numeric_limits<std::uint32_t>::max()));
        add(attribute, &value, 0);
    }
    void add(int attribute, ByteView octets) {
        if (!octets.empty()) {
            add(attribute, octets.data(),
                static_cast<int>(std::min<std::size_t>(octets.size(), AUTH_STRING_LEN)));
        }
    }
    void add(int attribute, const std::string& text) { add(attribute, to_bytes(text)); }

    [[nodiscard]] VALUE_PAIR* pairs() const { return pairs_; }
    [[nodiscard]] bool complete() const { return complete_; }

  private:
    void add(int attribute, const void* value, int length) {
        complete_ &= rc_avpair_add(handle_, &pairs_, attribute, value, length, 0) != nullptr;
    }

    rc_handle* handle_;
    VALUE_PAIR* pairs_ = nullptr;
    bool complete_ = true;
};

int status_type_of(Kind kind) {
    switch (kind) {
        case Kind::start:
            return PW_STATUS_START;
        case Kind::stop:
            return PW_STATUS_STOP;
        case Kind::interim:
            return PW_STATUS_ALIVE;
    }
    return 0;
}

void add_counters(Attributes& attributes, const node::AccountingRequest& request) {
    constexpr unsigned kGigaword = 32;
    const auto low = [](std::uint64_t octets) { return octets & 0xffff'ffff; };
    const Traffic& traffic = request.traffic;
    attributes.add(PW_ACCT_SESSION_TIME, request.seconds);
    attributes.add(PW_ACCT_INPUT_OCTETS, low(traffic.octets_in));
    attributes.add(PW_ACCT_OUTPUT_OCTETS, low(traffic.octets_out));
    attributes.add(PW_ACCT_INPUT_GIGAWORDS, traffic.octets_in >> kGigaword);
    attributes.add(PW_ACCT_OUTPUT_GIGAWORDS, traffic.octets_out >> kGigaword);
    attributes.add(PW_ACCT_INPUT_PACKETS, traffic.packets_in);
    attributes.add(PW_ACCT_OUTPUT_PACKETS, traffic.packets_out);
}

void add_tunnel(Attributes& attributes, const node::AccountingRequest& request) {
    // Tagged (RFC 2868 3.1), which the library's dictionary has as octets. Tag 0, then 24 bits.
    constexpr std::uint8_t kPptp = 1;
    constexpr std::uint8_t kL2tp = 3;
    const bool is_pptp = request.tunnel == node::AccountingRequest::Tunnel::pptp;
    const std::array<std::uint8_t, 4> type{0, 0, 0, is_pptp ? kPptp : kL2tp};
    attributes.add(PW_TUNNEL_TYPE, ByteView(type));
    attributes.add(PW_TUNNEL_CLIENT_ENDPOINT, to_string(request.peer));
    attributes.add(PW_CALLING_STATION_ID, to_string(request.peer));
}

void add_all(Attributes& attributes, const node::AccountingRequest& request,
             const std::string& nas) {
    attributes.add(PW_ACCT_STATUS_TYPE, static_cast<std::uint64_t>(status_type_of(request.kind)));
    attributes.add(PW_ACCT_SESSION_ID, request.session);
    attributes.add(PW_USER_NAME, request.user);
    for (const Bytes& each : request.classes) {
        attributes.add(PW_CLASS, ByteView(each));
    }
    attributes.add(PW_NAS_IDENTIFIER, nas);
    attributes.add(PW_NAS_PORT_TYPE, std::uint64_t{PW_VIRTUAL});
    attributes.add(PW_SERVICE_TYPE, std::uint64_t{PW_FRAMED});
    attributes.add(PW_FRAMED_PROTOCOL, std::uint64_t{PW_PPP});
    attributes.add(PW_FRAMED_IP_ADDRESS, std::uint64_t{request.address.value});
    add_tunnel(attributes, request);
    attributes.add(PW_EVENT_TIMESTAMP, request.unix_ms / kMsPerSecond);
    // The library adds what it waits for earlier servers.
    attributes.add(PW_ACCT_DELAY_TIME, request.delay_s);
    if (request.kind != Kind::start) {
        add_counters(attributes, request);
    }
    if (request.kind == Kind::stop) {
        attributes.add(PW_ACCT_TERMINATE_CAUSE, static_cast<std::uint64_t>(request.cause));
    }
}

// The first line, with a NUL behind it.
Result<SecretBytes> read_secret(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0 && (found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail(Errc::permission, fmt::format("{} can be read by others; chmod 0600 it", path));
    }
    VPNHA_TRY(const auto file, SecretFile::read(path));
    if (!file) {
        return fail(Errc::not_found, fmt::format("{}: there is no such file", path));
    }
    const std::string_view line = file->content().substr(0, file->content().find('\n'));
    if (line.empty() || line.size() > kSecretBytesMax || line.find('\0') != line.npos) {
        return fail(
            Errc::invalid_config,
            fmt::format("{}: its first line has to have 1 to {} octets", path, kSecretBytesMax));
    }
    VPNHA_TRY(SecretBytes secret, SecretBytes::with_room(line.size() + 1));
    constexpr std::uint8_t kEnd = 0;
    static_cast<void>(secret.append(to_bytes(line)) && secret.append({&kEnd, 1}));
    return secret;
}

}  // namespace

void AccountingServers::Destroy::operator()(rc_conf* handle) const {
    rc_destroy(handle);
}

Result<AccountingServers> AccountingServers::open(const config::Radius& settings,
                                                  const std::string& dictionary) {
    VPNHA_TRY(SecretBytes secret, read_secret(settings.secret_file));
    AccountingServers servers(settings, std::move(secret));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(settings.timeout);
    rc_handle* const handle = rc_new();
    servers.handle_.reset(handle);
    const auto set = [&](const char* option, const std::string& value) {
        return rc_add_config(handle, option, value.c_str(), "vpnhad", 0) == 0;
    };
    if (handle == nullptr || rc_config_init(handle) == nullptr ||
        !set("radius_timeout", std::to_string(seconds.count())) ||
        !set("radius_retries", std::to_string(settings.retries)) || !set("bindaddr", "*") ||
        rc_apply_config(handle) != 0) {
        return fail(Errc::system, "libradcli cannot be set up");
    }
    if (rc_read_dictionary(handle, dictionary.c_str()) != 0) {
        return fail(Errc::not_found,
                    fmt::format("{} cannot be read; the package libradcli4 has it", dictionary));
    }
    return servers;
}

AccountingServers::Answer AccountingServers::ask(const node::AccountingRequest& request) {
    Attributes attributes(handle_.get());
    add_all(attributes, request, settings_.nas_identifier);
    if (!attributes.complete()) {
        return {node::AccountingResult::failed, "an attribute is unknown to libradcli"};
    }
    Answer answer{node::AccountingResult::silent, ""};
    for (const Ipv4Endpoint& each : settings_.accounting_servers) {
        std::string name = to_string(each.address);
        std::array<char, PW_MAX_MSG_SIZE> message{};
        // It looks for the secret in its own configuration, whatever it is called with.
        SERVER& server = *rc_conf_srv(handle_.get(), "acctserver");
        server.max = 1;
        server.name[0] = name.data();
        server.port[0] = each.port;
        // The library only reads it.
        server.secret[0] = const_cast<char*>(reinterpret_cast<const char*>(secret_.view().data()));
        const int result =
            rc_aaa_ctx_server(handle_.get(), nullptr, &server, ACCT, 0, attributes.pairs(), nullptr,
                              message.data(), 0, PW_ACCOUNTING_REQUEST);
        server = {};  // Its end would free what it has.
        if (result == OK_RC) {
            return {node::AccountingResult::answered, to_string(each)};
        }
        if (result != TIMEOUT_RC && result != ERROR_RC) {
            answer.result = node::AccountingResult::failed;
        }
        answer.server += fmt::format("{}{} {}", answer.server.empty() ? "" : ", ", to_string(each),
                                     result == TIMEOUT_RC   ? "is silent"
                                     : result == ERROR_RC   ? "cannot be asked"
                                     : result == BADRESP_RC ? "has another secret"
                                                            : "answers with something else");
    }
    return answer;
}

}  // namespace vpnha::adapters
