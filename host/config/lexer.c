#include "config/lexer.h"

#include <errno.h>
#include <string.h>

void
lexer_start (Lexer *x, ScanSource *source)
{
  gsize start = 0;
  gboolean in_string = FALSE;
  *x = (Lexer){ .source = source, .at = source->text, .line_start = source->text, .line = 1 };
  g_array_append_val (source->lines, start);
  g_array_append_val (source->in_string, in_string);
}

static void
new_line (Lexer *x, gboolean in_string)
{
  gsize start = (gsize)(x->at + 1 - x->source->text);
  g_array_append_val (x->source->lines, start);
  g_array_append_val (x->source->in_string, in_string);
  x->line++;
  x->line_start = x->at + 1;
}

/* Columns count characters, not bytes. */
static int
column_of (const Lexer *x, const char *at)
{
  int column = 1;
  for (const char *p = x->line_start; p < at; p++)
    column += (*p & 0xC0) != 0x80;
  return column;
}

/* Over blanks and comments. FALSE: a comment does not end, and token is its beginning. */
static gboolean
skip_blanks (Lexer *x, Token *token)
{
  for (;; x->at++) {
    if (*x->at == '\n')
      new_line (x, FALSE);
    else if (*x->at == '#' || (x->at[0] == '/' && x->at[1] == '/')) {
      x->at += strcspn (x->at, "\n");
      x->at--;
    } else if (x->at[0] == '/' && x->at[1] == '*') {
      *token =
        (Token){ .type = T_JUNK, .at = x->at, .length = 2, .line = x->line, .column = column_of (x, x->at) };
      for (x->at += 2; *x->at && !(x->at[0] == '*' && x->at[1] == '/'); x->at++)
        if (*x->at == '\n')
          new_line (x, FALSE);
      if (!*x->at)
        return FALSE;
      x->at++;
    } else if (!*x->at || !strchr (" \t\r\f", *x->at))
      return TRUE;
  }
}

static void
read_string (Lexer *x, Token *token)
{
  for (x->at++; *x->at && *x->at != '"'; x->at++) {
    if (*x->at == '\n')
      new_line (x, TRUE);
    else if (x->at[0] == '\\' && strncmp (x->at + 1, "x00", 3) == 0 && !token->fault) {
      token->fault = FAULT_NUL;
      token->fault_line = x->line;
      token->fault_column = column_of (x, x->at);
    } else if (x->at[0] == '\\' && (x->at[1] == '"' || x->at[1] == '\\'))
      x->at++;
  }
  if (*x->at && x->line > token->line) {
    x->long_text = *token;
    x->long_end = x->line;
  }
  if (*x->at)
    x->at++;
  else
    token->type = T_JUNK;
}

static gsize
digits_at (const char *text, gsize length, gsize i)
{
  gsize start = i;
  while (i < length && g_ascii_isdigit (text[i]))
    i++;
  return i - start;
}

/* libconfig's numbers: 12, 0x1F, 12L, 1.5, .5, 5., 1e9. */
static gboolean
is_number (const char *text, gsize length, gboolean *integer)
{
  gsize i = length > 0 && strchr ("+-", text[0]) ? 1 : 0, digits = 0;
  *integer = TRUE;
  if (length - i > 2 && text[i] == '0' && (text[i + 1] | 32) == 'x') {
    for (i += 2; i < length && g_ascii_isxdigit (text[i]); i++)
      digits++;
  } else {
    i += digits = digits_at (text, length, i);
    if (i < length && text[i] == '.') {
      *integer = FALSE;
      gsize behind = digits_at (text, length, ++i);
      i += behind;
      digits += behind;
    }
    if (digits && i < length && (text[i] | 32) == 'e') {
      *integer = FALSE;
      i += i + 1 < length && strchr ("+-", text[i + 1]) ? 2 : 1;
      gsize exponent = digits_at (text, length, i);
      digits = exponent > 0 ? digits : 0;
      i += exponent;
    }
  }
  while (*integer && i < length && text[i] == 'L')
    i++;
  return digits > 0 && i == length;
}

/* Would libconfig wrap it, or cut it at the ends of 64 bits? */
static TokenFault
fault_of_integer (const Token *token)
{
  g_autofree char *text = g_strndup (token->at, token->length);
  gboolean is_long = token->at[token->length - 1] == 'L', negative = *text == '-';
  const char *digits = text + strspn (text, "+-");
  int base = digits[0] == '0' && (digits[1] | 32) == 'x' ? 16 : 10;
  errno = 0;
  guint64 value = g_ascii_strtoull (base == 16 ? digits + 2 : digits, NULL, base);
  guint64 most = (is_long ? (guint64)G_MAXINT64 : (guint64)G_MAXINT32) + (negative ? 1 : 0);
  if (errno == 0 && value <= most)
    return FAULT_NONE;
  return is_long ? FAULT_BEYOND_64 : FAULT_BEYOND_32;
}

static void
read_word (Lexer *x, Token *token)
{
  gboolean integer;
  while (g_ascii_isalnum (*x->at) || (*x->at && strchr ("_-*.+", *x->at)) || (*x->at & 0x80))
    x->at++;
  token->length = (gsize)(x->at - token->at);
  if (is_number (token->at, token->length, &integer)) {
    token->type = T_NUMBER;
    if (integer)
      token->fault = fault_of_integer (token);
  } else if (g_ascii_isalpha (*token->at) || *token->at == '*') {
    token->type = T_NAME;
    for (gsize i = 0; i < token->length; i++)
      if (strchr (".+", token->at[i]) || (token->at[i] & 0x80))
        token->type = T_WORD;
    if ((token->length == 4 && g_ascii_strncasecmp (token->at, "true", 4) == 0) ||
        (token->length == 5 && g_ascii_strncasecmp (token->at, "false", 5) == 0))
      token->type = T_BOOLEAN;
  } else
    token->type = T_WORD;
}

Token
lexer_next (Lexer *x)
{
  Token token;
  if (!skip_blanks (x, &token))
    return token;
  token = (Token){ .at = x->at, .length = 1, .line = x->line, .column = column_of (x, x->at) };
  char c = *x->at;
  if (!c) {
    token.length = 0;
  } else if (c == '"') {
    token.type = T_TEXT;
    read_string (x, &token);
    token.length = (gsize)(x->at - token.at);
  } else if (strncmp (x->at, "@include", 8) == 0) {
    token.type = T_INCLUDE;
    x->at += token.length = 8;
  } else if (g_ascii_isalnum (c) || strchr ("*+-.", c)) {
    read_word (x, &token);
  } else {
    static const char marks[] = "=:,;{[(}])";
    static const TokenType types[] = { T_ASSIGN, T_ASSIGN, T_COMMA, T_SEMICOLON, T_OPEN,
                                       T_OPEN,   T_OPEN,   T_CLOSE, T_CLOSE,     T_CLOSE };
    const char *mark = strchr (marks, c);
    token.type = mark ? types[mark - marks] : T_JUNK;
    x->at++;
    for (; (c & 0x80) && (*x->at & 0xC0) == 0x80; x->at++) /* the rest of a character */
      token.length++;
  }
  return token;
}
