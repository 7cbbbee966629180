/* The vendor: products that change, come and go, and say when they changed, not always in order. */
#include "sim-private.h"

#include <string.h>

#include "base/timefmt.h"

enum { STAMP_MS = 1000 }; /* times are told in whole seconds, so that many are equal */

static gint64
stamp (Sim *sim)
{
  gint64 late_ms = sim->chances.late_ms ? sim_random (sim) % sim->chances.late_ms : 0;
  return (sim_wall_ms (sim) - late_ms) / STAMP_MS * STAMP_MS;
}

void
sim_vendor_add (Sim *sim)
{
  SimRecord record = {
    .version = 1, .quantity = sim_random (sim) % 5, .updated_ms = stamp (sim), .there = TRUE
  };
  g_snprintf (record.id, sizeof record.id, "p%05u", sim->made++);
  g_array_append_val (sim->vendor, record);
}

void
sim_vendor_change (Sim *sim)
{
  guint what = sim_random (sim) % 10;
  gint64 now_ms = stamp (sim);
  if (what == 0 || sim->vendor->len == 0) {
    sim_vendor_add (sim);
    return;
  }
  SimRecord *record = &g_array_index (sim->vendor, SimRecord, sim_random (sim) % sim->vendor->len);
  if (what == 1) {
    record->there = !record->there;
    record->updated_ms = MAX (record->updated_ms, now_ms);
    record->version++;
  } else if (what < 5) { /* stock moves no time stamp */
    record->quantity = sim_random (sim) % 5;
  } else {
    record->version++;
    record->updated_ms = MAX (record->updated_ms, now_ms);
  }
}

void
sim_vendor_loses (Sim *sim, guint percent)
{
  for (guint i = 0; i < sim->vendor->len; i++)
    if (i * 100 / sim->vendor->len < percent)
      g_array_index (sim->vendor, SimRecord, i).there = FALSE;
}

guint
sim_vendor_count (const Sim *sim)
{
  guint count = 0;
  for (guint i = 0; i < sim->vendor->len; i++)
    count += g_array_index (sim->vendor, SimRecord, i).there;
  return count;
}

char *
sim_body (const SimRecord *record, guint kind, char **id)
{
  char at[TIME_TEXT_SIZE];
  if (kind == MODEL_INVENTORY) {
    *id = g_strconcat (record->id, ":l", NULL);
    return g_strdup_printf ("{\"id\":\"%s:l\",\"product_id\":\"%s\",\"location_id\":\"l\",\"quantity\":%u}",
                            record->id, record->id, record->there ? record->quantity : 0);
  }
  *id = g_strdup (record->id);
  time_to_text (record->updated_ms, at);
  return g_strdup_printf ("{\"id\":\"%s\",\"name\":\"version %u\",\"updated_at\":\"%s\"}", record->id,
                          record->version, at);
}
