#include "hub/reload.h"

#include <malloc.h>

#include "config/problems.h"

#include <string.h>

typedef struct {
  gboolean dry;
  ReloadDone done;
  gpointer data;
} Wanted;

struct Reloader {
  Loop *loop;
  Hub *hub;
  char *file, *worker;
  void (*applied) (gpointer data);
  gpointer applied_data;
  GQueue wanted;   /* Wanted; the first one runs */
  GThread *thread; /* reads; NULL: nothing runs */
  Config *config;  /* what the thread read */
  Plugins *plugins;
  gboolean ended; /* freed, but what the thread posted is still to come */
};

Reloader *
reloader_new (Loop *loop, Hub *hub, const char *file, const char *worker, void (*applied) (gpointer data),
              gpointer data)
{
  Reloader *reloader = g_new0 (Reloader, 1);
  *reloader = (Reloader){ .loop = loop,
                          .hub = hub,
                          .file = g_strdup (file),
                          .worker = g_strdup (worker),
                          .applied = applied,
                          .applied_data = data };
  g_queue_init (&reloader->wanted);
  return reloader;
}

static void
free_now (Reloader *reloader)
{
  g_clear_pointer (&reloader->config, config_free);
  g_clear_pointer (&reloader->plugins, plugins_free);
  g_free (reloader->file);
  g_free (reloader->worker);
  g_free (reloader);
}

void
reloader_free (Reloader *reloader)
{
  for (Wanted *wanted; (wanted = g_queue_pop_head (&reloader->wanted)); g_free (wanted))
    wanted->done (NULL, wanted->data);
  reloader->ended = reloader->thread != NULL;
  g_clear_pointer (&reloader->thread, g_thread_join);
  if (!reloader->ended)
    free_now (reloader);
}

/* Known plugins belong to the hub, which waits with freeing them until the new ones are applied: reading them
 * here is safe. */
static void
read_all (Reloader *reloader)
{
  g_autoptr (GPtrArray) problems = problems_new ();
  g_autoptr (ConfigHost) host = config_read_host (reloader->file, problems);
  g_autofree char *kept = g_build_filename (host->state, "plugins.json", NULL);
  Plugins *known = hub_plugins (reloader->hub);
  g_autoptr (Plugins) loaded = known ? NULL : plugins_load (kept, reloader->worker);
  reloader->plugins = plugins_scan (host->plugins, reloader->worker, known ? known : loaded);
  plugins_save (reloader->plugins, kept, reloader->worker);
  reloader->config = config_read (reloader->file, reloader->plugins);
}

static guint
log_problems (const Config *config)
{
  guint errors = 0;
  for (guint i = 0; i < config->problems->len; i++) {
    const ConfigProblem *problem = config->problems->pdata[i];
    errors += !problem->warning;
    log_line (problem->warning ? LOG_WARNING : LOG_ERROR, NULL, "%s:%d:%d: %s%s%s%s%s", problem->file,
              problem->line, problem->column, problem->text, problem->hint ? "; " : "",
              problem->hint ? problem->hint : "", problem->fix ? "; fix: " : "",
              problem->fix ? problem->fix : "");
  }
  return errors;
}

/* A file that is refused is told once, not with each reload. */
static void
log_refused (Plugins *now, Plugins *before)
{
  GPtrArray *all = plugins_all (now);
  for (guint i = 0; i < all->len; i++) {
    const PluginInfo *info = all->pdata[i];
    const PluginInfo *known = before ? plugins_find (before, info->name) : NULL;
    if (info->refused && (!known || strcmp (known->identity, info->identity) != 0))
      log_line (LOG_ERROR, NULL, "plugin %s is refused: %s: %s", info->name, info->file, info->refused);
  }
}

/* Files and trees took several times what is kept of them. */
static void
give_back (void)
{
  malloc_trim (0);
}

gboolean
reloader_start (Reloader *reloader, GError **error)
{
  read_all (reloader);
  log_problems (reloader->config);
  if (reloader->config->host_broken) {
    g_set_error (error, HUB_ERROR, HUB_ERROR_CONFLICT,
                 "the configuration has errors; `tillbridge check` shows them");
    return FALSE;
  }
  log_refused (reloader->plugins, NULL);
  gboolean applied = hub_apply (reloader->hub, g_steal_pointer (&reloader->config),
                                g_steal_pointer (&reloader->plugins), error);
  give_back ();
  return applied;
}

static const ShapeMember plan_members[] = {
  { "changes", "[ConfigurationChange]", "What differs from what runs." },
  { "errors", "[Mistake]", "Mistakes and warnings in the files; what a mistake concerns stays as it was." },
  { "restart", "boolean", "A key changed that is read at start alone." },
  { "applied", "boolean", "It was done: neither a dry run, nor is tillbridge.conf broken." },
  { NULL },
};
const Shape reload_shape = { "ReloadPlan", "What a reload changes.", plan_members };

static json_object *
make_plan (Reloader *reloader)
{
  json_object *plan = json_object_new_object (), *errors = json_object_new_array ();
  gboolean restart = FALSE;
  json_object_object_add (plan, "changes",
                          config_compare (hub_config (reloader->hub), reloader->config, &restart));
  for (guint i = 0; i < reloader->config->problems->len; i++)
    json_object_array_add (errors, config_problem_to_json (reloader->config->problems->pdata[i]));
  json_object_object_add (plan, "errors", errors);
  json_object_object_add (plan, "restart", json_object_new_boolean (restart));
  return plan;
}

/* The identities of what is installed: a plugin that came, went or was replaced is a change, too. */
static void
add_plugin_changes (Reloader *reloader, json_object *changes)
{
  GPtrArray *now = plugins_all (reloader->plugins), *before = plugins_all (hub_plugins (reloader->hub));
  for (guint side = 0; side < 2; side++)
    for (guint i = 0; i < (side ? before : now)->len; i++) {
      const PluginInfo *info = (side ? before : now)->pdata[i];
      const PluginInfo *other =
        plugins_find (side ? reloader->plugins : hub_plugins (reloader->hub), info->name);
      if (other && (side || strcmp (other->identity, info->identity) == 0))
        continue;
      json_object *change = json_object_new_object ();
      json_object_object_add (change, "op", json_object_new_string (side ? "-" : other ? "~" : "+"));
      g_autofree char *what = g_strdup_printf ("plugin %s", info->name);
      json_object_object_add (change, "what", json_object_new_string (what));
      if (other && other->version)
        json_object_object_add (change, "from", json_object_new_string (other->version));
      if (!side && info->version)
        json_object_object_add (change, "to", json_object_new_string (info->version));
      json_object_array_add (changes, change);
    }
}

static void start_reading (Reloader *reloader);

static void
finish (gpointer data)
{
  Reloader *reloader = data;
  if (reloader->ended) {
    free_now (reloader);
    return;
  }
  g_autofree Wanted *wanted = g_queue_pop_head (&reloader->wanted);
  g_clear_pointer (&reloader->thread, g_thread_join);
  json_object *plan = make_plan (reloader), *changes = json_object_object_get (plan, "changes");
  add_plugin_changes (reloader, changes);
  gsize count = json_object_array_length (changes);
  gboolean apply = !wanted->dry && !reloader->config->host_broken;
  if (!wanted->dry) {
    guint errors = log_problems (reloader->config);
    log_line (errors ? LOG_WARNING : LOG_INFO, NULL, "reload: %zu changes, %u errors%s", count, errors,
              reloader->config->host_broken ? "; nothing was applied" : "");
  }
  json_object_object_add (plan, "applied", json_object_new_boolean (apply));
  if (apply) {
    g_autoptr (GError) error = NULL;
    log_refused (reloader->plugins, hub_plugins (reloader->hub));
    if (!hub_apply (reloader->hub, g_steal_pointer (&reloader->config), g_steal_pointer (&reloader->plugins),
                    &error))
      log_line (LOG_ERROR, NULL, "reload: %s", error->message);
    else if (reloader->applied)
      reloader->applied (reloader->applied_data);
  }
  g_clear_pointer (&reloader->config, config_free);
  g_clear_pointer (&reloader->plugins, plugins_free);
  wanted->done (plan, wanted->data);
  json_object_put (plan);
  give_back ();
  start_reading (reloader);
}

static gpointer
read_on_thread (gpointer data)
{
  Reloader *reloader = data;
  read_all (reloader);
  loop_post (reloader->loop, finish, reloader);
  return NULL;
}

static void
start_reading (Reloader *reloader)
{
  if (!reloader->thread && !g_queue_is_empty (&reloader->wanted))
    reloader->thread = g_thread_new ("reload", read_on_thread, reloader);
}

void
reloader_reload (Reloader *reloader, gboolean dry, ReloadDone done, gpointer data)
{
  Wanted *wanted = g_new (Wanted, 1);
  *wanted = (Wanted){ dry, done, data };
  g_queue_push_tail (&reloader->wanted, wanted);
  start_reading (reloader);
}
