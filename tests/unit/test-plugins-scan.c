#include "config/plugin-info.h"
#include "tap.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

/* A worker that is a script: what a plugin "says" stands in its file. It notes each file that it is asked
 * about. */
static const char worker_script[] =
  "#!/bin/sh\n"
  "echo \"$2\" >> \"$(dirname \"$0\")/asked\"\n"
  "case \"$2\" in\n"
  "*/hangs.so) exec sleep 600 ;;\n"
  "*/crashes.so) kill -SEGV $$ ;;\n"
  "*/refused.so) echo \"$2: it needs SDK 2.0, this is 0.1\" >&2; exit 1 ;;\n"
  "*/silent.so) exit 1 ;;\n"
  "esac\n"
  "cat \"$2\"\n";

typedef struct {
  char *folder, *worker, *first, *second;
} Place;

static void
put (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  CU_ASSERT_FATAL (g_file_set_contents (path, text, -1, NULL));
}

static Place
place_new (void)
{
  Place place = { g_dir_make_tmp ("tillbridge-plugins-XXXXXX", NULL), NULL, NULL, NULL };
  place.worker = g_build_filename (place.folder, "worker", NULL);
  place.first = g_build_filename (place.folder, "first", NULL);
  place.second = g_build_filename (place.folder, "second", NULL);
  put (place.folder, "worker", worker_script);
  CU_ASSERT_FATAL (g_chmod (place.worker, 0755) == 0 && g_mkdir (place.first, 0755) == 0 &&
                   g_mkdir (place.second, 0755) == 0);
  return place;
}

static void
remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_unlink (path);
  }
  g_rmdir (folder);
}

static void
place_clear (Place *place)
{
  remove_folder (place->first);
  remove_folder (place->second);
  remove_folder (place->folder);
  g_free (place->first);
  g_free (place->second);
  g_free (place->worker);
  g_free (place->folder);
}

static guint
times_asked (const Place *place)
{
  g_autofree char *path = g_build_filename (place->folder, "asked", NULL), *text = NULL;
  guint lines = 0;
  if (g_file_get_contents (path, &text, NULL, NULL))
    for (const char *p = text; *p; p++)
      lines += *p == '\n';
  return lines;
}

static const char *
refusal (const Plugins *plugins, const char *name)
{
  const PluginInfo *info = plugins_find (plugins, name);
  return info && info->refused ? info->refused : "";
}

static void
test_every_plugin_is_asked_and_the_first_file_of_a_name_wins (void)
{
  Place place = place_new ();
  for (int i = 0; i < 9; i++) {
    g_autofree char *name = g_strdup_printf ("vendor%d.so", i);
    put (place.first, name, "{\"version\":\"1.0.0\",\"capabilities\":[\"catalog\"]}");
  }
  put (place.second, "vendor0.so", "{\"version\":\"2.0.0\"}");
  put (place.second, "other.so", "{\"version\":\"3.0.0\"}");
  put (place.second, "readme.txt", "no plugin");
  char *folders[] = { place.first, place.second, (char *)"/nonexistent", NULL };
  g_autoptr (Plugins) plugins = plugins_scan (folders, place.worker, NULL);
  CU_ASSERT_EQUAL (plugins_all (plugins)->len, 10);
  CU_ASSERT_EQUAL (times_asked (&place), 10);
  CU_ASSERT_STRING_EQUAL (plugins_find (plugins, "vendor0")->version, "1.0.0");
  CU_ASSERT_STRING_EQUAL (plugins_find (plugins, "other")->version, "3.0.0");
  CU_ASSERT (plugin_info_can (plugins_find (plugins, "vendor8"), "catalog"));
  CU_ASSERT_PTR_NULL (plugins_find (plugins, "readme"));
  place_clear (&place);
}

static void
test_a_plugin_that_cannot_be_used_says_why (void)
{
  Place place = place_new ();
  static const char *const names[] = { "crashes.so", "refused.so", "silent.so" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    put (place.first, names[i], "");
  put (place.first, "nonsense.so", "<html>");
  put (place.first, "typeless.so", "{\"settings\":[{\"key\":\"a\",\"type\":\"wish\"}]}");
  char *folders[] = { place.first, NULL };
  g_autoptr (Plugins) plugins = plugins_scan (folders, place.worker, NULL);
  CU_ASSERT_STRING_EQUAL (refusal (plugins, "refused"), "it needs SDK 2.0, this is 0.1");
  CU_ASSERT_STRING_EQUAL (refusal (plugins, "nonsense"), "it is no description");
  CU_ASSERT_STRING_EQUAL (refusal (plugins, "typeless"), "setting a has a type that is not known");
  CU_ASSERT_STRING_EQUAL (refusal (plugins, "silent"), "tillbridge-worker gave no reason");
  CU_ASSERT (g_str_has_prefix (refusal (plugins, "crashes"), "it ended tillbridge-worker with signal 11"));
  place_clear (&place);
}

static void
test_a_plugin_that_hangs_is_ended_and_holds_up_no_other (void)
{
  Place place = place_new ();
  put (place.first, "hangs.so", "");
  put (place.first, "fine.so", "{\"version\":\"1.0.0\"}");
  char *folders[] = { place.first, NULL };
  g_autoptr (Plugins) plugins = plugins_scan_within (folders, place.worker, NULL, 1000);
  CU_ASSERT_STRING_EQUAL (refusal (plugins, "hangs"), "it did not describe itself in time");
  CU_ASSERT_STRING_EQUAL (plugins_find (plugins, "fine")->version, "1.0.0");
  place_clear (&place);
}

static void
test_a_file_that_is_known_is_not_asked_again (void)
{
  Place place = place_new ();
  put (place.first, "same.so", "{\"version\":\"1.0.0\"}");
  put (place.first, "new.so", "{\"version\":\"1.0.0\"}");
  char *folders[] = { place.first, NULL };
  g_autoptr (Plugins) before = plugins_scan (folders, place.worker, NULL);
  put (place.first, "new.so", "{\"version\":\"1.0.1\"}");
  g_autoptr (Plugins) after = plugins_scan (folders, place.worker, before);
  CU_ASSERT_EQUAL (times_asked (&place), 3);
  CU_ASSERT_STRING_EQUAL (plugins_find (after, "same")->version, "1.0.0");
  CU_ASSERT_STRING_EQUAL (plugins_find (after, "same")->identity, plugins_find (before, "same")->identity);
  CU_ASSERT_STRING_EQUAL (plugins_find (after, "new")->version, "1.0.1");
  CU_ASSERT_STRING_NOT_EQUAL (plugins_find (after, "new")->identity, plugins_find (before, "new")->identity);
  place_clear (&place);
}

/* By a plugin that answers in the worker's place, or in a file of plugins.json that somebody wrote. */
static void
test_times_beyond_all_measure_are_cut (void)
{
  Place place = place_new ();
  put (place.first, "far.so",
       "{\"streams\":[{\"name\":\"s\",\"kinds\":[\"products\"],\"every_s\":9223372036854775807,"
       "\"least_s\":-9223372036854775808,\"overlap_s\":300}]}");
  char *folders[] = { place.first, NULL };
  g_autoptr (Plugins) plugins = plugins_scan (folders, place.worker, NULL);
  const PluginStream *stream = plugin_info_stream (plugins_find (plugins, "far"), "s");
  CU_ASSERT_PTR_NOT_NULL_FATAL (stream);
  CU_ASSERT_EQUAL (stream->every_ms, (gint64)G_MAXINT32 * 1000);
  CU_ASSERT_EQUAL (stream->least_ms, 0);
  CU_ASSERT_EQUAL (stream->overlap_ms, 300000);
  place_clear (&place);
}

static void
test_what_was_said_is_kept_for_the_same_files_and_worker (void)
{
  Place place = place_new ();
  g_autofree char *kept = g_build_filename (place.folder, "plugins.json", NULL);
  put (place.first, "same.so", "{\"version\":\"1.0.0\"}");
  put (place.first, "new.so", "{\"version\":\"1.0.0\"}");
  char *folders[] = { place.first, NULL };
  g_autoptr (Plugins) none = plugins_load (kept, place.worker);
  g_autoptr (Plugins) before = plugins_scan (folders, place.worker, none);
  plugins_save (before, kept, place.worker);
  CU_ASSERT_EQUAL (times_asked (&place), 2);
  put (place.first, "new.so", "{\"version\":\"1.0.1\"}");
  g_autoptr (Plugins) loaded = plugins_load (kept, place.worker);
  g_autoptr (Plugins) after = plugins_scan (folders, place.worker, loaded);
  CU_ASSERT_EQUAL (times_asked (&place), 3);
  CU_ASSERT_STRING_EQUAL (plugins_find (after, "same")->version, "1.0.0");
  CU_ASSERT_STRING_EQUAL (plugins_find (after, "new")->version, "1.0.1");
  g_autoptr (Plugins) other = plugins_load (kept, "/bin/true");
  CU_ASSERT_EQUAL (plugins_all (other)->len, 0);
  g_file_set_contents (kept, "{\"worker\":7,\"plugins\":[{}", -1, NULL);
  g_autoptr (Plugins) torn = plugins_load (kept, place.worker);
  CU_ASSERT_EQUAL (plugins_all (torn)->len, 0);
  unlink (kept);
  place_clear (&place);
}

static void
test_a_worker_that_is_not_there_is_said (void)
{
  Place place = place_new ();
  put (place.first, "fine.so", "{}");
  char *folders[] = { place.first, NULL };
  g_autoptr (Plugins) plugins = plugins_scan (folders, "/nonexistent/worker", NULL);
  CU_ASSERT_STRING_EQUAL (refusal (plugins, "fine"),
                          "/nonexistent/worker cannot be started: No such file or directory");
  place_clear (&place);
}

static void
test_the_worker_is_where_the_environment_says (void)
{
  g_setenv ("TILLBRIDGE_WORKER", "/some/where", TRUE);
  g_autofree char *told = worker_program ();
  g_unsetenv ("TILLBRIDGE_WORKER");
  g_autofree char *found = worker_program ();
  CU_ASSERT_STRING_EQUAL (told, "/some/where");
  CU_ASSERT (g_str_has_suffix (found, "/tillbridge-worker"));
}

int
main (void)
{
  return TAP_RUN (
    "plugins",
    { "every plugin is asked, and the first file of a name wins",
      test_every_plugin_is_asked_and_the_first_file_of_a_name_wins },
    { "a plugin that cannot be used says why", test_a_plugin_that_cannot_be_used_says_why },
    { "a plugin that hangs is ended and holds up no other",
      test_a_plugin_that_hangs_is_ended_and_holds_up_no_other },
    { "a file that is known is not asked again", test_a_file_that_is_known_is_not_asked_again },
    { "times beyond all measure are cut", test_times_beyond_all_measure_are_cut },
    { "what was said is kept for the same files and worker",
      test_what_was_said_is_kept_for_the_same_files_and_worker },
    { "a worker that is not there is said", test_a_worker_that_is_not_there_is_said },
    { "the worker is where the environment says", test_the_worker_is_where_the_environment_says });
}
