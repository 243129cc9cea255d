// Initializer for ft_local_stats; `ft_local_stats_init` is the same for languages without macros.
#define FT_LOCAL_STATS_INIT { sizeof(ft_local_stats), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
