// SPDX-License-Identifier: GPL-2.0-or-later
// vpnhad-frail: vpnhad with two faults for the lab. It dies whenever it reads another node's record
// of a session whose user is called `poison`. SIGUSR1 has it hang: its process is there, sleeps,
// and does nothing any more, as in a deadlock.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "vpnhad_main.hpp"

namespace {

using namespace vpnha;

bool is_poison(ByteView payload) {
    constexpr std::string_view kUser = "poison";
    return std::search(payload.begin(), payload.end(), kUser.begin(), kUser.end()) != payload.end();
}

void die_of_poison(const wire::Message& message) {
    const auto look = [](const auto& records) {
        for (const auto& record : records) {
            if (is_poison(record.payload)) {
                std::abort();
            }
        }
    };
    if (const auto* update = std::get_if<wire::Update>(&message)) {
        look(update->changes);
    } else if (const auto* snapshot = std::get_if<wire::Snapshot>(&message)) {
        look(snapshot->records);
    }
}

Result<wire::Message> parse(ByteReader& in) {
    Result<wire::Message> message = wire::version_1().parse(in);
    if (message) {
        die_of_poison(*message);
    }
    return message;
}

void hang(int) {
    for (;;) {
        ::pause();
    }
}

}  // namespace

int main(int argc, char** argv) {
    ::signal(SIGUSR1, hang);
    const wire::Codec& real = wire::version_1();
    const std::array<wire::Codec, 1> codecs{
        wire::Codec{real.version, real.encode, parse, real.parse_own}};
    return next::run_vpnhad(argc, argv, codecs);
}
