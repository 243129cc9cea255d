# The files of the Python wheel: the library for ctypes, its header, and the C shim where it can be
# compiled. The package works without the shim, through ctypes.

set(package_dir ft_local)

# A distribution has the library in a package of its own, and links the shim to that.
option(FT_LOCAL_PYTHON_OWN_LIBRARY "Put the library and its headers into the Python package" ON)
if(FT_LOCAL_PYTHON_OWN_LIBRARY)
    # A wheel holds no symbolic links, so the library goes in under the name that is looked for.
    install(
        PROGRAMS "$<TARGET_FILE:ft_local_shared>"
        DESTINATION "${package_dir}"
        RENAME "libft_local.so.${FT_LOCAL_ABI_VERSION}"
    )
    install(
        FILES "${PROJECT_SOURCE_DIR}/include/ft_local.h" "${PROJECT_SOURCE_DIR}/include/ft_local.hpp"
        DESTINATION "${package_dir}/include"
    )
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/ft_local" DESTINATION "${package_dir}/include")
endif()

function(ft_local_without_shim why)
    message(STATUS "ft_local: the wheel goes without the C shim (${why}); it will use ctypes")
endfunction()

if(NOT FT_LOCAL_PYTHON_SHIM)
    ft_local_without_shim("FT_LOCAL_PYTHON_SHIM is off")
    return()
endif()
find_package(Python COMPONENTS Interpreter Development.Module)
if(NOT Python_Development.Module_FOUND)
    ft_local_without_shim("the headers of this Python were not found")
    return()
endif()
if(NOT Python_INTERPRETER_ID STREQUAL "Python")
    ft_local_without_shim("this Python is not CPython")
    return()
endif()

file(GLOB shim_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/python_ctypes/shim/*.c")
if(NOT shim_sources)
    ft_local_without_shim("its sources are not in this tree")
    return()
endif()
if(DEFINED ENV{SETUPTOOLS_EXT_SUFFIX})
    # The wheel is for another system than that of the interpreter that builds it.
    set(Python_SOABI "${SKBUILD_SOABI}")
endif()
python_add_library(_shim MODULE WITH_SOABI ${shim_sources})
# With the library inside: a libft_local on LD_LIBRARY_PATH, or one that the program has already
# loaded, would be taken instead of that of the wheel.
target_link_libraries(
    _shim PRIVATE $<IF:$<BOOL:${FT_LOCAL_PYTHON_OWN_LIBRARY}>,ft_local::static,ft_local::shared>
)
target_compile_features(_shim PRIVATE c_std_11)
# The same bytes, in whatever folder it is built.
target_compile_options(
    _shim PRIVATE -Wall -Wextra $<$<BOOL:${FT_LOCAL_WERROR}>:-Werror>
                  "-ffile-prefix-map=${PROJECT_SOURCE_DIR}=."
)
set_target_properties(_shim PROPERTIES C_VISIBILITY_PRESET hidden)
if(NOT FT_LOCAL_LINKER_EXCLUDES)
    set(exports "${CMAKE_CURRENT_BINARY_DIR}/shim.map")
    file(WRITE "${exports}" "{ global: PyInit__shim; local: *; };\n")
    target_link_options(_shim PRIVATE "LINKER:--version-script=${exports}")
endif()
install(TARGETS _shim DESTINATION "${package_dir}")
