# Each header compiles by itself, without a warning, in each language and standard that it is for.

set(header "${PROJECT_SOURCE_DIR}/include/ft_local.h")
set(warnings -Wall -Wextra -Wpedantic -Werror)

foreach(standard IN ITEMS c99 c11 c17)
    add_test(
        NAME header.${standard}
        COMMAND "${CMAKE_C_COMPILER}" -fsyntax-only -x c -std=${standard} ${warnings} -Wc++-compat
                "${header}"
    )
endforeach()

if(CMAKE_CXX_COMPILER)
    foreach(standard IN ITEMS c++11 c++17 c++20)
        add_test(
            NAME header.${standard}
            COMMAND "${CMAKE_CXX_COMPILER}" -fsyntax-only -x c++ -std=${standard} ${warnings}
                    "${header}"
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
