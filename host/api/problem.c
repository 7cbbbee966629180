#include "api/problem.h"

#include <stdarg.h>

#include "config/problems.h"

#define RETRY_AFTER_S "5"

static const ShapeMember error_members[] = {
  { "field", "text", "The parameter or member.", "limit" },
  { "reason", "text", "In one word.", "out_of_range" },
  { "detail?", "text", "What was expected.", "expected a number from 1 to 1000" },
  { NULL },
};
static const ShapeMember members[] = {
  { "type", "text", "`urn:tillbridge:` and the code.", "urn:tillbridge:validation_error" },
  { "title", "text", "The status in words.", "The request cannot be understood" },
  { "status", "integer", "As in the answer's first line.", "400" },
  { "code",
    "validation_error|authentication_error|permission_error|not_found|not_allowed|conflict|gone|too_large|"
    "rate_limit_exceeded|internal|unsupported|bad_response|service_unavailable",
    "The coarse word: act on this." },
  { "reason?", "text", "The fine word.", "out_of_range" },
  { "detail", "text", "What was found and what to do, for people.",
    "limit=0: expected a number from 1 to 1000" },
  { "errors?", "[ProblemError]", "Where there are several, or a field is to blame." },
  { "snapshot?", "text", "Of 410: where a new copy begins.", "/v1/snapshot" },
  { "trace", "text", "As in the header traceparent.", "4bf92f3577b34da6a3ce929d0e0e4736" },
  { NULL },
};
const Shape problem_error_shape = { "ProblemError", "One thing that is wrong with a request.",
                                    error_members },
            problem_shape = { "Problem", "Why a request was refused (RFC 9457).", members };

static const struct {
  guint status;
  const char *code, *title;
} statuses[] = {
  { 400, "validation_error", "The request cannot be understood" },
  { 401, "authentication_error", "Who asks is not known" },
  { 403, "permission_error", "This is not allowed" },
  { 404, "not_found", "There is no such thing" },
  { 405, "not_allowed", "This cannot be done here" },
  { 409, "conflict", "This cannot be done now" },
  { 410, "gone", "This place in the feed is gone" },
  { 412, "conflict", "It was changed meanwhile" },
  { 413, "too_large", "The body is too large" },
  { 415, "validation_error", "The body is not JSON" },
  { 422, "validation_error", "The request was refused" },
  { 429, "rate_limit_exceeded", "Too much waits already" },
  { 431, "too_large", "The headers are too large" },
  { 500, "internal", "Something is wrong with us" },
  { 501, "unsupported", "The plugin cannot do this" },
  { 502, "bad_response", "The vendor failed" },
  { 503, "service_unavailable", "Not available for now" },
  { 504, "service_unavailable", "No answer came in time" },
};

static gsize
row_of (guint status)
{
  for (gsize i = 0; i < G_N_ELEMENTS (statuses); i++)
    if (statuses[i].status == status)
      return i;
  g_error ("no problem has the status %u", status);
}

const char *
problem_title (guint status)
{
  return statuses[row_of (status)].title;
}

Problem *
problem_new (guint status, const char *reason, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *detail = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  gsize row = row_of (status);
  g_autofree char *type = g_strconcat ("urn:tillbridge:", statuses[row].code, NULL);
  Problem *problem = json_object_new_object ();
  put_text (problem, "type", type);
  put_text (problem, "title", statuses[row].title);
  put_number (problem, "status", status);
  put_text (problem, "code", statuses[row].code);
  put_text (problem, "reason", reason);
  put_text (problem, "detail", detail);
  return problem;
}

void
problem_free (Problem *problem)
{
  json_object_put (problem);
}

void
problem_add (Problem *problem, const char *field, const char *reason, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *detail = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  json_object *errors, *error = json_object_new_object ();
  if (!json_object_object_get_ex (problem, "errors", &errors)) {
    errors = json_object_new_array ();
    json_object_object_add (problem, "errors", errors);
  }
  put_text (error, "field", field);
  put_text (error, "reason", reason);
  put_text (error, "detail", detail);
  json_object_array_add (errors, error);
  if (!json_object_object_get_ex (problem, "reason", NULL))
    put_text (problem, "reason", reason);
}

Problem *
problem_ending (void)
{
  return problem_new (503, "ending", "the daemon is ending; ask again in a moment");
}

guint
problem_status (Problem *problem)
{
  return (guint)json_object_get_int (json_object_object_get (problem, "status"));
}

Answer *
problem_to_answer (Problem *problem, const char *trace)
{
  guint status = problem_status (problem);
  put_text (problem, "trace", trace);
  Answer *answer = answer_json (status, problem);
  answer->type = "application/problem+json";
  if (status == 503)
    answer_header (answer, "Retry-After", RETRY_AFTER_S);
  return answer;
}

char *
did_you_mean (const char *wrong, const char *const *names)
{
  const char *nearest = nearest_name (wrong, names);
  return nearest ? g_strdup_printf (", did you mean \"%s\"?", nearest) : g_strdup ("");
}
