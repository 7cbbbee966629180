/* Parts of tillbridge(1) that the verb table knows; all of them: g_free(). */
#pragma once

char *manual_verbs (void);
char *manual_common_options (void);
