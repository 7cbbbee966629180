#include "journal.h"

#include <string.h>

#include "base/timefmt.h"
#include "text.h"

typedef struct {
  guint64 number;
  const char *vendor; /* a literal, or one that outlives the journal */
  GString *json;
} Entry;

struct Journal {
  GQueue entries; /* Entry, oldest first */
  gsize bytes;
  guint64 last;
  gboolean on;
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;
  g_string_free (entry->json, TRUE);
  g_free (entry);
}

Journal *
journal_new (void)
{
  Journal *journal = g_new0 (Journal, 1);
  g_queue_init (&journal->entries);
  journal->on = TRUE;
  return journal;
}

void
journal_free (Journal *journal)
{
  if (!journal)
    return;
  journal_clear (journal);
  g_free (journal);
}

void
journal_clear (Journal *journal)
{
  g_queue_clear_full (&journal->entries, entry_free);
  journal->bytes = 0;
}

void
journal_set_on (Journal *journal, gboolean on)
{
  journal->on = on;
}

static void
member (GString *out, const char *name, const char *text, gssize length)
{
  g_string_append_printf (out, ",\"%s\":", name);
  text_quoted (out, text, length);
}

static GString *
to_json (guint64 number, gint64 at_ms, const char *vendor, const Request *request, int status, guint64 sent,
         const char *fault)
{
  char at[TIME_TEXT_SIZE];
  GString *out = g_string_new (NULL);
  time_to_text (at_ms, at);
  g_string_printf (out, "{\"n\":%" G_GUINT64_FORMAT ",\"at\":\"%s\"", number, at);
  member (out, "vendor", vendor, -1);
  member (out, "method", request->method, -1);
  member (out, "path", request->path, -1);
  member (out, "query", request->query, -1);
  g_string_append (out, ",\"headers\":{");
  for (guint i = 0; i < request->headers->len; i++) {
    const RequestHeader *header = &g_array_index (request->headers, RequestHeader, i);
    g_autofree char *name = g_ascii_strdown (header->name, -1);
    if (i)
      g_string_append_c (out, ',');
    text_quoted (out, name, -1);
    g_string_append_c (out, ':');
    text_quoted (out, header->value, -1);
  }
  g_string_append_c (out, '}');
  member (out, "body", request->body->str, (gssize)MIN (request->body->len, JOURNAL_BODY_BYTES));
  if (fault)
    member (out, "fault", fault, -1);
  g_string_append_printf (out, ",\"status\":%d,\"bytes\":%" G_GUINT64_FORMAT "}", status, sent);
  return out;
}

void
journal_add (Journal *journal, gint64 at_ms, const char *vendor, const Request *request, int status,
             guint64 sent, const char *fault)
{
  journal->last++;
  if (!journal->on)
    return;
  Entry *entry = g_new (Entry, 1);
  *entry =
    (Entry){ journal->last, vendor, to_json (journal->last, at_ms, vendor, request, status, sent, fault) };
  g_queue_push_tail (&journal->entries, entry);
  journal->bytes += entry->json->len;
  while (journal->entries.length > JOURNAL_ENTRIES || journal->bytes > JOURNAL_BYTES) {
    Entry *oldest = g_queue_pop_head (&journal->entries);
    journal->bytes -= oldest->json->len;
    entry_free (oldest);
  }
}

GString *
journal_to_json (const Journal *journal, const char *vendor, guint64 after)
{
  GString *out = g_string_new ("{\"requests\":[");
  gboolean first = TRUE;
  for (const GList *item = journal->entries.head; item; item = item->next) {
    const Entry *entry = item->data;
    if (entry->number <= after || (*vendor && strcmp (vendor, entry->vendor) != 0))
      continue;
    if (!first)
      g_string_append_c (out, ',');
    g_string_append_len (out, entry->json->str, (gssize)entry->json->len);
    first = FALSE;
  }
  g_string_append_printf (out, "],\"last\":%" G_GUINT64_FORMAT "}", journal->last);
  return out;
}
