# Finds cargo and rustc, and says what to install where they are missing or too old.

if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
    message(FATAL_ERROR
        "ft_local: this CMake build knows how shared libraries are named on Linux only. "
        "`cargo build --release` makes the library on other systems.")
endif()

string(CONCAT FT_LOCAL_RUST_HINT
    "Install Rust ${FT_LOCAL_RUST_VERSION} or later: by rustup, or on Debian by "
    "`apt install cargo-web rustc-web` (the packages cargo and rustc may be too old). "
    "Then configure again, with -DFT_LOCAL_CARGO=/path/to/cargo if it is not in PATH.")

find_program(FT_LOCAL_CARGO cargo PATHS "$ENV{CARGO_HOME}/bin" "$ENV{HOME}/.cargo/bin"
             DOC "The cargo that builds ft_local")
if(NOT FT_LOCAL_CARGO)
    message(FATAL_ERROR "ft_local: cargo was not found. ${FT_LOCAL_RUST_HINT}")
endif()

cmake_path(GET FT_LOCAL_CARGO PARENT_PATH cargo_dir)
find_program(FT_LOCAL_RUSTC NAMES "$ENV{RUSTC}" rustc HINTS "${cargo_dir}"
             DOC "The rustc that builds ft_local")
if(NOT FT_LOCAL_RUSTC)
    message(FATAL_ERROR "ft_local: rustc was not found. ${FT_LOCAL_RUST_HINT}")
endif()

# An old cargo cannot even read Cargo.toml, and its words for that help nobody.
execute_process(
    COMMAND "${FT_LOCAL_RUSTC}" --version
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
    OUTPUT_VARIABLE rustc_version
    OUTPUT_STRIP_TRAILING_WHITESPACE
)
if(NOT rustc_version MATCHES "^rustc ([0-9]+\\.[0-9]+\\.[0-9]+)")
    message(FATAL_ERROR "ft_local: `${FT_LOCAL_RUSTC} --version` fails. ${FT_LOCAL_RUST_HINT}")
endif()
if(CMAKE_MATCH_1 VERSION_LESS FT_LOCAL_RUST_VERSION)
    message(FATAL_ERROR "ft_local: ${rustc_version} is too old. ${FT_LOCAL_RUST_HINT}")
endif()

set(FT_LOCAL_RUST_TARGET "$ENV{CARGO_BUILD_TARGET}"
    CACHE STRING "The Rust target triple to build for; empty for this machine's")
set(ft_local_cargo_args)
if(FT_LOCAL_RUST_TARGET)
    set(ft_local_cargo_args --target "${FT_LOCAL_RUST_TARGET}")
endif()

# What a program must link besides libft_local.a is what Rust's standard library needs, which a
# crate with nothing in it shows: ft_local links no native library of its own.
if(NOT DEFINED FT_LOCAL_NATIVE_LIBS)
    set(native_libs_file "${CMAKE_CURRENT_BINARY_DIR}/native-static-libs.txt")
    set(empty_crate "${CMAKE_CURRENT_BINARY_DIR}/empty.rs")
    file(WRITE "${empty_crate}" "")
    execute_process(
        COMMAND "${FT_LOCAL_RUSTC}" ${ft_local_cargo_args} --crate-type staticlib
                "--print=native-static-libs=${native_libs_file}" -o "${empty_crate}.a" "${empty_crate}"
        WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
        OUTPUT_QUIET ERROR_VARIABLE rustc_error
        RESULT_VARIABLE rustc_result
    )
    if(NOT rustc_result EQUAL 0)
        message(FATAL_ERROR "ft_local: ${rustc_version} cannot compile an empty crate. ${rustc_error}")
    endif()
    file(READ "${native_libs_file}" FT_LOCAL_NATIVE_LIBS)
    string(STRIP "${FT_LOCAL_NATIVE_LIBS}" FT_LOCAL_NATIVE_LIBS)
endif()

# The C compiler's driver adds libgcc and libc: for -static it takes other ones.
separate_arguments(FT_LOCAL_STATIC_LIBS UNIX_COMMAND "${FT_LOCAL_NATIVE_LIBS}")
list(REMOVE_ITEM FT_LOCAL_STATIC_LIBS -lgcc_s -lc)

# packaging/one-object needs options of GNU ld, which need not be what the compiler links with.
find_program(FT_LOCAL_LD NAMES "${CMAKE_LIBRARY_ARCHITECTURE}-ld.bfd" ld.bfd "${CMAKE_LINKER}"
             DOC "GNU ld, which makes one object file of libft_local.a")
set(FT_LOCAL_OBJCOPY "${CMAKE_OBJCOPY}" CACHE FILEPATH "The objcopy for the same")
