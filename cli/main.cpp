// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>

#include "cli/commands.hpp"

int main(int argc, char** argv) {
    return vpnha::cli::run(argc, argv, std::cout, std::cerr);
}
