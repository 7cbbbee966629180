/* One parameter of a query, checked and read by its type. */
#pragma once
#include "api/route.h"

/* raw: as it came, not decoded. NULL when it is well. */
Problem *param_read (const RouteParam *param, const char *raw, RouteValue *value);
