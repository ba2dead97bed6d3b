// SPDX-License-Identifier: GPL-2.0-or-later
// vpnhad-echo: vpnhad with one more protocol, the toy of CONTRIBUTING.md.
#include "next/vpnhad_main.hpp"

int main(int argc, char** argv) {
    return vpnha::next::run_vpnhad(argc, argv, vpnha::wire::released_codecs());
}
