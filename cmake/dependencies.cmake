# SPDX-License-Identifier: GPL-2.0-or-later
# Every library comes from Debian 12; see CONTRIBUTING.md for the package names.
find_package(PkgConfig REQUIRED)
find_package(tl-expected REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(CPG REQUIRED IMPORTED_TARGET libcpg)
pkg_check_modules(CMAP REQUIRED IMPORTED_TARGET libcmap)
pkg_check_modules(QB REQUIRED IMPORTED_TARGET libqb)
pkg_check_modules(MNL REQUIRED IMPORTED_TARGET libmnl)
pkg_check_modules(BPF REQUIRED IMPORTED_TARGET libbpf)
