# Reads what other files know already: nothing of it is written down a second time for CMake.

# The value of a `key = "value"` line in the first part of Cargo.toml, which all packages share.
function(ft_local_package_value key variable)
    file(STRINGS "${CMAKE_CURRENT_SOURCE_DIR}/Cargo.toml" line REGEX "^${key} = \"" LIMIT_COUNT 1)
    if(NOT line MATCHES "= \"([^\"]*)\"")
        message(FATAL_ERROR "ft_local: Cargo.toml has no line that begins with ${key} =")
    endif()
    set(${variable} "${CMAKE_MATCH_1}" PARENT_SCOPE)
endfunction()

ft_local_package_value(version FT_LOCAL_VERSION)
ft_local_package_value(description FT_LOCAL_DESCRIPTION)
ft_local_package_value(rust-version FT_LOCAL_RUST_VERSION)

# The number in the SONAME, which build.rs gives to the linker.
file(STRINGS "${CMAKE_CURRENT_SOURCE_DIR}/build.rs" line REGEX "^const ABI_VERSION")
if(NOT line MATCHES "= ([0-9]+)")
    message(FATAL_ERROR "ft_local: build.rs has no line that begins with const ABI_VERSION")
endif()
set(FT_LOCAL_ABI_VERSION "${CMAKE_MATCH_1}")

set_property(
    DIRECTORY APPEND
    PROPERTY CMAKE_CONFIGURE_DEPENDS
             "${CMAKE_CURRENT_SOURCE_DIR}/Cargo.toml" "${CMAKE_CURRENT_SOURCE_DIR}/build.rs"
)
