// The version of this header. `ft_local_version_number` asks the library that was loaded.
#define FT_LOCAL_VERSION_MAJOR @MAJOR@
#define FT_LOCAL_VERSION_MINOR @MINOR@
#define FT_LOCAL_VERSION_PATCH @PATCH@
#define FT_LOCAL_VERSION_NUMBER                                                                    \
    (FT_LOCAL_VERSION_MAJOR * 1000000 + FT_LOCAL_VERSION_MINOR * 1000 + FT_LOCAL_VERSION_PATCH)
// The version of the binary interface, which is also the number in the SONAME.
#define FT_LOCAL_ABI_VERSION @ABI@
