# SPDX-License-Identifier: GPL-2.0-or-later
# vpnha_component(NAME SOURCES … DEPENDS …): one layer of libvpnha as a static library of its own.
# DEPENDS states the layers below it, so a call against the arrow of ARCHITECTURE.md does not link.
function(vpnha_component name)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
    add_library(vpnha_${name} STATIC ${ARG_SOURCES})
    target_include_directories(vpnha_${name} PUBLIC
        ${PROJECT_SOURCE_DIR}/libvpnha/include ${PROJECT_SOURCE_DIR}/libvpnha/src)
    foreach(layer IN LISTS ARG_DEPENDS)
        target_link_libraries(vpnha_${name} PUBLIC vpnha_${layer})
    endforeach()
    target_link_libraries(vpnha_${name} PUBLIC ${ARG_LIBRARIES})
    set_property(GLOBAL APPEND PROPERTY VPNHA_COMPONENTS vpnha_${name})
    set_property(GLOBAL APPEND PROPERTY VPNHA_LIBRARIES ${ARG_LIBRARIES})
endfunction()

# What is installed, without tests and benchmarks.
add_custom_target(product)

# vpnha_install(…): as install(TARGETS …); the targets are part of the product.
function(vpnha_install)
    cmake_parse_arguments(PLACED "" "EXPORT" "RUNTIME;LIBRARY" ${ARGN})
    install(TARGETS ${ARGN})
    add_dependencies(product ${PLACED_UNPARSED_ARGUMENTS})
    set_property(GLOBAL APPEND PROPERTY VPNHA_PRODUCT ${PLACED_UNPARSED_ARGUMENTS})
endfunction()

# Targets that parse bytes of other hosts: what plain ./check runs with sanitizers.
add_custom_target(exposed)

# vpnha_unit_test(NAME [EXPOSED] SOURCES … DEPENDS …): tests of one layer, labelled unit-NAME or
# unit-exposed-NAME. Each file's names stand in a namespace that is called after the file: several files
# are compiled as one.
function(vpnha_unit_test name)
    cmake_parse_arguments(ARG "EXPOSED" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
    add_executable(${name}_test ${ARG_SOURCES})
    foreach(layer IN LISTS ARG_DEPENDS)
        target_link_libraries(${name}_test PRIVATE vpnha_${layer})
    endforeach()
    target_link_libraries(${name}_test PRIVATE ${ARG_LIBRARIES} GTest::gmock GTest::gtest_main)
    target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    # What is tested is compiled as it is shipped; the tests themselves are compiled sooner so.
    target_compile_options(${name}_test PRIVATE $<IF:$<BOOL:${VPNHA_SANITIZED}>,-O0,-O1>)
    set(label unit-${name})
    if(ARG_EXPOSED)
        set(label unit-exposed-${name})
        add_dependencies(exposed ${name}_test)
    endif()
    gtest_discover_tests(${name}_test PROPERTIES LABELS ${label} DISCOVERY_TIMEOUT 60)
endfunction()

# vpnha_fuzz_target(NAME SOURCE … CORPUS DIR… DEPENDS …): with libFuzzer a fuzzer, otherwise a runner
# that feeds the corpus once, so that every found input is a normal test.
function(vpnha_fuzz_target name)
    cmake_parse_arguments(ARG "" "SOURCE" "CORPUS;DEPENDS" ${ARGN})
    add_executable(fuzz_${name} ${ARG_SOURCE})
    foreach(layer IN LISTS ARG_DEPENDS)
        target_link_libraries(fuzz_${name} PRIVATE vpnha_${layer})
    endforeach()
    if(VPNHA_LIBFUZZER)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    else()
        target_sources(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus_runner.cpp)
        add_test(NAME fuzz_corpus.${name} COMMAND fuzz_${name} ${ARG_CORPUS})
        set_tests_properties(fuzz_corpus.${name} PROPERTIES LABELS fuzz-exposed)
        add_dependencies(exposed fuzz_${name})
    endif()
endfunction()
