// The versions of the header, of the loaded library and of Cargo.toml are the same.

#include "check.h"
#include "ft_local.h"

static void the_text_is_that_of_cargo_toml(void) {
    CHECK(strcmp(ft_local_version(), FT_LOCAL_CARGO_VERSION) == 0);
}

static void the_text_has_the_header_s_parts(void) {
    char text[64];
    snprintf(text, sizeof text, "%d.%d.%d", FT_LOCAL_VERSION_MAJOR, FT_LOCAL_VERSION_MINOR,
             FT_LOCAL_VERSION_PATCH);
    CHECK(strcmp(ft_local_version(), text) == 0);
}

static void the_number_is_the_header_s(void) {
    CHECK_EQ(ft_local_version_number(), FT_LOCAL_VERSION_NUMBER);
    CHECK_EQ(ft_local_version_number(), FT_LOCAL_VERSION_MAJOR * 1000000 +
                                            FT_LOCAL_VERSION_MINOR * 1000 + FT_LOCAL_VERSION_PATCH);
}

static void the_binary_interface_is_the_header_s(void) {
    CHECK_EQ(ft_local_abi_version(), FT_LOCAL_ABI_VERSION);
}

int main(void) {
    RUN(the_text_is_that_of_cargo_toml);
    RUN(the_text_has_the_header_s_parts);
    RUN(the_number_is_the_header_s);
    RUN(the_binary_interface_is_the_header_s);
    return 0;
}
