/* Which name is meant by one that nobody knows. */
#pragma once

/* The nearest of names (ends with NULL); NULL when none is near. */
const char *nearest_name (const char *wrong, const char *const *names);
