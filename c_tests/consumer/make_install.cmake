# What `make install` does, with a Rust that has neither rustfmt nor clippy, as distributions ship it:
# installs, builds a program with what is installed, uninstalls, and leaves no file behind.

file(REMOVE_RECURSE "${WORK}")
foreach(tool IN ITEMS cargo rustc)
    string(TOUPPER "${tool}" variable)
    file(WRITE "${WORK}/bin/${tool}" "#!/bin/sh
case \${1:-} in fmt | clippy | +*) echo no such command >&2; exit 101 ;; esac
exec '${${variable}}' \"$@\"
")
    file(CHMOD "${WORK}/bin/${tool}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endforeach()
cmake_path(GET CMAKE_COMMAND PARENT_PATH cmake_bin)
set(ENV{PATH} "${WORK}/bin:${cmake_bin}:/usr/bin:/bin")
set(ENV{FT_LOCAL_INSTALL_BUILD} "${WORK}/build")
set(prefix "${WORK}/prefix")

execute_process(COMMAND "${ROOT}/packaging/install" "${prefix}" ERROR_VARIABLE said
                COMMAND_ERROR_IS_FATAL ANY)
if(NOT said MATCHES "LD_LIBRARY_PATH=${prefix}/lib")
    message(FATAL_ERROR "It does not say how programs find the library: ${said}")
endif()
file(GLOB_RECURSE archive "${prefix}/*.a")
cmake_path(GET archive PARENT_PATH lib)
execute_process(COMMAND "${CC}" "${PROGRAM}" -o "${WORK}/program" "-I${prefix}/include" "-L${lib}"
                        -lft_local "-Wl,-rpath,${lib}" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${WORK}/program" COMMAND_ERROR_IS_FATAL ANY)

execute_process(COMMAND "${ROOT}/packaging/install" --uninstall "${prefix}"
                COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE left LIST_DIRECTORIES false "${prefix}/*")
if(left)
    message(FATAL_ERROR "After the uninstallation there are ${left}")
endif()
execute_process(COMMAND "${ROOT}/packaging/install" --uninstall "${prefix}" ERROR_VARIABLE said
                RESULT_VARIABLE result)
if(result EQUAL 0 OR NOT said MATCHES "nothing was installed into ${prefix}")
    message(FATAL_ERROR "A second uninstallation says ${said}")
endif()
