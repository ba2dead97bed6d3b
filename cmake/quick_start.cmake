# SPDX-License-Identifier: GPL-2.0-or-later
# vpnha_quick_start(NAME …): programs that Pacemaker starts on the path of a takeover. They have the
# C++ runtime and fmt in them: most of what such a program does until main() is to load these two, and
# to look up their symbols. A sanitizer wants the shared ones.
set(VPNHA_SANITIZED OFF)
string(TOUPPER "${CMAKE_BUILD_TYPE}" VPNHA_BUILD_TYPE)
if("${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${VPNHA_BUILD_TYPE}}" MATCHES "-fsanitize")
    set(VPNHA_SANITIZED ON)
endif()

function(vpnha_quick_start)
    foreach(name IN LISTS ARGN)
        if(NOT VPNHA_SANITIZED)
            target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc)
            # Its symbols come first, so --as-needed of the preset leaves the shared fmt out.
            target_link_libraries(${name} PRIVATE vpnha_fmt)
        endif()
    endforeach()
endfunction()
