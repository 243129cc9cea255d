# What CMake found an empty crate to need is what this crate needs. Included by CMakeLists.txt, this
# adds the test; run as a script, it is the test.

if(NOT CMAKE_SCRIPT_MODE_FILE)
    add_test(
        NAME native_libs
        COMMAND
            "${CMAKE_COMMAND}" "-DCARGO=${FT_LOCAL_CARGO}" "-DROOT=${PROJECT_SOURCE_DIR}"
            "-DTARGET=${FT_LOCAL_RUST_TARGET}" "-DWORK=${CMAKE_CURRENT_BINARY_DIR}/native_libs"
            "-DEXPECTED=${FT_LOCAL_NATIVE_LIBS}" -P "${CMAKE_CURRENT_LIST_FILE}"
    )
    set_tests_properties(native_libs PROPERTIES LABELS slow TIMEOUT 300)
    return()
endif()

set(target_args)
if(TARGET)
    set(target_args --target "${TARGET}")
endif()
# In a place of its own, and made anew: cargo prints nothing for what is up to date.
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
execute_process(
    COMMAND
        "${CARGO}" rustc -p ft_local_capi --lib --locked --crate-type staticlib --target-dir "${WORK}/target"
        ${target_args} -- "--print=native-static-libs=${WORK}/libs.txt"
    WORKING_DIRECTORY "${ROOT}"
    COMMAND_ERROR_IS_FATAL ANY
)
file(READ "${WORK}/libs.txt" actual)
string(STRIP "${actual}" actual)
if(NOT actual STREQUAL EXPECTED)
    message(FATAL_ERROR "ft_local needs\n  ${actual}\nbut the packages say\n  ${EXPECTED}")
endif()
