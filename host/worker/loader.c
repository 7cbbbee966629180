#include "worker/loader.h"

#include <dlfcn.h>
#include <gio/gio.h>
#include <link.h>
#include <stdarg.h>
#include <string.h>

enum { SEGMENTS_MOST = 16 };

typedef struct {
  guintptr from, to;
} Segment;

struct Plugin {
  char *file;
  void *handle;
  tb_sizes sizes;
  gboolean same_layout;
  tb_plugin_info info;
  GPtrArray *owned;       /* what info points to and is ours */
  json_object *standards; /* key -> value */
  Segment segments[SEGMENTS_MOST];
  guint segment_count;
};

gboolean
loader_refuse (GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *why = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *valid = g_utf8_make_valid (why, -1);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, g_strdelimit (valid, "\n\r", ' '));
  return FALSE;
}

/* ---- sizes ---- */

static gboolean
read_head (Plugin *plugin, const tb_plugin_info *theirs, GError **error)
{
  if (memcmp (theirs->magic, TB_MAGIC, sizeof theirs->magic) != 0)
    return loader_refuse (error, "tb_plugin is no Tillbridge plugin's: it does not begin with \"%s\"",
                          TB_MAGIC);
  if (theirs->major != TB_SDK_MAJOR || theirs->minor > TB_SDK_MINOR)
    return loader_refuse (
      error, "built for SDK %u.%u, this host serves %u.0 up to %u.%u; install a tillbridge for SDK %u.%u",
      theirs->major, theirs->minor, TB_SDK_MAJOR, TB_SDK_MAJOR, TB_SDK_MINOR, theirs->major, theirs->minor);
  if (!theirs->sizes)
    return loader_refuse (error, "it has no table of sizes: make tb_plugin with TB_PLUGIN (...)");
  return TRUE;
}

/* An older plugin's structs are shorter, never longer; what its table does not reach it does not know. */
static gboolean
read_sizes (Plugin *plugin, const tb_sizes *theirs, GError **error)
{
  static const tb_sizes ours = TB_SIZES;
  if (theirs->size < sizeof (guint32) || theirs->size > sizeof ours || theirs->size % sizeof (guint32))
    return loader_refuse (
      error,
      "its table of sizes has %u bytes, this host's has %zu: build it with the SDK of this host "
      "or an older one",
      theirs->size, sizeof ours);
  take (&plugin->sizes, sizeof plugin->sizes, theirs, theirs->size);
  const guint32 *mine = (const guint32 *)&ours, *its = (const guint32 *)&plugin->sizes;
  for (gsize i = 1; i < sizeof ours / sizeof *mine; i++)
    if (its[i] > mine[i])
      return loader_refuse (
        error,
        "entry %zu of its table of sizes says %u bytes, this host's struct has %u: build it with the SDK of "
        "this host or an older one",
        i, its[i], mine[i]);
  if (plugin->sizes.plugin < offsetof (tb_plugin_info, settings))
    return loader_refuse (error, "its tb_plugin_info has %u bytes, which does not hold a name",
                          plugin->sizes.plugin);
  plugin->same_layout = memcmp (&ours, &plugin->sizes, sizeof ours) == 0;
  return TRUE;
}

/* ---- copies ---- */

typedef TB_LIST_OF (const char) AnyList; /* what every list looks like */

static gboolean
take_list (Plugin *plugin, void *list, gsize size, gsize theirs, const char *what, GError **error)
{
  AnyList *any = list;
  if (any->count == 0) {
    any->first = NULL;
    return TRUE;
  }
  if (any->count > PLUGIN_LIST_MOST || !any->first || theirs == 0)
    return loader_refuse (error, "its list of %s says %u elements at %p: write .%s = TB_LIST (array)", what,
                          any->count, (const void *)any->first, what);
  char *copy = g_malloc0_n (any->count, size);
  g_ptr_array_add (plugin->owned, copy);
  for (guint i = 0; i < any->count; i++)
    take (copy + i * size, size, any->first + i * theirs, theirs);
  any->first = copy;
  return TRUE;
}

static gboolean
take_endpoints (Plugin *plugin, GError **error)
{
  const tb_sizes *sizes = &plugin->sizes;
  tb_plugin_info *info = &plugin->info;
  if (!take_list (plugin, &info->endpoints, sizeof (tb_endpoint), sizes->endpoint, "endpoints", error))
    return FALSE;
  for (guint i = 0; i < info->endpoints.count; i++) {
    tb_endpoint *endpoint = (tb_endpoint *)&info->endpoints.first[i];
    if (!take_list (plugin, &endpoint->credentials, sizeof (tb_credential), sizes->credential, "credentials",
                    error) ||
        !take_list (plugin, &endpoint->rules, sizeof (tb_rule), sizes->rule, "rules", error) ||
        !take_list (plugin, &endpoint->limits, sizeof (tb_limit), sizes->limit, "limits", error))
      return FALSE;
  }
  return TRUE;
}

/* A struct of functions behind a pointer. */
static void *
take_pointer (Plugin *plugin, const void *theirs, gsize size, gsize their_size)
{
  if (!theirs)
    return NULL;
  void *copy = g_malloc0 (size);
  g_ptr_array_add (plugin->owned, copy);
  take (copy, size, theirs, their_size);
  return copy;
}

#define TAKE_POINTER(plugin, member, theirs)                                                                 \
  ((plugin)->info.member =                                                                                   \
     take_pointer (plugin, (plugin)->info.member, sizeof *(plugin)->info.member, theirs))

static gboolean
take_info (Plugin *plugin, const tb_plugin_info *theirs, GError **error)
{
  const tb_sizes *sizes = &plugin->sizes;
  tb_plugin_info *info = &plugin->info;
  take (info, sizeof *info, theirs, sizes->plugin);
  TAKE_POINTER (plugin, orders, sizes->orders);
  TAKE_POINTER (plugin, customers, sizes->customers);
  TAKE_POINTER (plugin, messages, sizes->messages);
  TAKE_POINTER (plugin, analytics, sizes->analytics);
  TAKE_POINTER (plugin, errors, sizes->errors);
  tb_webhook_functions *webhooks = take_pointer (plugin, info->webhooks, sizeof *webhooks, sizes->webhooks);
  info->webhooks = webhooks;
  if (webhooks && (!take_list (plugin, &webhooks->proofs, sizeof (tb_proof), sizes->proof, "proofs", error) ||
                   !take_list (plugin, &webhooks->topics, sizeof (tb_topic), sizes->topic, "topics", error)))
    return FALSE;
  return take_list (plugin, &info->settings, sizeof (tb_setting), sizes->setting, "settings", error) &&
         take_list (plugin, &info->streams, sizeof (tb_stream), sizes->stream, "streams", error) &&
         take_endpoints (plugin, error);
}

/* ---- where its literals lie ---- */

typedef struct {
  Plugin *plugin;
  guintptr inside;
} Search;

static int
note_segments (struct dl_phdr_info *object, gsize size, gpointer data)
{
  Search *search = data;
  gboolean its = FALSE;
  for (int i = 0; i < object->dlpi_phnum && !its; i++) {
    const ElfW (Phdr) *part = &object->dlpi_phdr[i];
    guintptr from = object->dlpi_addr + part->p_vaddr;
    its = part->p_type == PT_LOAD && search->inside >= from && search->inside < from + part->p_memsz;
  }
  for (int i = 0; i < object->dlpi_phnum && its; i++) {
    const ElfW (Phdr) *part = &object->dlpi_phdr[i];
    guintptr from = object->dlpi_addr + part->p_vaddr;
    if (part->p_type == PT_LOAD && !(part->p_flags & PF_W) && search->plugin->segment_count < SEGMENTS_MOST)
      search->plugin->segments[search->plugin->segment_count++] = (Segment){ from, from + part->p_memsz };
  }
  return its;
}

gboolean
plugin_is_literal (const Plugin *plugin, const void *address)
{
  for (guint i = 0; i < plugin->segment_count; i++)
    if ((guintptr)address >= plugin->segments[i].from && (guintptr)address < plugin->segments[i].to)
      return TRUE;
  return FALSE;
}

/* ---- standards: as they stand in a drop-in, read once for all connectors ---- */

static void
read_standards (Plugin *plugin)
{
  plugin->standards = json_object_new_object ();
  for (guint i = 0; i < plugin->info.settings.count; i++) {
    const tb_setting *setting = &plugin->info.settings.first[i];
    if (!setting->standard)
      continue;
    json_object *value = *setting->standard == '[' ? json_tokener_parse (setting->standard) : NULL;
    json_object_object_add (plugin->standards, setting->key,
                            value ? value : json_object_new_string (setting->standard));
  }
}

json_object *
plugin_standard (const Plugin *plugin, const char *key)
{
  return json_object_object_get (plugin->standards, key);
}

/* ---- life ---- */

Plugin *
plugin_adopt (const tb_plugin_info *theirs, const char *file, GError **error)
{
  g_autoptr (Plugin) plugin = g_new0 (Plugin, 1);
  plugin->file = g_strdup (file ? file : "(memory)");
  plugin->owned = g_ptr_array_new_with_free_func (g_free);
  if (!read_head (plugin, theirs, error) || !read_sizes (plugin, theirs->sizes, error) ||
      !take_info (plugin, theirs, error) || !plugin_check (&plugin->info, error))
    return NULL;
  read_standards (plugin);
  dl_iterate_phdr (note_segments, &(Search){ plugin, (guintptr)theirs });
  return g_steal_pointer (&plugin);
}

Plugin *
plugin_load (const char *file, GError **error)
{
  g_autofree char *path =
    g_canonicalize_filename (file, NULL); /* a bare name would be looked for elsewhere */
  void *handle = dlopen (path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char *why = dlerror ();
    g_autofree char *start = g_strdup_printf ("%s: ", path);
    loader_refuse (error, "cannot be loaded: %s", g_str_has_prefix (why, start) ? why + strlen (start) : why);
    return NULL;
  }
  const tb_plugin_info *theirs = dlsym (handle, "tb_plugin");
  Plugin *plugin = NULL;
  if (!theirs)
    loader_refuse (error, "exports no symbol tb_plugin: end its source with TB_PLUGIN (...), and link with "
                          "-fvisibility=hidden or -export-symbols-regex '^tb_plugin$'");
  else
    plugin = plugin_adopt (theirs, file, error);
  if (plugin)
    plugin->handle = handle;
  else
    dlclose (handle);
  return plugin;
}

void
plugin_free (Plugin *plugin)
{
  if (!plugin)
    return;
  g_ptr_array_unref (plugin->owned);
  json_object_put (plugin->standards);
  g_free (plugin->file);
  if (plugin->handle)
    dlclose (plugin->handle);
  g_free (plugin);
}

const tb_plugin_info *
plugin_info (const Plugin *plugin)
{
  return &plugin->info;
}

const tb_sizes *
plugin_sizes (const Plugin *plugin)
{
  return &plugin->sizes;
}

gboolean
plugin_same_layout (const Plugin *plugin)
{
  return plugin->same_layout;
}

const char *
plugin_file (const Plugin *plugin)
{
  return plugin->file;
}

const tb_setting *
plugin_setting (const Plugin *plugin, const char *key)
{
  for (guint i = 0; key && i < plugin->info.settings.count; i++)
    if (strcmp (plugin->info.settings.first[i].key, key) == 0)
      return &plugin->info.settings.first[i];
  return NULL;
}

gboolean
plugin_setting_is_list (const Plugin *plugin, const char *key)
{
  const tb_setting *setting = plugin_setting (plugin, key);
  return setting && (setting->type == TB_TEXT_LIST || setting->type == TB_SECRET_LIST);
}
