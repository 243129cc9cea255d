# Runs the port without vcpkg, which is on no package index: what vcpkg's helper functions do for it,
# as plain CMake. Then builds and runs the consumer with what it installed.
#
#   cmake -DWORK=FOLDER [-DLINKAGE=static] -P packaging/vcpkg/run.cmake

set(CURRENT_PORT_DIR "${CMAKE_CURRENT_LIST_DIR}/ft-local")
set(CURRENT_PACKAGES_DIR "${WORK}/package")
set(PORT ft-local)
set(VCPKG_LIBRARY_LINKAGE dynamic)
if(LINKAGE)
    set(VCPKG_LIBRARY_LINKAGE "${LINKAGE}")
endif()
file(REMOVE_RECURSE "${WORK}")

function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
function(vcpkg_cmake_configure)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "SOURCE_PATH" "OPTIONS")
    run("${CMAKE_COMMAND}" -S "${arg_SOURCE_PATH}" -B "${WORK}/build" -DCMAKE_BUILD_TYPE=Release
        "-DCMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR}" -DCMAKE_INSTALL_LIBDIR=lib ${arg_OPTIONS})
endfunction()
function(vcpkg_cmake_install)
    run("${CMAKE_COMMAND}" --build "${WORK}/build" --target install)
endfunction()
function(vcpkg_cmake_config_fixup)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "PACKAGE_NAME;CONFIG_PATH" "")
    set(share "${CURRENT_PACKAGES_DIR}/share/${arg_PACKAGE_NAME}")
    file(GLOB files "${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH}/*")
    foreach(file IN LISTS files)
        # One folder less between these files and the prefix.
        file(READ "${file}" text)
        string(REPLACE "get_filename_component(_IMPORT_PREFIX \"\${_IMPORT_PREFIX}\" PATH)\nif(_IMP"
                       "if(_IMP" text "${text}")
        string(REPLACE "\${CMAKE_CURRENT_LIST_DIR}/../../../" "\${CMAKE_CURRENT_LIST_DIR}/../../"
                       text "${text}")
        cmake_path(GET file FILENAME name)
        file(WRITE "${share}/${name}" "${text}")
    endforeach()
    file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/lib/cmake")
endfunction()
function(vcpkg_fixup_pkgconfig)
endfunction()
function(vcpkg_install_copyright)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
    file(INSTALL ${arg_FILE_LIST} DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
endfunction()

include("${CURRENT_PORT_DIR}/portfile.cmake")

set(kind shared)
if(VCPKG_LIBRARY_LINKAGE STREQUAL "static")
    set(kind static)
endif()
set(program "${CMAKE_CURRENT_LIST_DIR}/../../c_tests/consumer/program")
run("${CMAKE_COMMAND}" -S "${program}" -B "${WORK}/consumer" "-DFT_LOCAL_TARGET=ft_local::${kind}"
    "-Dft_local_DIR=${CURRENT_PACKAGES_DIR}/share/ft_local")
run("${CMAKE_COMMAND}" --build "${WORK}/consumer")
run("${WORK}/consumer/consumer")
