# SPDX-License-Identifier: GPL-2.0-or-later
# The gate's BPF program: compiled with clang, embedded as a skeleton header. It needs no file at
# run time, so an upgrade never pairs a daemon with another version's program.
find_program(VPNHA_BPF_CLANG NAMES clang clang-14 DOC "clang for the BPF target")
find_program(VPNHA_BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin DOC "bpftool for the skeleton")
if(NOT VPNHA_BPF_CLANG)
    message(FATAL_ERROR "The gate's BPF program needs clang: apt-get install clang")
endif()
if(NOT VPNHA_BPFTOOL)
    message(FATAL_ERROR "The gate's BPF program needs bpftool: apt-get install bpftool")
endif()

set(gate_source ${CMAKE_CURRENT_LIST_DIR}/gate.bpf.c)
set(gate_folder ${CMAKE_CURRENT_BINARY_DIR}/gate)
set(gate_object ${gate_folder}/gate.bpf.o)
set(gate_skeleton ${gate_folder}/gate.skel.h)
file(MAKE_DIRECTORY ${gate_folder})
add_custom_command(OUTPUT ${gate_skeleton}
    # The program's BTF has paths; with the tree's own the package would depend on where it was built.
    COMMAND ${VPNHA_BPF_CLANG} -target bpf -O2 -g -Wall -Werror
            -ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -fdebug-compilation-dir=. -isystem
            /usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -c ${gate_source} -o ${gate_object}
    COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTBEGIN: generated." > ${gate_skeleton}
    COMMAND ${VPNHA_BPFTOOL} gen skeleton ${gate_object} name vpnha_gate >> ${gate_skeleton}
    COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTEND" >> ${gate_skeleton}
    DEPENDS ${gate_source} ${CMAKE_CURRENT_LIST_DIR}/gate_abi.h
    COMMENT "Building the gate's BPF program"
    VERBATIM)
# The target makes the rule exist; the object file's own dependency orders it.
add_custom_target(vpnha_gate_skeleton DEPENDS ${gate_skeleton})
set_source_files_properties(gate/gate_program.cpp PROPERTIES
    OBJECT_DEPENDS ${gate_skeleton} COMPILE_OPTIONS "-isystem;${gate_folder}")
