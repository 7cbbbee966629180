/* What plugins.c and plugin-info.c share. For this room alone. */
#pragma once
#include "config/plugins.h"

/* plugins_scan() with another limit, so that its test need not wait for 10 s. */
Plugins *plugins_scan_within (char **folders, const char *worker, Plugins *known, int limit_ms);

/* Nothing filled but the names. */
PluginInfo *plugin_info_new (const char *name, const char *file);
void plugin_info_free (PluginInfo *info);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PluginInfo, plugin_info_free)
/* Device, inode, size and mtime of a file: another file, another identity. NULL: no file; g_free(). */
char *plugin_identity (const char *file);
