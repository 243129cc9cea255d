# Builds the program with what pkg-config says about the installed library, and runs it.

set(ENV{PKG_CONFIG_PATH} "${PREFIX}/${LIBDIR}/pkgconfig")
execute_process(COMMAND "${PKG_CONFIG}" --modversion ft_local
                OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
if(NOT version STREQUAL VERSION)
    message(FATAL_ERROR "pkg-config says ${version}, not ${VERSION}")
endif()

set(static_option)
if(WAY STREQUAL "static")
    set(static_option --static)
endif()
execute_process(COMMAND "${PKG_CONFIG}" --cflags --libs ${static_option} ft_local
                OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(flags UNIX_COMMAND "${flags}")
if(WAY STREQUAL "static")
    # The linker takes the shared library where it finds both.
    list(TRANSFORM flags REPLACE "^-lft_local$" "-l:libft_local.a")
endif()

execute_process(COMMAND "${CC}" "${PROGRAM}" -o "${OUT}" ${flags} COMMAND_ERROR_IS_FATAL ANY)
if(WAY STREQUAL "shared")
    set(ENV{LD_LIBRARY_PATH} "${PREFIX}/${LIBDIR}")
endif()
execute_process(COMMAND "${OUT}" COMMAND_ERROR_IS_FATAL ANY)
