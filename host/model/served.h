/* Reading bodies as they are served: what the store needs to know of what it keeps. */
#pragma once
#include "model/model.h"

/* Scratch; all zero to begin with, reused from body to body. */
typedef struct {
  JsonDocument document;
  JsonBuffer text;
} ModelServed;

void model_served_clear (ModelServed *served);

/* The record's own quantity in units of 10^-9. FALSE: it says none. */
gboolean model_served_quantity (ModelServed *served, const char *body, gsize length, gint64 *nano);

/* ---- by what records are found: by words in a member, by a member's whole text, or both ---- */

enum { MODEL_TERMS_MOST = 16 };

/* The number of a member that is found by its whole text; below MODEL_TERMS_MOST, -1: it is not. */
int model_served_term (const char *member);

/* words: its words are looked for. term: its number, -1: its whole text is not looked for. text: without
 * escapes, NUL-terminated, valid inside the callback only. */
typedef void (*ModelEachFound) (const char *text, gsize length, gboolean words, int term, gpointer data);
/* Calls each for every member by which this record is found, in the body's order. */
void model_served_found_by (ModelServed *served, const char *body, gsize length, ModelEachFound each,
                            gpointer data);

/* The whole table as text: what was made by another one is to be made anew. */
char *model_served_table (void);
