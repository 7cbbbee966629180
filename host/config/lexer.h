/* libconfig's words, each with its place. For scan.c alone. */
#pragma once
#include "config/scan.h"

typedef enum {
  T_END,
  T_NAME,
  T_WORD,
  T_TEXT,
  T_NUMBER,
  T_BOOLEAN,
  T_ASSIGN,
  T_COMMA,
  T_SEMICOLON,
  T_OPEN,
  T_CLOSE,
  T_INCLUDE,
  T_JUNK
} TokenType;

/* What libconfig would take and get wrong. */
typedef enum { FAULT_NONE, FAULT_NUL, FAULT_BEYOND_32, FAULT_BEYOND_64 } TokenFault;

typedef struct {
  TokenType type;
  const char *at;
  gsize length;
  int line, column; /* columns count characters, not bytes */
  TokenFault fault;
  int fault_line, fault_column; /* of FAULT_NUL */
} Token;

typedef struct {
  ScanSource *source;
  const char *at, *line_start;
  int line;
  Token long_text; /* the last string that ran over lines */
  int long_end;    /* the line it ended on */
} Lexer;

void lexer_start (Lexer *lexer, ScanSource *source);
Token lexer_next (Lexer *lexer);
