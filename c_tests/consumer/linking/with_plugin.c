// The program and its plugin each use their own ft_local.

#include <ft_local.h>

#include <stdio.h>

const char *plugin_load(void *given, void **out);

int main(void) {
    int it = 0;
    void *out = NULL;
    const char *inside = plugin_load(&it, &out);
    printf("%s, %s\n", ft_local_version(), inside);
    return inside == NULL || out != &it || inside == ft_local_version();
}
