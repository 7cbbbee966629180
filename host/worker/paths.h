/* Compiled paths, kept. A plugin's literals are known by their address, which costs a comparison; other texts
 * by their bytes. */
#pragma once
#include "json/json.h"
#include "worker/loader.h"

typedef struct Paths Paths;

Paths *paths_new (const Plugin *plugin);
void paths_free (Paths *paths);
/* NULL: it is not a path. Valid until the next call of paths_get(). */
const JsonPath *paths_get (Paths *paths, const char *path, gboolean any_case);
