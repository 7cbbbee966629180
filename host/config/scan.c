#include "config/lexer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What may come next. */
typedef enum { WANT_NAME, WANT_ASSIGN, WANT_VALUE, WANT_NEXT } Want;

typedef struct {
  char closer;
  gboolean group;
  int line, column, indent;
  guint elements;
  gsize path_length; /* of the path to what stands inside */
} Bracket;

typedef struct {
  Scan *scan;
  ScanSource *source;
  Lexer lexer;
  const char *folder;
  int includes;
  GArray *brackets; /* Bracket */
  GString *path;
  Want want;
  Token last;      /* the token before */
  Token name;      /* of the setting whose value comes */
  Bracket suspect; /* the first bracket whose closer stands further left than its line */
} Scanner;

static void
fault_free (gpointer data)
{
  ScanFault *fault = data;
  g_free (fault->text);
  g_free (fault->hint);
  g_free (fault);
}

static void
source_free (gpointer data)
{
  ScanSource *source = data;
  g_free (source->file);
  g_free (source->text);
  g_array_unref (source->lines);
  g_array_unref (source->in_string);
  g_free (source);
}

void
scan_free (Scan *scan)
{
  if (!scan)
    return;
  g_hash_table_unref (scan->places);
  g_ptr_array_unref (scan->refused);
  if (scan->first_error)
    fault_free (scan->first_error);
  g_ptr_array_unref (scan->sources);
  g_free (scan);
}

char *
scan_line (const ScanSource *source, int line)
{
  if (line < 1 || (guint)line > source->lines->len)
    return NULL;
  const char *start = source->text + g_array_index (source->lines, gsize, line - 1);
  gsize length = strcspn (start, "\r\n");
  g_autofree char *raw = g_strndup (start, length);
  return g_utf8_make_valid (raw, -1);
}

char *
scan_load (const char *path, gsize *length, const char **why)
{
  struct stat status;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 || fstat (fd, &status) != 0) {
    *why = g_strerror (errno);
    if (fd >= 0)
      close (fd);
    return NULL;
  }
  if (!S_ISREG (status.st_mode) || status.st_size > SCAN_FILE_MOST) {
    *why = S_ISREG (status.st_mode) ? "it is larger than 1 MiB" : "it is no regular file";
    close (fd);
    return NULL;
  }
  g_autofree char *text = g_malloc ((gsize)status.st_size + 1);
  gsize done = 0;
  ssize_t got = 0;
  while (done < (gsize)status.st_size && (got = read (fd, text + done, (gsize)status.st_size - done)) > 0)
    done += (gsize)got;
  if (got < 0)
    *why = g_strerror (errno);
  close (fd);
  if (got < 0)
    return NULL;
  text[done] = '\0';
  *length = done;
  return g_steal_pointer (&text);
}

static ScanFault *
fault_new (const Scanner *s, const Token *token, char *text, char *hint)
{
  ScanFault *fault = g_new0 (ScanFault, 1);
  *fault = (ScanFault){ s->source, token->line, token->column, (int)MIN (token->length, 200), text, hint };
  return fault;
}

static void
refuse (Scanner *s, const Token *token, char *text, const char *hint)
{
  if (s->scan->first_error) /* behind it, what is read is a guess */
    g_free (text);
  else
    g_ptr_array_add (s->scan->refused, fault_new (s, token, text, g_strdup (hint)));
}

static void
syntax (Scanner *s, const Token *token, char *text, char *hint)
{
  if (s->scan->first_error) {
    g_free (text);
    g_free (hint);
  } else
    s->scan->first_error = fault_new (s, token, text, hint);
}

static void
refuse_token (Scanner *s, const Token *token)
{
  Token place = *token;
  if (token->fault == FAULT_NUL) {
    place.line = token->fault_line;
    place.column = token->fault_column;
    place.length = strlen ("\\x00");
    refuse (s, &place, g_strdup ("the text ends at this \\x00 for libconfig, what follows would be lost"),
            "leave it out");
  } else if (token->fault == FAULT_BEYOND_32)
    refuse (s, &place, g_strdup ("this integer does not fit in 32 bits"), "quote it, or end it with L");
  else
    refuse (s, &place, g_strdup ("this integer does not fit in 64 bits"), "quote it");
}

static Bracket *
innermost (const Scanner *s)
{
  return s->brackets->len > 0 ? &g_array_index (s->brackets, Bracket, s->brackets->len - 1) : NULL;
}

static gboolean
in_group (const Scanner *s)
{
  return !innermost (s) || innermost (s)->group;
}

/* The value begins: the path is made whole and its place kept. */
static void
keep_place (Scanner *s, const Token *value)
{
  Bracket *bracket = innermost (s);
  const Token *name = &s->name;
  if (in_group (s))
    g_string_append_printf (s->path, "%s%.*s", s->path->len ? "." : "", (int)name->length, name->at);
  else {
    g_string_append_printf (s->path, "[%u]", bracket->elements++);
    name = value;
  }
  if (g_hash_table_contains (s->scan->places, s->path->str)) {
    ScanPlace *first = g_hash_table_lookup (s->scan->places, s->path->str);
    syntax (s, name, g_strdup_printf ("duplicate setting name: \"%s\" is set twice", s->path->str),
            g_strdup_printf ("first set at line %d", first->line));
    return;
  }
  ScanPlace *place = g_new0 (ScanPlace, 1);
  *place = (ScanPlace){ s->source, name->line, name->column, (int)name->length, value->line, value->at };
  g_hash_table_insert (s->scan->places, g_strdup (s->path->str), place);
}

static void
drop_last_part (Scanner *s)
{
  gsize length = innermost (s) ? innermost (s)->path_length : 0;
  g_string_truncate (s->path, length);
}

static void
open_bracket (Scanner *s, const Token *token)
{
  static const char openers[] = "{[(", closers[] = "}])";
  Bracket bracket = { closers[strchr (openers, *token->at) - openers],
                      *token->at == '{',
                      token->line,
                      token->column,
                      (int)strspn (s->lexer.line_start, " \t"),
                      0,
                      s->path->len };
  g_array_append_val (s->brackets, bracket);
  s->want = bracket.group ? WANT_NAME : WANT_VALUE;
  if (s->brackets->len == SCAN_DEPTH_MOST + 1)
    refuse (s, token, g_strdup_printf ("more than %d groups and lists stand in one another", SCAN_DEPTH_MOST),
            NULL);
}

static void
close_bracket (Scanner *s, const Token *token)
{
  Bracket *bracket = innermost (s);
  if (!bracket) {
    syntax (s, token, g_strdup_printf ("\"%c\" closes nothing that is open", *token->at), NULL);
    return;
  }
  if (bracket->closer != *token->at) {
    syntax (s, token, g_strdup_printf ("\"%c\" where \"%c\" is expected", *token->at, bracket->closer),
            g_strdup_printf ("opened at line %d", bracket->line));
    return;
  }
  int indent = (int)strspn (s->lexer.line_start, " \t");
  if (bracket->line < token->line && indent < bracket->indent && !s->suspect.closer &&
      s->lexer.line_start + indent == token->at)
    s->suspect = *bracket;
  g_array_set_size (s->brackets, s->brackets->len - 1);
  drop_last_part (s);
  s->want = WANT_NEXT;
}

/* A missing quote makes a string run on to the next one: what follows it then makes no sense. */
static gboolean
ran_over (const Scanner *s, const Token *token)
{
  const Lexer *x = &s->lexer;
  return x->long_text.at && (x->long_end == token->line || x->long_end == s->name.line);
}

static gboolean
is_duration (const Token *token)
{
  const char *unit = token->at + strspn (token->at, "0123456789");
  gsize length = (gsize)(token->at + token->length - unit);
  return unit > token->at &&
         ((length == 1 && strchr ("smhd", *unit)) || (length == 2 && strncmp (unit, "ms", 2) == 0));
}

/* Not what the place wants. A string that ran over lines before is the likelier mistake. */
static void
unexpected (Scanner *s, const Token *token)
{
  static const char *const wanted[] = { "the name of a setting", "\"=\"", "a value", "\";\"" };
  if (ran_over (s, token)) {
    Token text = s->lexer.long_text;
    text.length = 1;
    syntax (s, &text, g_strdup ("syntax error: this string does not end on its line"),
            g_strdup_printf ("string opened at line %d: is its closing quote missing?", text.line));
  } else if (s->want == WANT_VALUE && token->length > 0 && is_duration (token))
    syntax (s, token,
            g_strdup_printf ("syntax error: %.*s stands without quotes", (int)token->length, token->at),
            g_strdup_printf ("durations are strings: \"%.*s\"", (int)token->length, token->at));
  else if (s->want == WANT_VALUE && (token->type == T_NAME || token->type == T_WORD))
    syntax (s, token, g_strdup ("syntax error: a value is expected here"),
            g_strdup ("a text stands in quotes"));
  else if (token->type == T_END && s->brackets->len > 0) {
    Bracket *bracket = s->suspect.closer ? &s->suspect : &g_array_index (s->brackets, Bracket, 0);
    Token place = { T_OPEN, NULL, 1, bracket->line, bracket->column };
    syntax (s, &place,
            g_strdup_printf ("syntax error: \"%c\" is missing, the file ends at line %d", bracket->closer,
                             token->line),
            g_strdup_printf ("opened at line %d", bracket->line));
  } else if (s->want == WANT_NAME && (token->type == T_WORD || token->type == T_NUMBER))
    syntax (s, token, g_strdup ("syntax error: this is no name of a setting"),
            g_strdup ("names have letters, digits, \"-\" and \"_\", and begin with a letter"));
  else if (s->want == WANT_NEXT && innermost (s) && !in_group (s))
    syntax (s, token,
            g_strdup_printf ("syntax error: \",\" or \"%c\" is expected here", innermost (s)->closer), NULL);
  else
    syntax (s, token, g_strdup_printf ("syntax error: %s is expected here", wanted[s->want]), NULL);
}

/* A string or a comment that takes the rest of the file; libconfig says nothing of it. */
static void
never_closed (Scanner *s, const Token *token)
{
  Token place = *token;
  const char *what = *token->at == '"' ? "string" : "comment";
  if (ran_over (s, token)) {
    unexpected (s, token);
    return;
  }
  place.length = *token->at == '"' ? 1 : 2;
  syntax (s, &place, g_strdup_printf ("syntax error: this %s is never closed", what),
          g_strdup_printf ("%s opened at line %d", what, token->line));
}

static void scan_source (Scanner *s, char *text, const char *shown);

static void
include (Scanner *s, const Token *token)
{
  Token name = lexer_next (&s->lexer);
  if (name.type != T_TEXT || name.length < 2) {
    syntax (s, token, g_strdup ("syntax error: @include takes a file's name in quotes"), NULL);
    return;
  }
  g_autofree char *file = g_strndup (name.at + 1, name.length - 2);
  g_autofree char *path = g_build_filename (s->folder, file, NULL);
  const ScanSource *root = g_ptr_array_index (s->scan->sources, 0);
  g_autofree char *beside = g_path_get_dirname (root->file);
  g_autofree char *shown = strchr (root->file, '/') ? g_build_filename (beside, file, NULL) : g_strdup (file);
  const char *why;
  gsize length;
  g_autofree char *text = s->includes < SCAN_INCLUDE_MOST ? scan_load (path, &length, &why) : NULL;
  if (s->includes >= SCAN_INCLUDE_MOST)
    why = "files include one another too deep";
  if (!text) {
    refuse (s, &name, g_strdup_printf ("cannot open include file \"%s\": %s", file, why), NULL);
    return;
  }
  Scanner outer = *s;
  s->includes++;
  scan_source (s, g_steal_pointer (&text), shown);
  s->includes--;
  s->source = outer.source;
  s->lexer = outer.lexer;
  s->lexer.long_text.at = NULL;
}

/* Text behind a value, in a group: the next setting, the terminator, or the group's end. */
static void
after_value (Scanner *s, const Token *token)
{
  if (token->type == T_TEXT && s->last.type == T_TEXT)
    return; /* strings side by side are one */
  drop_last_part (s);
  if (token->type == T_CLOSE)
    close_bracket (s, token);
  else if (in_group (s) && (token->type == T_SEMICOLON || token->type == T_COMMA))
    s->want = WANT_NAME;
  else if (in_group (s) && token->type == T_NAME) {
    s->name = *token;
    s->want = WANT_ASSIGN;
  } else if (!in_group (s) && token->type == T_COMMA)
    s->want = WANT_VALUE;
  else
    unexpected (s, token);
}

static void
take (Scanner *s, const Token *token)
{
  gboolean value = token->type == T_TEXT || token->type == T_NUMBER || token->type == T_BOOLEAN;
  if (token->type == T_INCLUDE)
    include (s, token);
  else if (s->want == WANT_NEXT)
    after_value (s, token);
  else if (s->want == WANT_NAME && token->type == T_NAME) {
    s->name = *token;
    s->want = WANT_ASSIGN;
  } else if (s->want == WANT_ASSIGN && token->type == T_ASSIGN)
    s->want = WANT_VALUE;
  else if (s->want == WANT_VALUE && token->type == T_OPEN && innermost (s) && innermost (s)->closer == ']')
    syntax (s, token, g_strdup ("syntax error: [ ] holds texts, numbers or booleans alone"),
            g_strdup ("( ) holds anything"));
  else if (s->want == WANT_VALUE && (value || token->type == T_OPEN)) {
    keep_place (s, token);
    if (value)
      s->want = WANT_NEXT;
    else
      open_bracket (s, token);
  } else if (token->type == T_CLOSE &&
             (s->want == WANT_NAME || (s->want == WANT_VALUE && s->last.type == T_OPEN)))
    close_bracket (s, token);
  else
    unexpected (s, token);
  s->last = *token;
}

static void
scan_source (Scanner *s, char *text, const char *shown)
{
  s->source = g_new0 (ScanSource, 1);
  s->source->file = g_strdup (shown);
  s->source->text = text;
  s->source->lines = g_array_new (FALSE, FALSE, sizeof (gsize));
  s->source->in_string = g_array_new (FALSE, FALSE, sizeof (gboolean));
  g_ptr_array_add (s->scan->sources, s->source);
  lexer_start (&s->lexer, s->source);
  for (;;) {
    Token token = lexer_next (&s->lexer);
    if (token.type == T_END)
      break;
    if (token.type == T_JUNK && strchr ("\"/", token.at[0]) && !*s->lexer.at) {
      never_closed (s, &token);
      break;
    }
    if (token.fault)
      refuse_token (s, &token);
    if (!s->scan->first_error)
      take (s, &token);
  }
}

Scan *
scan_text (char *text, const char *shown, const char *folder)
{
  Scan *scan = g_new0 (Scan, 1);
  scan->sources = g_ptr_array_new_with_free_func (source_free);
  scan->places = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  scan->refused = g_ptr_array_new_with_free_func (fault_free);
  Scanner s = { .scan = scan,
                .folder = folder,
                .path = g_string_new (NULL),
                .brackets = g_array_new (FALSE, FALSE, sizeof (Bracket)) };
  scan_source (&s, text, shown);
  Token end = lexer_next (&s.lexer);
  if (s.brackets->len > 0 || s.want == WANT_ASSIGN || s.want == WANT_VALUE)
    unexpected (&s, &end);
  g_array_unref (s.brackets);
  g_string_free (s.path, TRUE);
  return scan;
}
