#include "tap.h"

#include <string.h>

#include "cli/events.h"
#include "cli/terminal.h"
#include "cli/watch.h"

/* What was given, an event a line: "name|data". */
typedef struct {
  GString *told;
  guint most; /* events until it is enough */
} Told;

static gboolean
take (const char *event, const char *data, gpointer user)
{
  Told *told = user;
  g_string_append_printf (told->told, "%s|%s\n", event, data);
  return --told->most > 0;
}

/* Fed in pieces of that size. */
static void
reads (const char *text, gsize piece, const char *expected, const char *id, gint64 retry_ms)
{
  g_autoptr (GString) out = g_string_new (NULL);
  Told told = { out, 1000 };
  g_autoptr (EventReader) reader = event_reader_new (take, &told);
  for (gsize at = 0, all = strlen (text); at < all; at += piece)
    CU_ASSERT_EQUAL (event_reader_feed (reader, text + at, MIN (piece, all - at)), EVENTS_MORE);
  CU_ASSERT_STRING_EQUAL (out->str, expected);
  CU_ASSERT_STRING_EQUAL (event_reader_id (reader), id);
  CU_ASSERT_EQUAL (event_reader_retry_ms (reader), retry_ms);
}

static void
test_events_are_the_same_however_they_are_cut (void)
{
  static const char *const ends[] = { "\n", "\r\n", "\r" };
  const char *text =
    "\357\273\277retry: 1000\n\nid: 17\nevent: change\ndata: {\"a\":1}\n\n: alive\nid: 20\n\n"
    "data:x\ndata\ndata:  y\n\nevent:reset\ndata: {}\n\nid: 99\ndata: never whole\n";
  for (gsize e = 0; e < G_N_ELEMENTS (ends); e++) {
    g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
    g_autofree char *sent = g_strjoinv (ends[e], lines);
    for (gsize piece = 1; piece <= strlen (sent); piece++)
      reads (sent, piece, "change|{\"a\":1}\nmessage|x\n\n y\nreset|{}\n", "20", 1000);
  }
}

static void
test_what_is_no_event_is_passed_over (void)
{
  reads ("id: 5\n\nid\ndata: a\n\n", 3, "message|a\n", "", -1);
  reads ("event: change\n\ndata: a\n\n", 3, "message|a\n", "", -1);
  reads (":\n::\ncolour: red\nretry: soon\nretry: 99999999999\ndata:\n\n\n\n", 3, "message|\n", "", -1);
}

static void
test_a_cut_event_is_forgotten_and_its_place_is_not_taken (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  Told told = { out, 1000 };
  g_autoptr (EventReader) reader = event_reader_new (take, &told);
  const char *first = "id: 1\ndata: a\n\nid: 2\nevent: change\ndata: hal", *second = "data: b\n\nid: 3\n\n";
  event_reader_feed (reader, first, strlen (first));
  event_reader_cut (reader);
  CU_ASSERT_STRING_EQUAL (event_reader_id (reader), "1");
  event_reader_feed (reader, second, strlen (second));
  CU_ASSERT_STRING_EQUAL (out->str, "message|a\nmessage|b\n");
  CU_ASSERT_STRING_EQUAL (event_reader_id (reader), "3");
}

static void
test_enough_is_enough (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  Told told = { out, 2 };
  g_autoptr (EventReader) reader = event_reader_new (take, &told);
  const char *text = "id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\n";
  CU_ASSERT_EQUAL (event_reader_feed (reader, text, strlen (text)), EVENTS_ENOUGH);
  CU_ASSERT_STRING_EQUAL (out->str, "message|a\nmessage|b\n");
  CU_ASSERT_STRING_EQUAL (event_reader_id (reader), "2");
}

static void
test_an_endless_line_is_refused (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  Told told = { out, 2 };
  g_autoptr (EventReader) reader = event_reader_new (take, &told);
  g_autofree char *much = g_strnfill (1 << 20, 'x');
  EventsRead read = EVENTS_MORE;
  guint pieces = 0;
  for (; read == EVENTS_MORE && pieces < 1000; pieces++)
    read = event_reader_feed (reader, much, 1 << 20);
  CU_ASSERT_EQUAL (read, EVENTS_TOO_LARGE);
  CU_ASSERT_EQUAL (pieces, 65);
}

/* ---- room on a terminal ---- */

static void
test_texts_take_the_room_that_a_terminal_gives_them (void)
{
  g_autofree char *cut = terminal_cut ("紫色软糖", 5);
  g_autofree char *accent = terminal_cut ("e\314\201e\314\201e", 2);
  g_autofree char *whole = terminal_cut ("plum", 80);
  g_autofree char *padded = terminal_pad ("紫", 4);
  g_autofree char *longer = terminal_pad ("plum", 2);
  CU_ASSERT_EQUAL (terminal_width ("plum"), 4);
  CU_ASSERT_EQUAL (terminal_width ("紫色"), 4);
  CU_ASSERT_EQUAL (terminal_width ("e\314\201"), 1);
  CU_ASSERT_STRING_EQUAL (cut, "紫色");
  CU_ASSERT_STRING_EQUAL (accent, "e\314\201e\314\201");
  CU_ASSERT_STRING_EQUAL (whole, "plum");
  CU_ASSERT_STRING_EQUAL (padded, "紫  ");
  CU_ASSERT_STRING_EQUAL (longer, "plum");
}

static void
rows_are (const char *text, guint columns, const char *expected)
{
  g_autoptr (GPtrArray) rows = watch_rows (text, columns);
  g_ptr_array_add (rows, NULL);
  g_autofree char *joined = g_strjoinv ("|", (char **)rows->pdata);
  CU_ASSERT_STRING_EQUAL (joined, expected);
}

static void
test_rows_end_between_words_where_they_can (void)
{
  rows_are ("all is well\n\nplum\n", 80, "all is well||plum");
  rows_are ("all is well", 8, "all is|well");
  rows_are ("all is well", 6, "all is|well");
  rows_are ("plumgummies", 4, "plum|gumm|ies");
  rows_are ("a plumgummies", 4, "a|plum|gumm|ies");
  rows_are ("\033[31mall is\033[0m well", 6, "\033[31mall is\033[0m|well");
  rows_are ("紫色软糖", 5, "紫色|软糖");
  rows_are ("", 5, "");
}

int
main (void)
{
  return TAP_RUN (
    "cli events",
    { "events are the same however they are cut", test_events_are_the_same_however_they_are_cut },
    { "what is no event is passed over", test_what_is_no_event_is_passed_over },
    { "a cut event is forgotten and its place is not taken",
      test_a_cut_event_is_forgotten_and_its_place_is_not_taken },
    { "enough is enough", test_enough_is_enough },
    { "an endless line is refused", test_an_endless_line_is_refused },
    { "texts take the room that a terminal gives them", test_texts_take_the_room_that_a_terminal_gives_them },
    { "rows end between words where they can", test_rows_end_between_words_where_they_can });
}
