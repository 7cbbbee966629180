#include "config/plugin-info.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/timefmt.h"

extern char **environ;

enum { DESCRIBE_AT_ONCE = 4, DESCRIBE_LIMIT_MS = 10000, DESCRIPTION_MOST = 1 << 20, REASON_MOST = 4096 };

struct Plugins {
  GPtrArray *infos; /* PluginInfo by name */
};

static int
by_name (gconstpointer a, gconstpointer b)
{
  const PluginInfo *const *x = a, *const *y = b;
  return strcmp ((*x)->name, (*y)->name);
}

Plugins *
plugins_new (GPtrArray *infos)
{
  Plugins *plugins = g_new0 (Plugins, 1);
  plugins->infos = infos;
  g_ptr_array_set_free_func (infos, (GDestroyNotify)plugin_info_free);
  g_ptr_array_sort (infos, by_name);
  return plugins;
}

void
plugins_free (Plugins *plugins)
{
  if (!plugins)
    return;
  g_ptr_array_unref (plugins->infos);
  g_free (plugins);
}

const PluginInfo *
plugins_find (const Plugins *plugins, const char *name)
{
  guint low = 0, high = plugins ? plugins->infos->len : 0;
  while (low < high) {
    guint middle = (low + high) / 2;
    const PluginInfo *info = g_ptr_array_index (plugins->infos, middle);
    int order = strcmp (name, info->name);
    if (order == 0)
      return info;
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}

GPtrArray *
plugins_all (const Plugins *plugins)
{
  return plugins->infos;
}

/* ---- asking the worker ---- */

typedef struct {
  const char *name, *file;
  char *identity;
  pid_t pid;
  int out, err; /* -1: at its end */
  GString *answer, *reason;
  gint64 until_ms;
  gboolean killed;
} Describe;

static void
describe_free (Describe *describe)
{
  g_free (describe->identity);
  g_string_free (describe->answer, TRUE);
  g_string_free (describe->reason, TRUE);
  g_free (describe);
}

/* Its own process group, so that all of it can be ended; signals as a new program has them. */
static gboolean
spawn (Describe *describe, const char *worker)
{
  int out[2], err[2];
  sigset_t none, all;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  if (pipe2 (out, O_CLOEXEC) != 0)
    return FALSE;
  if (pipe2 (err, O_CLOEXEC) != 0) {
    close (out[0]);
    close (out[1]);
    return FALSE;
  }
  sigemptyset (&none);
  sigfillset (&all);
  posix_spawnattr_init (&attributes);
  posix_spawnattr_setflags (&attributes,
                            POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setsigmask (&attributes, &none);
  posix_spawnattr_setsigdefault (&attributes, &all);
  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_addopen (&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2 (&actions, out[1], 1);
  posix_spawn_file_actions_adddup2 (&actions, err[1], 2);
  char *arguments[] = { (char *)worker, (char *)"--describe", (char *)describe->file, NULL };
  int failed = posix_spawn (&describe->pid, worker, &actions, &attributes, arguments, environ);
  posix_spawn_file_actions_destroy (&actions);
  posix_spawnattr_destroy (&attributes);
  close (out[1]);
  close (err[1]);
  describe->out = out[0];
  describe->err = err[0];
  fcntl (describe->out, F_SETFL, O_NONBLOCK);
  fcntl (describe->err, F_SETFL, O_NONBLOCK);
  if (failed) {
    close (describe->out);
    close (describe->err);
    g_string_printf (describe->reason, "%s cannot be started: %s", worker, g_strerror (failed));
  }
  return !failed;
}

static void
take (int *fd, GString *into, gsize most)
{
  char bytes[8192];
  ssize_t got = read (*fd, bytes, sizeof bytes);
  if (got > 0)
    g_string_append_len (into, bytes, MIN (got, (gssize)(most + 1 - MIN (into->len, most + 1))));
  else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    close (*fd);
    *fd = -1;
  }
}

static void
end (Describe *describe, const char *why)
{
  g_string_assign (describe->reason, why);
  describe->killed = TRUE;
  kill (-describe->pid, SIGKILL);
  if (describe->out >= 0)
    close (describe->out);
  if (describe->err >= 0)
    close (describe->err);
  describe->out = describe->err = -1;
}

/* The worker's answer, or its reason, as a PluginInfo. */
static PluginInfo *
finish (Describe *describe, gboolean started)
{
  int status = 0;
  g_autoptr (GError) error = NULL;
  if (started)
    while (waitpid (describe->pid, &status, 0) < 0 && errno == EINTR)
      ;
  PluginInfo *info = NULL;
  if (started && !describe->killed && WIFEXITED (status) && WEXITSTATUS (status) == 0) {
    json_tokener *tokener = json_tokener_new ();
    json_tokener_set_flags (tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    g_strchomp (describe->answer->str);
    json_object *description =
      json_tokener_parse_ex (tokener, describe->answer->str, (int)strlen (describe->answer->str) + 1);
    info = plugin_info_from_json (describe->name, describe->file, description, &error);
    json_object_put (description);
    json_tokener_free (tokener);
    if (!info)
      g_string_assign (describe->reason, error->message);
  }
  if (!info) {
    g_autofree char *valid = g_utf8_make_valid (describe->reason->str, -1);
    g_autofree char *prefix = g_strdup_printf ("%s: ", describe->file);
    const char *reason = g_str_has_prefix (valid, prefix) ? valid + strlen (prefix) : valid;
    info = plugin_info_new (describe->name, describe->file);
    info->refused = g_strndup (reason, strcspn (reason, "\r\n"));
    if (!*info->refused) {
      g_free (info->refused);
      info->refused = started && WIFSIGNALED (status)
                        ? g_strdup_printf ("it ended tillbridge-worker with signal %d (%s)",
                                           WTERMSIG (status), g_strsignal (WTERMSIG (status)))
                        : g_strdup ("tillbridge-worker gave no reason");
    }
  }
  info->identity = g_steal_pointer (&describe->identity);
  return info;
}

/* One round of waiting for the describes that run; those that end become infos. */
static void
turn (GPtrArray *running, GPtrArray *infos)
{
  struct pollfd polls[2 * DESCRIBE_AT_ONCE];
  gint64 now_ms = time_monotonic_ms (), until_ms = G_MAXINT64;
  for (guint i = 0; i < running->len; i++) {
    const Describe *describe = g_ptr_array_index (running, i);
    polls[2 * i] = (struct pollfd){ describe->out, POLLIN, 0 };
    polls[2 * i + 1] = (struct pollfd){ describe->err, POLLIN, 0 };
    until_ms = MIN (until_ms, describe->until_ms);
  }
  poll (polls, 2 * running->len, (int)MAX (until_ms - now_ms, 0));
  now_ms = time_monotonic_ms ();
  for (guint i = running->len; i-- > 0;) {
    Describe *describe = g_ptr_array_index (running, i);
    if (polls[2 * i].revents)
      take (&describe->out, describe->answer, DESCRIPTION_MOST);
    if (polls[2 * i + 1].revents)
      take (&describe->err, describe->reason, REASON_MOST);
    if (describe->answer->len > DESCRIPTION_MOST)
      end (describe, "its description is larger than 1 MiB");
    else if ((describe->out >= 0 || describe->err >= 0) && now_ms >= describe->until_ms)
      end (describe, "it did not describe itself in time");
    if (describe->out < 0 && describe->err < 0) {
      g_ptr_array_add (infos, finish (describe, TRUE));
      describe_free (describe);
      g_ptr_array_remove_index (running, i);
    }
  }
}

static void
describe_all (GPtrArray *waiting, const char *worker, int limit_ms, GPtrArray *infos)
{
  g_autoptr (GPtrArray) running = g_ptr_array_new ();
  guint next = 0;
  while (next < waiting->len || running->len > 0) {
    while (next < waiting->len && running->len < DESCRIBE_AT_ONCE) {
      Describe *describe = g_ptr_array_index (waiting, next++);
      describe->until_ms = time_monotonic_ms () + limit_ms;
      if (spawn (describe, worker))
        g_ptr_array_add (running, describe);
      else {
        g_ptr_array_add (infos, finish (describe, FALSE));
        describe_free (describe);
      }
    }
    if (running->len > 0)
      turn (running, infos);
  }
}

/* ---- the folders ---- */

char *
plugin_identity (const char *file)
{
  struct stat s;
  if (stat (file, &s) != 0 || !S_ISREG (s.st_mode))
    return NULL;
  return g_strdup_printf ("%llx:%llx:%llx:%lld.%09ld", (unsigned long long)s.st_dev,
                          (unsigned long long)s.st_ino, (unsigned long long)s.st_size,
                          (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
}

/* The same file as before: its description is taken over. */
static PluginInfo *
from_known (const Plugins *known, const char *name, const char *file, const char *identity)
{
  const PluginInfo *old = known ? plugins_find (known, name) : NULL;
  if (!old || !old->description || strcmp (old->file, file) != 0 || strcmp (old->identity, identity) != 0)
    return NULL;
  PluginInfo *info = plugin_info_from_json (name, file, old->description, NULL);
  if (info)
    info->identity = g_strdup (identity);
  return info;
}

static void
look_through (const char *folder, const Plugins *known, GHashTable *names, GPtrArray *infos,
              GPtrArray *waiting)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *entry;
  while (dir && (entry = g_dir_read_name (dir))) {
    if (*entry == '.' || !g_str_has_suffix (entry, ".so") || strlen (entry) == 3)
      continue;
    g_autofree char *file = g_build_filename (folder, entry, NULL);
    g_autofree char *name = g_strndup (entry, strlen (entry) - 3);
    g_autofree char *identity = plugin_identity (file);
    if (!identity || g_hash_table_contains (names, name))
      continue;
    PluginInfo *info = from_known (known, name, file, identity);
    if (info)
      g_ptr_array_add (infos, info);
    else {
      Describe *describe = g_new0 (Describe, 1);
      describe->answer = g_string_new (NULL);
      describe->reason = g_string_new (NULL);
      describe->identity = g_steal_pointer (&identity);
      g_ptr_array_add (waiting, describe);
      gpointer kept = g_strdup (name);
      g_hash_table_insert (names, kept, g_strdup (file));
      describe->name = kept;
      describe->file = g_hash_table_lookup (names, kept);
      continue;
    }
    g_hash_table_insert (names, g_steal_pointer (&name), g_steal_pointer (&file));
  }
}

Plugins *
plugins_scan (char **folders, const char *worker, Plugins *known)
{
  return plugins_scan_within (folders, worker, known, DESCRIBE_LIMIT_MS);
}

Plugins *
plugins_scan_within (char **folders, const char *worker, Plugins *known, int limit_ms)
{
  GPtrArray *infos = g_ptr_array_new ();
  g_autoptr (GPtrArray) waiting = g_ptr_array_new ();
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (char **folder = folders; folder && *folder; folder++)
    look_through (*folder, known, names, infos, waiting);
  describe_all (waiting, worker, limit_ms, infos);
  return plugins_new (infos);
}

/* ---- where the worker is ---- */

char *
worker_program (void)
{
  const char *told = g_getenv ("TILLBRIDGE_WORKER");
  if (told && *told)
    return g_strdup (told);
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = self ? g_path_get_dirname (self) : NULL;
  if (folder && g_str_has_suffix (folder, "/.libs")) /* libtool's: the programs to start lie one above */
    folder[strlen (folder) - strlen ("/.libs")] = '\0';
  static const char *const places[] = { "tillbridge-worker", "../worker/tillbridge-worker",
                                        "host/worker/tillbridge-worker", "../../tillbridge-worker" };
  for (gsize i = 0; folder && i < G_N_ELEMENTS (places); i++) {
    g_autofree char *path = g_build_filename (folder, places[i], NULL);
    if (access (path, X_OK) == 0)
      return g_steal_pointer (&path);
  }
  return g_strdup (LIBEXECDIR "/tillbridge-worker");
}
