// SPDX-License-Identifier: GPL-2.0-or-later
// vpnha-witness: a third vote for a pair of gateways, on a machine that is no node.
//
// Exit codes: 0 ended on request, 1 failed, 2 usage.
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "host/os/process.hpp"
#include "vpnha/version.hpp"
#include "witness/key_file.hpp"
#include "witness/options.hpp"
#include "witness/service.hpp"

namespace {

using namespace vpnha;
using witness::Options;

constexpr int kFailed = 1;
constexpr int kUsage = 2;

// A line each.
void complain(const std::string& text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::fprintf(stderr, "vpnha-witness: %s\n", text.substr(at, end - at).c_str());
        at = end + 1;
    }
}

std::string credentials_directory() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread of ours runs.
    const char* const directory = std::getenv("CREDENTIALS_DIRECTORY");
    return directory == nullptr ? "" : directory;
}

Result<void> serve(const Options& options) {
    VPNHA_TRY(const auto key, witness::read_key_file(options.key_file, credentials_directory()));
    VPNHA_TRY(const auto service, witness::Service::start(options, key));
    return service->run();
}

Result<void> write_key(const Options& options) {
    VPNHA_TRY(const std::string done, witness::enrol(STDIN_FILENO, options.key_file));
    std::printf("%s\n", done.c_str());
    return {};
}

// No disk gets the key: neither by a core file nor, as far as permitted, by a swap device.
Result<void> protect_memory() {
    VPNHA_CHECK(adapters::forbid_dumps());
    if (const Result<void> locked = adapters::lock_memory(); !locked) {
        complain(locked.error().detail +
                 "; a swap device of this machine may get the key, unless the limit of locked "
                 "memory is infinite (LimitMEMLOCK)");
    }
    return {};
}

int run(const Options& options) {
    if (options.verb == Options::Verb::help) {
        std::fwrite(witness::usage().data(), 1, witness::usage().size(), stdout);
        return 0;
    }
    if (options.verb == Options::Verb::version) {
        std::printf("vpnha-witness %s\n", std::string(version()).c_str());
        return 0;
    }
    Result<void> done = protect_memory();
    if (done && sodium_init() < 0) {
        done = fail(Errc::unsupported, "libsodium cannot be initialised");
    }
    if (done) {
        done = options.verb == Options::Verb::enrol ? write_key(options) : serve(options);
    }
    if (!done) {
        complain(done.error().detail);
        return kFailed;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) try {
    const Result<Options> options = witness::parse_options({argv + 1, argv + argc});
    if (!options) {
        complain(options.error().detail);
        return kUsage;
    }
    return run(*options);
} catch (const std::exception& error) {
    std::fprintf(stderr, "vpnha-witness: %s\n", error.what());
    return kFailed;
}
