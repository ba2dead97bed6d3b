// SPDX-License-Identifier: GPL-2.0-or-later
// vpnhad-next: vpnhad that speaks wire versions 1 and 2.
#include "support/wire_v2.hpp"
#include "vpnhad_main.hpp"

int main(int argc, char** argv) {
    return vpnha::next::run_vpnhad(argc, argv, vpnha::wire::next_codecs());
}
