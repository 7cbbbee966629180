/* What people read: members of answers, ages, times, money and sums in words. Texts from outside lose their
 * control characters, so that no vendor writes to an operator's terminal. */
#pragma once
#include <glib.h>
#include <json-c/json.h>

/* Members of an answer; absent: "", 0, FALSE, NULL. */
const char *member_text (json_object *object, const char *name);
gint64 member_number (json_object *object, const char *name);
gboolean member_is (json_object *object, const char *name);
json_object *member_at (json_object *object, const char *name);
gint64 member_time (json_object *object, const char *name); /* milliseconds since 1970; 0: not said */

/* All of these: g_free(). */
char *words_safe (const char *text);
char *words_age (gint64 ms);                  /* "12 s" "19 min" "3 h" "2 d" */
char *words_time (gint64 ms);                 /* "2026-03-02 17:15:40" in local time; 0: "" */
char *words_until (gint64 ms, gint64 now_ms); /* "in 4 min", "now"; 0: "" */
char *words_money (gint64 minor, const char *currency);
char *words_list (json_object *list);   /* "a, b" */
char *words_value (json_object *value); /* as a drop-in has it: "\"15m\"", "5", "[...]" */
char *words_sums (json_object *pass);   /* "seen 12 = stored 3 + unchanged 9 + rejected 0 + filtered 0" */
const char *words_plural (gint64 count, const char *one, const char *many);
