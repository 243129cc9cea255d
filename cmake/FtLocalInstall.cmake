# Installs the library for C and C++ users. Component `runtime` is what a built program needs,
# component `development` what its build needs besides.

include(CMakePackageConfigHelpers)

set(lib_dir "${PROJECT_BINARY_DIR}/lib")
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/ft_local")

install(
    PROGRAMS
        "${lib_dir}/libft_local.so.${FT_LOCAL_VERSION}"
        "${lib_dir}/libft_local.so.${FT_LOCAL_ABI_VERSION}"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    COMPONENT runtime
)
install(
    FILES "${lib_dir}/libft_local.so" "${lib_dir}/libft_local.a"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    COMPONENT development
)
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

# find_package. While the version is 0.x, a new minor version may break what was there.
configure_package_config_file(
    "${CMAKE_CURRENT_LIST_DIR}/ft_local-config.cmake.in" "${PROJECT_BINARY_DIR}/ft_local-config.cmake"
    INSTALL_DESTINATION "${package_dir}"
    PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR
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
foreach(what IN ITEMS LIBDIR INCLUDEDIR)
    cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_${what}
               BASE_DIRECTORY "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" OUTPUT_VARIABLE PC_${what})
endforeach()
configure_file("${CMAKE_CURRENT_LIST_DIR}/ft_local.pc.in" "${PROJECT_BINARY_DIR}/ft_local.pc" @ONLY)
install(
    FILES "${PROJECT_BINARY_DIR}/ft_local.pc"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig"
    COMPONENT development
)
