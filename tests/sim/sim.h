/* The simulator: the hub's own code against a clock, a disk, a vendor and workers that are made up, all from
 * one seed. A failure is seen again by its seed. */
#pragma once
#include "hub/hub.h"
#include "mem-store.h"

typedef struct Sim Sim;

/* What may happen, in a thousandth an occasion. */
typedef struct {
  guint records; /* at the vendor, at the beginning */
  guint page;    /* records on one */
  guint fail, die, reject, crash,
    torn; /* a page fails; the worker dies in one; a record is rejected; the hub dies between two steps;
             the vendor gives a part of a full list only */
  guint full_disk; /* the disk is full for a while */
  guint changes;   /* the vendor's, a simulated second */
  guint late_ms;   /* how much older than now a change may say it is */
  gboolean skips;  /* the worker tells what it skipped */
  guint overrides; /* an operator overrides products */
} SimChances;

Sim *sim_new (guint64 seed, const SimChances *chances);
void sim_free (Sim *sim);
/* Lets the world run for so long. */
void sim_run (Sim *sim, gint64 ms);
/* From now on the disk is full for a while so often (see SimChances). */
void sim_fill_disk (Sim *sim, guint thousandth);
/* Nothing bad happens any more, the vendor rests: runs until all is known. FALSE: it does not come to rest.
 */
gboolean sim_settle (Sim *sim);
/* Compares: store with vendor, follower with store, sums of passes. NULL when all is well, else what is not
 * (g_free). */
char *sim_check (Sim *sim);
/* Lets one delta of the products come in with nothing bad happening, and compares the products alone. */
gboolean sim_settle_changes (Sim *sim);
char *sim_check_products (Sim *sim);
/* Living records of a kind in the store. */
guint sim_alive (Sim *sim, guint kind);
/* Changes that the follower was told. */
guint sim_told (const Sim *sim);
guint sim_crashes (const Sim *sim);
guint sim_overridden (const Sim *sim); /* how often an override was answered with the product */
void sim_override_some (Sim *sim, guint count);
guint sim_passes (const Sim *sim);
Hub *sim_hub (Sim *sim);
/* The vendor loses this share of its records at once (percent). */
void sim_vendor_loses (Sim *sim, guint percent);
guint sim_vendor_count (const Sim *sim);
