/* What an object in an answer consists of, written beside the code that makes it: the description of the API
 * comes from these tables (api/openapi.c), and tests hold real answers against them. */
#pragma once

typedef struct {
  const char *name; /* "detail?" where it may be absent */
  /* "text" "time" "integer" (64 bits) "number" "boolean" "any"; "kind": a kind of records; "a|b|c": one of
   * these words; "Pass": another shape, "Record": a record of whatever kind; "[x]": a list of x; "{x}": an
   * object whose members, of whatever name, are x. */
  const char *type;
  const char *help;
  const char *example; /* NULL: none. A text without quotes; of what is no text: JSON */
} ShapeMember;

typedef struct {
  const char *name; /* as generated clients call it: "Pass" */
  const char *help;
  const ShapeMember *members; /* ends with a NULL name */
} Shape;
