// Initializer for ft_local_host; `ft_local_host_init` is the same for languages without macros.
#define FT_LOCAL_HOST_INIT                                                                         \
    {                                                                                              \
        sizeof(ft_local_host), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,   \
            NULL, NULL, 0, NULL, 0                                                                 \
    }
