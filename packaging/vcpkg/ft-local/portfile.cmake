# An overlay port, which builds the checkout that it lies in with the cargo on the PATH:
#   vcpkg install ft-local --overlay-ports=packaging/vcpkg

cmake_path(GET CURRENT_PORT_DIR PARENT_PATH source)
cmake_path(GET source PARENT_PATH source)
cmake_path(GET source PARENT_PATH source)

find_program(CARGO cargo PATHS "$ENV{CARGO_HOME}/bin" "$ENV{HOME}/.cargo/bin" REQUIRED)
vcpkg_cmake_configure(
    SOURCE_PATH "${source}"
    OPTIONS -DBUILD_TESTING=OFF "-DFT_LOCAL_CARGO=${CARGO}"
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME ft_local CONFIG_PATH lib/cmake/ft_local)
vcpkg_fixup_pkgconfig()

# A triplet asks for one kind; the package file of the other goes with it.
if(VCPKG_LIBRARY_LINKAGE STREQUAL "static")
    file(GLOB others "${CURRENT_PACKAGES_DIR}/lib/*.so*" "${CURRENT_PACKAGES_DIR}/debug/lib/*.so*"
         "${CURRENT_PACKAGES_DIR}/share/ft_local/ft_local-shared*.cmake")
else()
    file(GLOB others "${CURRENT_PACKAGES_DIR}/lib/*.a" "${CURRENT_PACKAGES_DIR}/debug/lib/*.a"
         "${CURRENT_PACKAGES_DIR}/lib/pkgconfig/ft_local-static.pc"
         "${CURRENT_PACKAGES_DIR}/debug/lib/pkgconfig/ft_local-static.pc"
         "${CURRENT_PACKAGES_DIR}/share/ft_local/ft_local-static*.cmake")
endif()
file(REMOVE ${others})
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${source}/LICENSE-MIT" "${source}/LICENSE-APACHE")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage"
     DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
