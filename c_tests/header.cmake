# The header compiles before anything else, without a warning, in each language and standard that it
# is for, with each of its macros that begins a struct, and without its inline function too.

set(FT_LOCAL_HEADER "${PROJECT_SOURCE_DIR}/include/ft_local.h"
    CACHE FILEPATH "The header that these tests compile; another one shows that they can fail")
set(initializers "${CMAKE_CURRENT_LIST_DIR}/header_initializers.h")
set(c "${CMAKE_C_COMPILER}" -x c -Wc++-compat -Wstrict-prototypes)
set(c++ "${CMAKE_CXX_COMPILER}" -x c++)
set(flags -fsyntax-only -Wall -Wextra -Wpedantic -Werror)

foreach(standard IN ITEMS c99 c11 c17 gnu17 c++11 c++17 c++20)
    set(compiler ${c})
    if(standard MATCHES "c\\+\\+")
        if(NOT CMAKE_CXX_COMPILER)
            continue()
        endif()
        set(compiler ${c++})
    endif()
    list(APPEND compiler ${flags} -std=${standard} -include "${FT_LOCAL_HEADER}" "${initializers}")
    add_test(NAME header.${standard} COMMAND ${compiler})
    add_test(NAME header.${standard}.no_inline COMMAND ${compiler} -DFT_LOCAL_NO_INLINE)
endforeach()

if(CMAKE_CXX_COMPILER)
    foreach(standard IN ITEMS c++17 c++20)
        add_test(NAME header_hpp.${standard} COMMAND ${c++} ${flags} -std=${standard}
                                                     "${PROJECT_SOURCE_DIR}/include/ft_local.hpp")
    endforeach()
endif()
