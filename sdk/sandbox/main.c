/* tillbridge-sandbox: imitated vendors on the own machine, for demos, tests, load and faults. */
#include <gio/gio.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>

#include "engine.h"
#include "millrace.h"
#include "treez.h"

enum {
  MOST_RECORDS = 1000000,
  KEPT_BLOCK_BYTES = 32 << 20, /* the most that malloc takes */
  KEPT_FREE_BYTES = 512 << 20,
  EXIT_FAILED = 1,
  EXIT_USAGE = 2,
};

static const Vendor *const all_vendors[] = { &treez_vendor, &millrace_vendor };

typedef struct {
  char *listen, *faults, **vendors;
  gint64 seed, size;
  double rate;
  gboolean no_log;
} Options;

static void
options_clear (Options *options)
{
  g_free (options->listen);
  g_free (options->faults);
  g_strfreev (options->vendors);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* What --help says after the options, but for vendors and faults, which speak for themselves. */
static const char admin_help[] =
  "When it is ready it prints one line of JSON: where the admin API is, and each vendor's URL and settings.\n"
  "Each vendor has a port of its own, so that it can refuse connections alone; the port of --listen serves\n"
  "them all. SIGTERM and SIGINT end it.\n"
  "\n"
  "The admin API, below /_sandbox\n"
  "  GET requests?vendor=&after=N   all that was received: n at vendor method path query headers body\n"
  "                                 status bytes (of the answer's body) fault\n"
  "  DELETE requests                forgets them; POST options {\"log\":false} keeps no more (benches)\n"
  "  POST options {\"etags\":true}    answers have an ETag, and 304 when it is known; {\"gzip\":true} packs "
  "them\n"
  "  GET VENDOR/KIND                the vendor's own records; id=, ids_only=true, offset=, limit=\n"
  "  POST VENDOR/change {\"kind\",\"id\"|\"ids\"|\"percent\"|\"count\",\"field\",\"value\"}\n"
  "                                 field: price quantity status name, or the path of a member, which is\n"
  "                                 then served as value says (\"pricing.price_sell\", \"abc\"). No value: "
  "a\n"
  "                                 new one. Answers which ids it changed\n"
  "  POST VENDOR/add                {\"kind\",\"count\"}\n"
  "  POST VENDOR/delete             {\"kind\",\"id\"|\"ids\"|\"percent\"|\"count\"}\n"
  "  POST VENDOR/options            {\"rate\":0}, see the vendor above\n"
  "  POST clock {\"skew_s\"}          moves the vendors' clock; GET status tells of open connections\n"
  "  POST faults [{\"fault\",\"vendor\",\"route\",\"method\",\"share\",\"count\",\"seconds\",...}]; GET, "
  "DELETE faults\n"
  "\n";

static const char fault_help[] =
  "\n"
  "  The first rule that fits a request is used. route: a route's name or a pattern of the path, such as\n"
  "  *lastUpdated*; share: of the requests that it fits, 0 to 1; count: how often (401_once and\n"
  "  token_expired: once); seconds: how long. ms: the pause of stall, slow, drip, slow_body. retry_after: "
  "of\n"
  "  429 and 503. after: 500 and 503 come once it has happened at the vendor. rows, field: which rows and\n"
  "  member wrong_type, bad_price, bad_utf8, no_id, duplicate_ids spoil. to: where redirect_elsewhere "
  "leads.\n"
  "  status, body, type: of answer, which is made by hand. refuse takes vendor and seconds only.\n"
  "\n"
  "Exit status: 0 ended as asked, 1 failed, 2 wrong usage.\n";

/* Versions of a vendor's API have routes of the same name. */
static gboolean
is_named_before (const Vendor *vendor, guint at)
{
  guint same = 0;
  while (strcmp (vendor->routes[same].name, vendor->routes[at].name) != 0)
    same++;
  return same < at;
}

static char *
description (void)
{
  g_autofree char *faults = faults_names ();
  GString *text = g_string_new ("Vendors (none named: all)\n");
  for (gsize i = 0; i < G_N_ELEMENTS (all_vendors); i++) {
    g_string_append_printf (text, "  %-9s %s\n            Routes:", all_vendors[i]->name,
                            all_vendors[i]->help);
    for (guint r = 0; r < all_vendors[i]->route_count; r++)
      if (!is_named_before (all_vendors[i], r))
        g_string_append_printf (text, " %s", all_vendors[i]->routes[r].name);
    g_string_append_c (text, '\n');
  }
  g_string_append_printf (text, "\n%sFaults\n  %s\n%s", admin_help, faults, fault_help);
  return g_string_free (text, FALSE);
}

static gboolean
parse (int argc, char **argv, Options *options, GError **error)
{
  const GOptionEntry entries[] = {
    { "listen", 0, 0, G_OPTION_ARG_STRING, &options->listen, "Address and port (127.0.0.1:0; port 0: any)",
      "HOST:PORT" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &options->seed, "What the data and the dice are made from (1)", "N" },
    { "size", 0, 0, G_OPTION_ARG_INT64, &options->size,
      "Records of each vendor's main kind (1000; to 1000000)", "N" },
    { "rate", 0, 0, G_OPTION_ARG_DOUBLE, &options->rate,
      "Calls a second that vendors allow; 0: no limit (their own)", "N" },
    { "no-log", 0, 0, G_OPTION_ARG_NONE, &options->no_log, "Do not keep what was received", NULL },
    { "faults", 0, 0, G_OPTION_ARG_FILENAME, &options->faults,
      "Fault rules to start with, as POST faults takes them", "FILE" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->vendors, NULL, "[VENDOR...]" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- imitates vendors' servers");
  g_autofree char *text = description ();
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_description (context, text);
  if (!g_option_context_parse (context, &argc, &argv, error))
    return FALSE;
  if (options->size < 1 || options->size > MOST_RECORDS) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--size is 1 to %d", MOST_RECORDS);
    return FALSE;
  }
  return TRUE;
}

/* The vendors asked for, and a NULL. */
static const Vendor **
choose (char **names, GError **error)
{
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();
  for (gsize i = 0; !names && i < G_N_ELEMENTS (all_vendors); i++)
    g_ptr_array_add (chosen, (gpointer)(guintptr)all_vendors[i]);
  for (char **name = names; name && *name; name++) {
    guint had = chosen->len;
    for (gsize i = 0; i < G_N_ELEMENTS (all_vendors); i++)
      if (strcmp (*name, all_vendors[i]->name) == 0 && !g_ptr_array_find (chosen, all_vendors[i], NULL))
        g_ptr_array_add (chosen, (gpointer)(guintptr)all_vendors[i]);
    if (chosen->len == had) {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                   "\"%s\" is no vendor of the sandbox, or named twice (see --help)", *name);
      return NULL;
    }
  }
  g_ptr_array_add (chosen, NULL);
  return (const Vendor **)g_ptr_array_free (g_steal_pointer (&chosen), FALSE);
}

/* "127.0.0.1:0" */
static gboolean
read_address (const char *text, char **host, guint16 *port, GError **error)
{
  const char *colon = strrchr (text, ':');
  guint64 number;
  if (!colon || !g_ascii_string_to_unsigned (colon + 1, 10, 0, G_MAXUINT16, &number, NULL)) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 "--listen \"%s\" is no HOST:PORT (127.0.0.1:0)", text);
    return FALSE;
  }
  *host = g_strndup (text, (gsize)(colon - text));
  *port = (guint16)number;
  return TRUE;
}

static gboolean
load_faults (Engine *engine, const char *path, GError **error)
{
  if (!path)
    return TRUE;
  json_object *rules = json_object_from_file (path);
  if (!rules) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: %s", path, json_util_get_last_err ());
    return FALSE;
  }
  gboolean fits = faults_add (engine_faults (engine), rules, engine_monotonic_ms (engine), error);
  json_object_put (rules);
  return fits && engine_apply_faults (engine, error);
}

static void
end_asked (int fd, guint32 signal_number, gpointer loop)
{
  loop_quit (loop);
}

static int
complain (const GError *error, int status)
{
  g_printerr ("tillbridge-sandbox: %s\n", error->message);
  return status;
}

int
main (int argc, char **argv)
{
  g_auto (Options) options = { .seed = 1, .size = 1000, .rate = -1 };
  g_autoptr (GError) error = NULL;
  g_autofree char *host = NULL;
  g_autofree const Vendor **vendors = NULL;
  guint16 port = 0;
  setlocale (LC_MESSAGES, "");
  if (!parse (argc, argv, &options, &error) || !(vendors = choose (options.vendors, &error)) ||
      !read_address (options.listen ? options.listen : "127.0.0.1:0", &host, &port, &error))
    return complain (error, EXIT_USAGE);
  signal (SIGPIPE, SIG_IGN);
  /* Pages of a megabyte or two come and go: mapped anew each time, their page faults would cost more than
   * writing them. */
  mallopt (M_MMAP_THRESHOLD, KEPT_BLOCK_BYTES);
  mallopt (M_TRIM_THRESHOLD, KEPT_FREE_BYTES);
  g_autoptr (Loop) loop = loop_new ();
  loop_signal (loop, SIGTERM, end_asked, loop);
  loop_signal (loop, SIGINT, end_asked, loop);
  const EngineSetup setup = {
    host, port, (guint64)options.seed, (guint32)options.size, options.rate, vendors
  };
  g_autoptr (Engine) engine = engine_new (loop, &setup, &error);
  if (!engine || !load_faults (engine, options.faults, &error))
    return complain (error, EXIT_FAILED);
  journal_set_on (engine_journal (engine), !options.no_log);
  g_autofree char *line = engine_ready_line (engine);
  g_print ("%s\n", line);
  loop_run (loop);
  return 0;
}
