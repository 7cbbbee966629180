#include "faults.h"

#include <gio/gio.h>
#include <string.h>

/* How often a fault happens when its rule does not say: those that answer a token once would else answer for
 * ever. */
typedef struct {
  const char *name;
  Fault fault;
  gint64 count, ms;
} FaultWord;

static const FaultWord words[] = {
  { "refuse", FAULT_REFUSE, -1 },
  { "reset_before_commit", FAULT_RESET_BEFORE, -1 },
  { "reset_after_commit", FAULT_RESET_AFTER, -1 },
  { "stall", FAULT_STALL, -1, 0 },
  { "drip", FAULT_DRIP, -1, 200 },
  { "500", FAULT_500, -1 },
  { "503", FAULT_503, -1 },
  { "429", FAULT_429, -1 },
  { "429_bare", FAULT_429_BARE, -1 },
  { "401_once", FAULT_401_ONCE, 1 },
  { "token_expired", FAULT_TOKEN_EXPIRED, 1 },
  { "truncated", FAULT_TRUNCATED, -1 },
  { "not_json", FAULT_NOT_JSON, -1 },
  { "wrong_type", FAULT_WRONG_TYPE, -1 },
  { "duplicate_page", FAULT_DUPLICATE_PAGE, -1 },
  { "endless_pages", FAULT_ENDLESS_PAGES, -1 },
  { "gzip_bomb", FAULT_GZIP_BOMB, -1 },
  { "empty_list", FAULT_EMPTY_LIST, -1 },
  { "partial", FAULT_PARTIAL, -1 },
  { "redirect_elsewhere", FAULT_REDIRECT_ELSEWHERE, -1 },
  { "redirect_loop", FAULT_REDIRECT_LOOP, -1 },
  { "huge", FAULT_HUGE, -1 },
  { "deep", FAULT_DEEP, -1 },
  { "bad_utf8", FAULT_BAD_UTF8, -1 },
  { "bad_price", FAULT_BAD_PRICE, -1 },
  { "no_id", FAULT_NO_ID, -1 },
  { "duplicate_ids", FAULT_DUPLICATE_IDS, -1 },
  { "slow", FAULT_SLOW, -1, 5000 },
  { "answer", FAULT_ANSWER, -1 },
  { "slow_body", FAULT_SLOW_BODY, -1, 100 },
};

struct Faults {
  GPtrArray *rules; /* FaultRule */
  GRand *dice;
  guint numbers;
};

static void
rule_free (gpointer data)
{
  FaultRule *rule = data;
  g_free (rule->vendor);
  g_free (rule->route);
  g_free (rule->method);
  g_free (rule->field);
  g_free (rule->to);
  g_free (rule->body);
  g_free (rule->type);
  g_free (rule);
}

Faults *
faults_new (guint64 seed)
{
  Faults *faults = g_new0 (Faults, 1);
  faults->rules = g_ptr_array_new_with_free_func (rule_free);
  faults->dice = g_rand_new_with_seed ((guint32)(seed ^ seed >> 32));
  return faults;
}

void
faults_free (Faults *faults)
{
  if (!faults)
    return;
  g_ptr_array_unref (faults->rules);
  g_rand_free (faults->dice);
  g_free (faults);
}

void
faults_clear (Faults *faults)
{
  g_ptr_array_set_size (faults->rules, 0);
}

gboolean
fault_needs_rows (Fault fault)
{
  switch (fault) {
  case FAULT_WRONG_TYPE:
  case FAULT_EMPTY_LIST:
  case FAULT_PARTIAL:
  case FAULT_BAD_UTF8:
  case FAULT_BAD_PRICE:
  case FAULT_NO_ID:
  case FAULT_DUPLICATE_IDS:
    return TRUE;
  default:
    return FALSE;
  }
}

static const FaultWord *
word_of (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_strcmp0 (words[i].name, name) == 0)
      return &words[i];
  return NULL;
}

const char *
fault_name (Fault fault)
{
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (words[i].fault == fault)
      return words[i].name;
  g_assert_not_reached ();
}

char *
faults_names (void)
{
  GString *names = g_string_new (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    g_string_append_printf (names, "%s%s", i == 0 ? "" : i % 9 == 0 ? "\n  " : " ", words[i].name);
  return g_string_free (names, FALSE);
}

static gboolean
refuse_member (GError **error, const char *name, json_object *value, const char *expected)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "fault rule: %s: %s is not %s", name,
               json_object_to_json_string (value), expected);
  return FALSE;
}

static gboolean
read_text (FaultRule *rule, const char *name, json_object *value, GError **error)
{
  const struct {
    const char *name;
    char **text;
  } texts[] = { { "vendor", &rule->vendor }, { "route", &rule->route }, { "method", &rule->method },
                { "field", &rule->field },   { "to", &rule->to },       { "body", &rule->body },
                { "type", &rule->type } };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    if (strcmp (texts[i].name, name) != 0)
      continue;
    if (!json_object_is_type (value, json_type_string))
      return refuse_member (error, name, value, "a text");
    g_free (*texts[i].text);
    *texts[i].text = g_strdup (json_object_get_string (value));
    return TRUE;
  }
  g_set_error (
    error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
    "fault rule: unknown member \"%s\" (there are: fault vendor route method share count seconds ms "
    "retry_after rows field to after status body type)",
    name);
  return FALSE;
}

static gboolean
read_member (FaultRule *rule, const char *name, json_object *value, gint64 monotonic_ms, GError **error)
{
  double number = json_object_get_double (value);
  gboolean is_number =
    json_object_is_type (value, json_type_int) || json_object_is_type (value, json_type_double);
  if (strcmp (name, "fault") == 0)
    return TRUE;
  if (strcmp (name, "after") == 0) {
    rule->after = json_object_get_boolean (value);
    return TRUE;
  }
  if (strcmp (name, "share") == 0) {
    rule->share = number;
    return (is_number && number >= 0 && number <= 1) ||
           refuse_member (error, name, value, "a share from 0 to 1");
  }
  if (!g_strv_contains (
        (const char *const[]){ "count", "seconds", "ms", "retry_after", "rows", "status", NULL }, name))
    return read_text (rule, name, value, error);
  if (!is_number || number < 0 || number > 1e9)
    return refuse_member (error, name, value, "a number from 0 to 1000000000");
  if (strcmp (name, "count") == 0)
    rule->count = (gint64)number;
  else if (strcmp (name, "seconds") == 0)
    rule->until_ms = monotonic_ms + (gint64)(number * 1000);
  else if (strcmp (name, "ms") == 0)
    rule->ms = (gint64)number;
  else if (strcmp (name, "status") == 0)
    rule->status = (int)CLAMP (number, 200, 999);
  else if (strcmp (name, "rows") == 0)
    rule->rows = (guint)number;
  else
    rule->retry_after_s = (gint64)number;
  return TRUE;
}

static FaultRule *
read_rule (json_object *object, gint64 monotonic_ms, GError **error)
{
  json_object *name =
    json_object_is_type (object, json_type_object) ? json_object_object_get (object, "fault") : NULL;
  const FaultWord *word = name ? word_of (json_object_get_string (name)) : NULL;
  if (!word) {
    g_autofree char *names = faults_names ();
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 "fault rule: %s has no fault that is known (there are: %s)",
                 json_object_to_json_string (object), names);
    return NULL;
  }
  FaultRule *rule = g_new0 (FaultRule, 1);
  *rule = (FaultRule){
    .fault = word->fault, .share = 1, .count = word->count, .ms = word->ms, .retry_after_s = -1
  };
  rule->rows = 1;
  rule->status = 200;
  json_object_object_foreach (object, key, value)
  {
    if (!read_member (rule, key, value, monotonic_ms, error)) {
      rule_free (rule);
      return NULL;
    }
  }
  if (rule->fault == FAULT_REFUSE && (rule->count >= 0 || rule->share < 1 || rule->route || rule->method)) {
    rule_free (rule);
    g_set_error (
      error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "fault rule: refuse takes vendor and seconds only: whoever is refused has not said anything yet");
    return NULL;
  }
  return rule;
}

gboolean
faults_add (Faults *faults, json_object *rules, gint64 monotonic_ms, GError **error)
{
  g_autoptr (GPtrArray) read = g_ptr_array_new_with_free_func (rule_free);
  if (!json_object_is_type (rules, json_type_array)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 "fault rules are an array: [{\"fault\":\"503\"}]");
    return FALSE;
  }
  for (size_t i = 0; i < json_object_array_length (rules); i++) {
    FaultRule *rule = read_rule (json_object_array_get_idx (rules, i), monotonic_ms, error);
    if (!rule)
      return FALSE;
    g_ptr_array_add (read, rule);
  }
  for (guint i = 0; i < read->len; i++)
    ((FaultRule *)read->pdata[i])->number = ++faults->numbers;
  g_ptr_array_extend_and_steal (faults->rules, g_steal_pointer (&read));
  return TRUE;
}

static gboolean
holds (const FaultRule *rule, gint64 monotonic_ms)
{
  return rule->count != 0 && (rule->until_ms == 0 || monotonic_ms < rule->until_ms);
}

static gboolean
fits (const FaultRule *rule, const FaultPlace *place)
{
  if (rule->vendor && strcmp (rule->vendor, place->vendor) != 0)
    return FALSE;
  if (rule->method && strcmp (rule->method, place->method) != 0)
    return FALSE;
  if ((rule->fault == FAULT_401_ONCE || rule->fault == FAULT_TOKEN_EXPIRED) && !place->wants_token)
    return FALSE;
  if ((rule->fault == FAULT_DUPLICATE_PAGE || rule->fault == FAULT_ENDLESS_PAGES ||
       fault_needs_rows (rule->fault)) &&
      !place->has_rows)
    return FALSE;
  return !rule->route || g_strcmp0 (rule->route, place->route) == 0 ||
         g_pattern_match_simple (rule->route, place->path);
}

const FaultRule *
faults_pick (Faults *faults, const FaultPlace *place, gint64 monotonic_ms)
{
  for (guint i = 0; i < faults->rules->len; i++) {
    FaultRule *rule = faults->rules->pdata[i];
    if (!holds (rule, monotonic_ms) || !fits (rule, place))
      continue;
    if (rule->share < 1 && g_rand_double (faults->dice) >= rule->share)
      continue;
    rule->hits++;
    if (rule->count > 0)
      rule->count--;
    return rule;
  }
  return NULL;
}

gboolean
faults_refuses (const Faults *faults, const char *vendor, gint64 monotonic_ms)
{
  for (guint i = 0; i < faults->rules->len; i++) {
    const FaultRule *rule = faults->rules->pdata[i];
    if (rule->fault == FAULT_REFUSE && holds (rule, monotonic_ms) &&
        (!rule->vendor || strcmp (rule->vendor, vendor) == 0))
      return TRUE;
  }
  return FALSE;
}

gint64
faults_next_end (const Faults *faults, gint64 monotonic_ms)
{
  gint64 next = 0;
  for (guint i = 0; i < faults->rules->len; i++) {
    const FaultRule *rule = faults->rules->pdata[i];
    if (rule->until_ms > monotonic_ms && (next == 0 || rule->until_ms < next))
      next = rule->until_ms;
  }
  return next;
}

GString *
faults_to_json (const Faults *faults)
{
  GString *out = g_string_new ("[");
  for (guint i = 0; i < faults->rules->len; i++) {
    const FaultRule *rule = faults->rules->pdata[i];
    g_string_append_printf (out, "%s{\"number\":%u,\"fault\":\"%s\",\"hits\":%" G_GUINT64_FORMAT,
                            i ? "," : "", rule->number, fault_name (rule->fault), rule->hits);
    if (rule->count >= 0)
      g_string_append_printf (out, ",\"left\":%" G_GINT64_FORMAT, rule->count);
    g_string_append_c (out, '}');
  }
  g_string_append_c (out, ']');
  return out;
}
