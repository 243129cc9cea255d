# Runs in the build of the program that fetched ft_local: installs it, and expects the program and the
# shared library, and no more; from another place, the program finds the library.

file(REMOVE_RECURSE "${WORK}/fetched" "${WORK}/fetched_moved")
execute_process(COMMAND "${CMAKE_COMMAND}" --install . --prefix "${WORK}/fetched"
                COMMAND_ERROR_IS_FATAL ANY)
file(RENAME "${WORK}/fetched" "${WORK}/fetched_moved")
file(GLOB_RECURSE installed LIST_DIRECTORIES false RELATIVE "${WORK}/fetched_moved"
     "${WORK}/fetched_moved/*")
list(SORT installed)
set(library "${LIBDIR}/libft_local.so")
set(expected "bin/consumer;${library};${library}.${ABI};${library}.${VERSION}")
if(NOT installed STREQUAL expected)
    message(FATAL_ERROR "The program installed ${installed}, not ${expected}")
endif()
execute_process(COMMAND "${WORK}/fetched_moved/bin/consumer" COMMAND_ERROR_IS_FATAL ANY)
