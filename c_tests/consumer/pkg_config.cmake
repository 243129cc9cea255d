# Builds the program with what pkg-config says about the installed library, in one of three ways, and
# runs it.

set(ENV{PKG_CONFIG_PATH} "${PREFIX}/${LIBDIR}/pkgconfig")
set(package ft_local)
set(options)
set(link)
if(WAY STREQUAL "static")
    set(package ft_local-static)
elseif(WAY STREQUAL "fully_static")
    set(options --static)
    set(link -static)
endif()

# ask(ARGUMENT...): what pkg-config says, in `answer`.
function(ask)
    execute_process(COMMAND "${PKG_CONFIG}" ${options} ${ARGN} ${package}
                    OUTPUT_VARIABLE said OUTPUT_STRIP_TRAILING_WHITESPACE
                    COMMAND_ERROR_IS_FATAL ANY)
    set(answer "${said}" PARENT_SCOPE)
endfunction()

ask(--modversion)
if(NOT answer STREQUAL VERSION)
    message(FATAL_ERROR "pkg-config says ${answer}, not ${VERSION}")
endif()
ask(--variable=prefix)
file(REAL_PATH "${answer}" answer)
if(NOT answer STREQUAL PREFIX)
    message(FATAL_ERROR "pkg-config says that the prefix is ${answer}, not ${PREFIX}")
endif()
ask(--cflags --libs)
separate_arguments(flags UNIX_COMMAND "${answer}")

execute_process(COMMAND "${CC}" "${PROGRAM}" ${link} -o "${OUT}" ${flags}
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${OBJDUMP}" -p "${OUT}" OUTPUT_VARIABLE headers COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "NEEDED +[^ \n]+" needed "${headers}")
if(WAY STREQUAL "shared")
    set(ENV{LD_LIBRARY_PATH} "${PREFIX}/${LIBDIR}")
elseif(WAY STREQUAL "static" AND needed MATCHES "ft_local" OR WAY STREQUAL "fully_static" AND needed)
    message(FATAL_ERROR "linked ${WAY}, the program asks for ${needed}")
endif()
execute_process(COMMAND "${OUT}" COMMAND_ERROR_IS_FATAL ANY)
