/* tillbridge, the operator's command: what every verb is handed, and how it ends.
 *
 * A verb reads what was written, asks the daemon over its Unix socket (or reads files, where it works without
 * one), and prints: results on `out`, everything else on `err`. It answers with one of the statuses below. */
#pragma once
#include <glib.h>
#include <json-c/json.h>
#include <stdio.h>

enum {
  CLI_DONE = 0,
  CLI_FAILED = 1,      /* it did not work, or problems were found */
  CLI_USAGE = 2,       /* what was written is no command */
  CLI_CHANGES = 3,     /* a dry run that would change something */
  CLI_UNREACHABLE = 4, /* the daemon did not answer: not "no", but "not known" */
};

enum { VERB_OPTIONS_MOST = 14, VERB_EXAMPLES = 2, VERB_ARGUMENTS_MOST = 2, VERB_ANY = 10000 };

typedef struct Cli Cli;
typedef struct Client Client;

/* YES_NO: alone it is yes; --visible=no */
typedef enum { OPTION_FLAG, OPTION_TEXT, OPTION_COUNT, OPTION_YES_NO } VerbOptionType;

/* What a word stands for: which the shell may complete. */
typedef enum {
  TAKES_TEXT, /* what nobody can guess */
  TAKES_FILE,
  TAKES_STORE,
  TAKES_CONNECTOR, /* down to a connector: "downtown", "downtown/pos" */
  TAKES_STREAM,    /* down to a stream */
  TAKES_STREAMS,   /* a connector or a stream: "downtown" alone is not enough */
  TAKES_NAME,      /* a connector of the store that is the first argument: "pos" */
  TAKES_PLUGIN,
  TAKES_HELD, /* a pass that waits for a person */
  TAKES_VERB,
} VerbTakes;

typedef struct {
  const char *name; /* "full"; NULL ends the list */
  VerbOptionType type;
  const char *value; /* what help calls its value: "LIST" */
  const char *help;
  const char *choices; /* words with blanks between; NULL: any. value "LIST": any number of them */
  VerbTakes takes;
  char letter; /* -h; 0: none */
} VerbOption;

typedef struct {
  const char *command, *effect;
} VerbExample;

/* One row of the table in verbs.c: parsing, help, the overview, the manual and completion are made of it. */
typedef struct {
  const char *name;      /* its words: "config show" */
  const char *arguments; /* "S/C[/T]"; "" */
  const char *summary;   /* one line, no full stop */
  const char *text;      /* what else help says, one paragraph; NULL */
  guint least, most;     /* how many arguments */
  VerbTakes takes[VERB_ARGUMENTS_MOST];
  VerbOption options[VERB_OPTIONS_MOST];
  VerbExample examples[VERB_EXAMPLES];
  int (*run) (Cli *cli);
} Verb;

extern const Verb cli_verbs[];                /* ends with a NULL name */
extern const VerbOption cli_common_options[]; /* of every verb; ends with a NULL name */

struct Cli {
  const Verb *verb;
  char **arguments; /* ends with NULL */
  guint count;
  struct {
    gboolean flag;
    char *text;
    gint64 number; /* G_MININT64: not said */
  } values[VERB_OPTIONS_MOST];
  char *config, *socket, *color; /* NULL: not said */
  gboolean json, help, version, verbose;
  FILE *out, *err;
  gint64 now_ms;               /* the wall clock as the command began */
  gboolean colour, colour_err; /* of out and of err */
  guint columns;               /* of the terminal that out is; 0: it is none */
  gboolean dumb;               /* TERM says that nothing can be drawn on it */
  Client *client;              /* made when first asked for */
};

/* The whole command; words[0] is the program's name. environment: as g_get_environ() gives it. */
int cli_run (int count, char **words, char **environment, FILE *out, FILE *err);

/* The option of the verb that runs. */
gboolean cli_flag (const Cli *cli, const char *name);
const char *cli_text (const Cli *cli, const char *name); /* NULL: not said */
gint64 cli_number (const Cli *cli, const char *name, gint64 standard);
const char *cli_argument (const Cli *cli, guint index); /* NULL: not said */

/* Each prints "error: ..." and answers with the status to end with. */
int cli_fail (Cli *cli, const GError *error);
int cli_failed (Cli *cli, const char *format, ...) G_GNUC_PRINTF (2, 3);
int cli_wrong_usage (Cli *cli, const char *format, ...) G_GNUC_PRINTF (2, 3);
void cli_note (Cli *cli, const char *format, ...) G_GNUC_PRINTF (2, 3); /* on err */

/* The connection to the daemon. NULL: told, *status is how to end. */
Client *cli_client (Cli *cli, int *status);

/* ---- the verbs ---- */

int verb_check (Cli *cli);
int verb_config_show (Cli *cli);
int verb_status (Cli *cli);
int verb_stores (Cli *cli);
int verb_connectors (Cli *cli);
int verb_plugins (Cli *cli);
int verb_plugin_show (Cli *cli);
int verb_sync (Cli *cli);
int verb_products (Cli *cli);
int verb_changes (Cli *cli);
int verb_rejects (Cli *cli);
int verb_passes (Cli *cli);
int verb_passes_accept (Cli *cli);
int verb_passes_refuse (Cli *cli);
int verb_reload (Cli *cli);
int verb_help (Cli *cli);
