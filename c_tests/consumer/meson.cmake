# Builds the program with meson, in one of three ways, and runs it: with the installed library, shared
# or static, or with the sources as a subproject, whose library is then installed with the program.

set(wanted ft_local)
if(WAY STREQUAL "static")
    set(wanted ft_local-static)
endif()
set(project "${CMAKE_CURRENT_LIST_DIR}/meson")
set(ENV{CC} "${CC}")
set(ENV{PKG_CONFIG_PATH} "${PREFIX}/${LIBDIR}/pkgconfig")
set(ENV{LD_LIBRARY_PATH})
file(REMOVE_RECURSE "${WORK}")
if(WAY STREQUAL "subproject")
    # The sources are found as a wrap file would bring them, and nowhere else.
    set(ENV{PKG_CONFIG_PATH} "${WORK}/nothing")
    file(COPY "${project}" "${project}/../program" DESTINATION "${WORK}/source")
    set(project "${WORK}/source/meson")
    file(MAKE_DIRECTORY "${project}/subprojects")
    file(CREATE_LINK "${ROOT}" "${project}/subprojects/ft_local" SYMBOLIC)
    file(WRITE "${project}/subprojects/ft_local.wrap"
         "[wrap-file]\ndirectory = ft_local\n[provide]\ndependency_names = ft_local\n")
    set(options "-Dft_local:cargo_dir=${CARGO_DIR}")
endif()

# meson(ARGUMENT...)
function(meson)
    execute_process(COMMAND "${MESON}" ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

meson(setup "${WORK}/build" "${project}" "--prefix=${WORK}/installed" "-Dwanted=${wanted}" ${options})
meson(compile -C "${WORK}/build")
execute_process(COMMAND "${WORK}/build/consumer" COMMAND_ERROR_IS_FATAL ANY)
if(WAY STREQUAL "subproject")
    meson(install -C "${WORK}/build" --no-rebuild)
    file(RENAME "${WORK}/installed" "${WORK}/moved")
    file(RENAME "${WORK}/build" "${WORK}/gone")
    execute_process(COMMAND "${WORK}/moved/bin/consumer" COMMAND_ERROR_IS_FATAL ANY)
endif()
