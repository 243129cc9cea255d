// A GUID as a GObject, and what makes GUIDs; both count their instances.

#ifndef GUID_H
#define GUID_H

#include <glib-object.h>

G_DECLARE_FINAL_TYPE(Guid, guid, GUID, OBJECT, GObject)
G_DECLARE_FINAL_TYPE(GuidMaker, guid_maker, GUID, MAKER, GObject)

const char *guid_text(Guid *guid);

// A new GUID, by the signature of a batch's source. Every `fails_every`-th call fails, none if 0.
gpointer guid_maker_make(gpointer maker);
GuidMaker *guid_maker_new(guint fails_every);
// How many of them were made.
guint guid_maker_made(GuidMaker *maker);

// How many GUIDs of all makers are alive.
gint guids_alive(void);

#endif
