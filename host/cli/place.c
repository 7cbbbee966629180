#include "cli/place.h"

#include <string.h>

static const char *const shapes[] = { "STORE", "STORE/CONNECTOR", "STORE/CONNECTOR/STREAM" };

gboolean
place_read (Place *place, const char *text, guint least, guint most, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text ? text : "", "/", -1);
  guint count = text ? g_strv_length (parts) : 0;
  gboolean empty = text && !*text;
  for (guint i = 0; i < count; i++)
    empty |= !*parts[i];
  if (empty || count < least || count > most) {
    g_autofree char *other = least < most ? g_strdup_printf (" to %s", shapes[most - 1]) : g_strdup ("");
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "\"%s\" is not understood, expected %s%s",
                 text ? text : "", shapes[MAX (least, 1) - 1], other);
    return FALSE;
  }
  *place = (Place){ count > 0 ? g_strdup (parts[0]) : NULL, count > 1 ? g_strdup (parts[1]) : NULL,
                    count > 2 ? g_strdup (parts[2]) : NULL };
  return TRUE;
}

void
place_clear (Place *place)
{
  g_clear_pointer (&place->store, g_free);
  g_clear_pointer (&place->connector, g_free);
  g_clear_pointer (&place->stream, g_free);
}

char *
place_connector_label (const Place *place)
{
  return place->connector ? g_strdup_printf ("%s/%s", place->store, place->connector) : NULL;
}
