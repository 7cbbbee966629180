/* What fetch.c has for the other files of the hub. */
#pragma once
#include "hub/sync-run.h"

typedef struct Fetch Fetch;

gboolean fetch_frame (Fetch *fetch, const WireFrame *frame, const char **wrong);
void fetch_go_on (HubStream *stream); /* nothing of its pass waits to be written */
void fetch_abort (HubStream *stream); /* its connector goes or changes: whoever waits is told */
