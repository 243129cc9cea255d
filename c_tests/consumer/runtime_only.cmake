# Installs the component `runtime` and expects the shared library, under two names, and no more.

execute_process(
    COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${PREFIX}" --component runtime
    COMMAND_ERROR_IS_FATAL ANY
)
file(GLOB_RECURSE installed LIST_DIRECTORIES false RELATIVE "${PREFIX}/${LIBDIR}" "${PREFIX}/*")
list(SORT installed)
set(expected "libft_local.so.${ABI};libft_local.so.${VERSION}")
if(NOT installed STREQUAL expected)
    message(FATAL_ERROR "The component runtime is ${installed}, not ${expected}")
endif()
file(READ_SYMLINK "${PREFIX}/${LIBDIR}/libft_local.so.${ABI}" link)
if(NOT link STREQUAL "libft_local.so.${VERSION}")
    message(FATAL_ERROR "libft_local.so.${ABI} leads to ${link}")
endif()
