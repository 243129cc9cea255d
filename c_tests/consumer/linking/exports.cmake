# LIBRARY exports exactly EXPORTS.

execute_process(
    COMMAND "${NM}" --dynamic --defined-only --without-symbol-versions "${LIBRARY}"
    OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY
)
string(REGEX MATCHALL " [^ \n]+\n" exported "${symbols}")
list(TRANSFORM exported STRIP)
if(NOT exported STREQUAL EXPORTS)
    message(FATAL_ERROR "${LIBRARY} exports ${exported}, not ${EXPORTS}")
endif()
