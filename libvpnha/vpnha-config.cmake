# SPDX-License-Identifier: GPL-2.0-or-later
include(CMakeFindDependencyMacro)
find_dependency(tl-expected)
include(${CMAKE_CURRENT_LIST_DIR}/vpnha-targets.cmake)
