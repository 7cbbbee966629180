/* Problem documents (RFC 9457), as SURFACES 5 has them: `code` is the coarse word and follows from the
 * status, `reason` the fine one, `detail` says what was found and what to do. */
#pragma once
#include "api/answer.h"
#include "json/shape.h"

typedef json_object Problem;
extern const Shape problem_shape, problem_error_shape;

/* reason may be NULL. */
Problem *problem_new (guint status, const char *reason, const char *format, ...) G_GNUC_PRINTF (3, 4);
void problem_free (Problem *problem);
/* Adds to `errors`; the first one's reason is the document's, unless it has one. */
void problem_add (Problem *problem, const char *field, const char *reason, const char *format, ...)
  G_GNUC_PRINTF (4, 5);
guint problem_status (Problem *problem);
Problem *problem_ending (void);           /* of the daemon */
const char *problem_title (guint status); /* "There is no such thing" */

/* Takes the problem; with 503 there is a Retry-After. trace may be NULL. */
Answer *problem_to_answer (Problem *problem, const char *trace);

/* ", did you mean "limit"?" when a name is near enough, else "". Free with g_free(). */
char *did_you_mean (const char *wrong, const char *const *names);
