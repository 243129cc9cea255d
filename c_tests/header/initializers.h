// Uses each macro that begins a struct: a macro that nobody uses is not compiled. CTest
// compiles this after the header, in each language and standard that the header supports.

extern ft_local_host initial_host;
ft_local_host initial_host = FT_LOCAL_HOST_INIT;
extern ft_local_source initial_source;
ft_local_source initial_source = FT_LOCAL_SOURCE_INIT;
extern ft_local_batch_options initial_batch_options;
ft_local_batch_options initial_batch_options = FT_LOCAL_BATCH_OPTIONS_INIT;
extern ft_local_stats initial_stats;
ft_local_stats initial_stats = FT_LOCAL_STATS_INIT;
