/* A pass: one run through a stream, and its sums. Kept with the stream's place while it runs, in the history
 * afterwards. */
#pragma once
#include <glib.h>
#include <json-c/json.h>
#include "base/ids.h"
#include "json/shape.h"

typedef enum {
  PASS_WAITING,
  PASS_RUNNING,
  PASS_COMPLETE,
  PASS_FAILED,
  PASS_HELD,
  PASS_REFUSED,
  PASS_STATES
} PassState;

typedef struct {
  guint64 seen, stored, unchanged, rejected, filtered; /* seen = stored + unchanged + rejected + filtered */
  guint64 plugin, older, duplicate;                    /* what filtered is made of */
} PassSums;

typedef struct {
  char id[ID_TEXT_SIZE];
  char *store, *connector, *stream;
  gboolean full, resumed, dry;
  PassState state;
  gint64 started_ms, ended_ms, since_ms; /* wall clock; started: 0 while it waits */
  guint pages;
  PassSums sums;
  guint64 missing, deleted;
  json_object *cursor; /* NULL at the beginning */
  char *detail;        /* how it failed, or what it left undone; NULL */
} Pass;

Pass *pass_new (const char *id, const char *store, const char *connector, const char *stream, gboolean full);
void pass_free (Pass *pass);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pass, pass_free)

gboolean pass_sums_agree (const PassSums *sums);

const char *pass_state_word (PassState state);
/* As SURFACES 8 shows it. */
json_object *pass_to_json (const Pass *pass);
extern const Shape pass_shape, pass_filtered_shape;
/* With the cursor, for the stream's place in the store. */
json_object *pass_to_saved (const Pass *pass);
Pass *pass_from_saved (json_object *saved); /* NULL: not one */

/* May a complete full pass that lacks `missing` of `alive` records delete them? Not above 30 %, and never
 * all. */
gboolean pass_may_delete (guint64 alive, guint64 missing);
