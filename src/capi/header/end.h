// Define FT_LOCAL_NO_INLINE for programs that read this file and know declarations only.
#if !defined(FT_LOCAL_H_INLINE) && !defined(FT_LOCAL_NO_INLINE)
#define FT_LOCAL_H_INLINE

// `ft_local_cursor_next`, without a call if there is a result in hand: 1.5 times as fast or more.
// `cursor` and `out` are not checked. Not exported: see `ft_local_cursor_next`.
FT_LOCAL_MUST_USE
static inline ft_local_status ft_local_cursor_next_inline(ft_local_cursor *cursor, void **out)
{
    ft_local_cursor_frame *frame = (ft_local_cursor_frame *)(void *)cursor;
    if (frame->next != frame->end) {
        *out = *frame->next++;
        return FT_LOCAL_OK;
    }
    return ft_local_cursor_next(cursor, out);
}

// `ft_local_wrapper_get`, without a call: one read. `wrapper` is not checked. Not exported: see
// `ft_local_wrapper_get`.
FT_LOCAL_MUST_USE
static inline void *ft_local_wrapper_get_inline(const ft_local_wrapper *wrapper)
{
    return ((const ft_local_wrapper_frame *)(const void *)wrapper)->object;
}

#endif

#ifdef __cplusplus
}
#endif

#endif // FT_LOCAL_H
