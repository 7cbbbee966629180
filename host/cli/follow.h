/* changes --follow: the feed as it goes on, over cuts and the daemon's restarts. */
#pragma once
#include "cli/cli.h"

/* filters: the feed with store= and kinds=; since: NULL: from now on; most 0: until it is interrupted. */
int follow_changes (Cli *cli, const char *filters, const char *since, guint64 most);
