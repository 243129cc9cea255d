// Initializer for ft_local_batch_options; `ft_local_batch_options_init` is the same for languages
// without macros.
#define FT_LOCAL_BATCH_OPTIONS_INIT { sizeof(ft_local_batch_options), 0, 0, 0, 0, 0, 0, 0 }
