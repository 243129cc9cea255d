# The library exports the functions of the header and no others, and each of them has a test of
# what it does with wrong arguments. Included by CMakeLists.txt, this adds the test; run as a
# script, it is the test.

if(NOT CMAKE_SCRIPT_MODE_FILE)
    if(CMAKE_NM)
        add_test(
            NAME exports
            COMMAND
                "${CMAKE_COMMAND}" "-DNM=${CMAKE_NM}" "-DLIBRARY=$<TARGET_FILE:ft_local::ft_local>"
                "-DHEADER=${PROJECT_SOURCE_DIR}/include/ft_local.h"
                "-DTESTS=${CMAKE_CURRENT_SOURCE_DIR}" -P "${CMAKE_CURRENT_LIST_FILE}"
        )
    endif()
    return()
endif()

execute_process(
    COMMAND "${NM}" --dynamic --defined-only --without-symbol-versions "${LIBRARY}"
    OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY
)
# Absolute symbols are the names of the versions.
string(REGEX MATCHALL " T [^ \n]+\n" exported "${symbols}")
list(TRANSFORM exported REPLACE "^ T " "")
list(TRANSFORM exported STRIP)
list(SORT exported)

# A declaration is the only place where a parenthesis follows a name outside comments, macros, and
# the function that is inline, whose body is indented.
file(STRINGS "${HEADER}" lines REGEX "^[^/# ][^/#]*ft_local_[a-z_]+\\(")
list(FILTER lines EXCLUDE REGEX "^static inline ")
string(REGEX MATCHALL "ft_local_[a-z_]+\\(" declared "${lines}")
list(TRANSFORM declared REPLACE "\\(" "")
list(SORT declared)

if(NOT exported STREQUAL declared)
    message(FATAL_ERROR "The library exports\n  ${exported}\nbut the header declares\n  ${declared}")
endif()

file(READ "${TESTS}/errors.c" errors)
file(READ "${TESTS}/handles.c" handles)
foreach(name IN LISTS declared)
    if(NOT "${errors}${handles}" MATCHES "${name}\\(")
        message(SEND_ERROR "Neither errors.c nor handles.c in ${TESTS} calls ${name}")
    endif()
endforeach()
