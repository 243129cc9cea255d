// Initializer for ft_local_source; `ft_local_source_init` is the same for languages without macros.
#define FT_LOCAL_SOURCE_INIT { sizeof(ft_local_source), NULL, NULL, NULL, NULL, NULL, NULL, NULL }
