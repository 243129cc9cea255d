# Each header compiles by itself, without a warning, in each language and standard that it is for,
# and that of C without its inline function too.

set(header "${PROJECT_SOURCE_DIR}/include/ft_local.h")
set(warnings -Wall -Wextra -Wpedantic -Werror)

foreach(standard IN ITEMS c99 c11 c17)
    add_test(
        NAME header.${standard}
        COMMAND "${CMAKE_C_COMPILER}" -fsyntax-only -x c -std=${standard} ${warnings} -Wc++-compat
                "${header}"
    )
    add_test(
        NAME header.${standard}.no_inline
        COMMAND "${CMAKE_C_COMPILER}" -fsyntax-only -x c -std=${standard} ${warnings}
                -Wc++-compat -DFT_LOCAL_NO_INLINE "${header}"
    )
endforeach()

if(CMAKE_CXX_COMPILER)
    foreach(standard IN ITEMS c++11 c++17 c++20)
        add_test(
            NAME header.${standard}
            COMMAND "${CMAKE_CXX_COMPILER}" -fsyntax-only -x c++ -std=${standard} ${warnings}
                    "${header}"
        )
        add_test(
            NAME header.${standard}.no_inline
            COMMAND "${CMAKE_CXX_COMPILER}" -fsyntax-only -x c++ -std=${standard} ${warnings}
                    -DFT_LOCAL_NO_INLINE "${header}"
        )
    endforeach()
    foreach(standard IN ITEMS c++17 c++20)
        add_test(
            NAME header_hpp.${standard}
            COMMAND "${CMAKE_CXX_COMPILER}" -fsyntax-only -x c++ -std=${standard} ${warnings}
                    "${header}pp"
        )
    endforeach()
endif()
