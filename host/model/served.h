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
