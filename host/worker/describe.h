/* What a plugin says of itself, as JSON: the first frame of a worker, and the answer of --describe. */
#pragma once
#include <json-c/json.h>
#include "worker/loader.h"

json_object *describe (const Plugin *plugin);
