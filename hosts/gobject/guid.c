#include "guid.h"

#include "ft_local_gobject.h"

#include <gio/gio.h>

static gint alive; // Atomic: any thread may give up the last reference.

struct _Guid {
    GObject parent;
    char *text;
};

G_DEFINE_FINAL_TYPE(Guid, guid, G_TYPE_OBJECT)

static void guid_finalize(GObject *object) {
    g_free(GUID_OBJECT(object)->text);
    g_atomic_int_add(&alive, -1);
    G_OBJECT_CLASS(guid_parent_class)->finalize(object);
}

static void guid_class_init(GuidClass *class) {
    G_OBJECT_CLASS(class)->finalize = guid_finalize;
}

static void guid_init(Guid *guid) {
    g_atomic_int_inc(&alive);
    guid->text = g_uuid_string_random();
}

const char *guid_text(Guid *guid) {
    return guid->text;
}

gint guids_alive(void) {
    return g_atomic_int_get(&alive);
}

struct _GuidMaker {
    GObject parent;
    guint calls, made, fails_every; // Plain: one thread at a time runs a source.
};

G_DEFINE_FINAL_TYPE(GuidMaker, guid_maker, G_TYPE_OBJECT)

static void guid_maker_class_init(G_GNUC_UNUSED GuidMakerClass *class) {}

static void guid_maker_init(G_GNUC_UNUSED GuidMaker *maker) {}

GuidMaker *guid_maker_new(guint fails_every) {
    GuidMaker *maker = g_object_new(guid_maker_get_type(), NULL);
    maker->fails_every = fails_every;
    return maker;
}

guint guid_maker_made(GuidMaker *maker) {
    return maker->made;
}

gpointer guid_maker_make(gpointer data) {
    GuidMaker *maker = data;
    maker->calls++;
    if (maker->fails_every != 0 && maker->calls % maker->fails_every == 0) {
        return ft_local_gobject_fail(
            g_error_new(G_IO_ERROR, G_IO_ERROR_BUSY, "call %u failed", maker->calls));
    }
    maker->made++;
    return g_object_new(guid_get_type(), NULL);
}
