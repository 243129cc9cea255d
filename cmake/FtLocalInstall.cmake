# Installs the library for C and C++ users. Component `runtime` is what a built program needs,
# component `development` what its build needs besides. A project around this one gets the former
# with its own installation, and the latter if it asks for it.

include(CMakePackageConfigHelpers)

install(
    TARGETS ft_local_shared EXPORT ft_local-shared
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime NAMELINK_COMPONENT development
)
if(NOT FT_LOCAL_INSTALL_DEVELOPMENT)
    return()
endif()

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/ft_local")
install(
    TARGETS ft_local_static EXPORT ft_local-static
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development
)
foreach(kind IN ITEMS shared static)
    install(
        EXPORT ft_local-${kind}
        NAMESPACE ft_local::
        DESTINATION "${package_dir}"
        COMPONENT development
    )
endforeach()
install(
    FILES "${PROJECT_SOURCE_DIR}/include/ft_local.h" "${PROJECT_SOURCE_DIR}/include/ft_local.hpp"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    COMPONENT development
)
install(
    DIRECTORY "${PROJECT_SOURCE_DIR}/include/ft_local"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    COMPONENT development
)
install(
    FILES "${PROJECT_BINARY_DIR}/ft_local.cdef"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/ft_local"
    COMPONENT development
)

# find_package. While the version is 0.x, a new minor version may break what was there.
configure_package_config_file(
    "${CMAKE_CURRENT_LIST_DIR}/ft_local-config.cmake.in" "${PROJECT_BINARY_DIR}/ft_local-config.cmake"
    INSTALL_DESTINATION "${package_dir}"
)
write_basic_package_version_file(
    "${PROJECT_BINARY_DIR}/ft_local-config-version.cmake"
    COMPATIBILITY SameMinorVersion
)
install(
    FILES
        "${PROJECT_BINARY_DIR}/ft_local-config.cmake"
        "${PROJECT_BINARY_DIR}/ft_local-config-version.cmake"
    DESTINATION "${package_dir}"
    COMPONENT development
)

# pkg-config. All places are relative to that of the file, so the tree may be moved.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
           BASE_DIRECTORY "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" OUTPUT_VARIABLE PC_PREFIX)
foreach(what IN ITEMS LIBDIR INCLUDEDIR DATADIR)
    cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_${what}
               BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" OUTPUT_VARIABLE PC_${what})
endforeach()
string(JOIN " " PC_LIBS_PRIVATE ${FT_LOCAL_STATIC_LIBS})
foreach(name IN ITEMS ft_local ft_local-static)
    configure_file("${CMAKE_CURRENT_LIST_DIR}/${name}.pc.in" "${PROJECT_BINARY_DIR}/${name}.pc" @ONLY)
endforeach()
install(
    FILES "${PROJECT_BINARY_DIR}/ft_local.pc" "${PROJECT_BINARY_DIR}/ft_local-static.pc"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig"
    COMPONENT development
)
