#include "base/metrics.h"

#include <stdarg.h>
#include <string.h>

enum { LABELS_MOST = 4 };

typedef enum { COUNTER, GAUGE, HISTOGRAM } MetricType;
static const char *const type_words[] = { "counter", "gauge", "histogram" };

typedef struct {
  const char *name;
  MetricType type;
  const char *labels[LABELS_MOST];
  const char *help;
} MetricRow;

/* The frozen names: dashboards and alerts of others are written against them (a test compares). */
static const MetricRow table[] = {
  { "info", GAUGE, { "version", "sdk" }, "Always 1; what runs." },
  { "calls_total", COUNTER, { "plugin", "operation", "status" }, "Calls that ended." },
  { "call_seconds", HISTOGRAM, { "plugin", "operation" }, "How long calls took." },
  { "http_requests_total", COUNTER, { "plugin", "code" }, "Requests to vendors, by status (0: no answer)." },
  { "http_retries_total", COUNTER, { "plugin" }, "Requests that were repeated." },
  { "rate_limited_total", COUNTER, { "plugin" }, "Answers that said to slow down." },
  { "records_total", COUNTER, { "plugin", "kind", "result" }, "Records seen, by what became of them." },
  { "passes_total", COUNTER, { "plugin", "stream", "type", "state" }, "Passes that ended." },
  { "stream_age_seconds",
    GAUGE,
    { "store", "connector", "stream" },
    "Since the stream was last known to be true." },
  { "stream_late",
    GAUGE,
    { "store", "connector", "stream" },
    "1 when the stream is later than it should be." },
  { "feed_seq", GAUGE, { NULL }, "The newest change." },
  { "feed_followers", GAUGE, { NULL }, "Who follows the feed as a stream of events." },
  { "feed_delay_seconds", HISTOGRAM, { NULL }, "From a commit until a follower was sent it." },
  { "api_requests_total", COUNTER, { "route", "code" }, "Requests to the API." },
  { "api_seconds", HISTOGRAM, { "route" }, "How long the API took." },
  { "commit_seconds", HISTOGRAM, { "durable" }, "How long commits took." },
  { "store_bytes", GAUGE, { "part" }, "Size of the store's files." },
  { "disk_free_bytes", GAUGE, { NULL }, "Space left where the store is." },
  { "worker_restarts_total", COUNTER, { "plugin", "reason" }, "Workers that were started again." },
  { "worker_resident_bytes", GAUGE, { "plugin" }, "Memory of the plugin's worker." },
  { "plugins", GAUGE, { "state" }, "Plugins." },
  { "connectors", GAUGE, { "state" }, "Connectors." },
  { "configuration_errors", GAUGE, { NULL }, "Mistakes in the configuration as last read." },
  { "loop_seconds", HISTOGRAM, { "process" }, "How long one turn of the event loop took." },
};

static const double bounds[] = { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                 0.25,   0.5,   1,      2.5,   5,    10,    30,   60 };

struct Metric {
  const MetricRow *row;
  char *labels; /* store="downtown",connector="pos" */
  double value; /* of a histogram: the sum */
  guint64 count;
  guint64 buckets[]; /* of a histogram, one for each bound */
};

struct Metrics {
  GHashTable *series[G_N_ELEMENTS (table)]; /* labels -> Metric */
};

static void
metric_free (gpointer data)
{
  Metric *metric = data;
  g_free (metric->labels);
  g_free (metric);
}

Metrics *
metrics_new (void)
{
  Metrics *metrics = g_new0 (Metrics, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    metrics->series[i] = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, metric_free);
  return metrics;
}

void
metrics_free (Metrics *metrics)
{
  if (!metrics)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    g_hash_table_unref (metrics->series[i]);
  g_free (metrics);
}

static gsize
find_row (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (strcmp (table[i].name, name) == 0)
      return i;
  g_error ("no metric is called \"%s\"", name);
}

static void
append_label (GString *text, const char *name, const char *value)
{
  g_string_append_printf (text, "%s%s=\"", text->len ? "," : "", name);
  for (; *value; value++) {
    if (*value == '"' || *value == '\\')
      g_string_append_c (text, '\\');
    if (*value == '\n')
      g_string_append (text, "\\n");
    else
      g_string_append_c (text, *value);
  }
  g_string_append_c (text, '"');
}

Metric *
metrics_get (Metrics *metrics, const char *name, ...)
{
  gsize i = find_row (name);
  g_autoptr (GString) labels = g_string_new (NULL);
  va_list values;
  va_start (values, name);
  for (int l = 0; l < LABELS_MOST && table[i].labels[l]; l++)
    append_label (labels, table[i].labels[l], va_arg (values, const char *));
  va_end (values);
  Metric *metric = g_hash_table_lookup (metrics->series[i], labels->str);
  if (!metric) {
    gsize buckets = table[i].type == HISTOGRAM ? sizeof (guint64) * G_N_ELEMENTS (bounds) : 0;
    metric = g_malloc0 (sizeof *metric + buckets);
    metric->row = &table[i];
    metric->labels = g_strdup (labels->str);
    g_hash_table_insert (metrics->series[i], metric->labels, metric);
  }
  return metric;
}

void
metric_add (Metric *metric, double amount)
{
  g_assert (metric->row->type == COUNTER && amount >= 0);
  metric->value += amount;
}

void
metric_set (Metric *metric, double value)
{
  g_assert (metric->row->type == GAUGE);
  metric->value = value;
}

void
metric_observe (Metric *metric, double seconds)
{
  g_assert (metric->row->type == HISTOGRAM);
  metric->value += seconds;
  metric->count++;
  for (gsize i = 0; i < G_N_ELEMENTS (bounds); i++)
    if (seconds <= bounds[i]) {
      metric->buckets[i]++;
      break;
    }
}

double
metric_value (const Metric *metric)
{
  return metric->row->type == HISTOGRAM ? (double)metric->count : metric->value;
}

void
metrics_forget (Metrics *metrics, const char *name)
{
  g_hash_table_remove_all (metrics->series[find_row (name)]);
}

static void
put_value (GString *out, const Metric *metric, const char *suffix, const char *le, double value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  gboolean labels = *metric->labels != '\0';
  g_string_append_printf (out, "tillbridge_%s%s", metric->row->name, suffix);
  if (labels || le)
    g_string_append_printf (out, "{%s%s", metric->labels, labels && le ? "," : "");
  if (le)
    g_string_append_printf (out, "le=\"%s\"", le);
  if (labels || le)
    g_string_append_c (out, '}');
  g_string_append_printf (out, " %s\n", g_ascii_formatd (number, sizeof number, "%.15g", value));
}

static void
put_metric (GString *out, const Metric *metric)
{
  if (metric->row->type != HISTOGRAM) {
    put_value (out, metric, "", NULL, metric->value);
    return;
  }
  guint64 below = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (bounds); i++) {
    char le[G_ASCII_DTOSTR_BUF_SIZE];
    below += metric->buckets[i];
    put_value (out, metric, "_bucket", g_ascii_formatd (le, sizeof le, "%g", bounds[i]), (double)below);
  }
  put_value (out, metric, "_bucket", "+Inf", (double)metric->count);
  put_value (out, metric, "_sum", NULL, metric->value);
  put_value (out, metric, "_count", NULL, (double)metric->count);
}

static gint
by_labels (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

char *
metrics_to_text (const Metrics *metrics)
{
  GString *out = g_string_new (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    if (g_hash_table_size (metrics->series[i]) == 0)
      continue;
    g_string_append_printf (out, "# HELP tillbridge_%s %s\n# TYPE tillbridge_%s %s\n", table[i].name,
                            table[i].help, table[i].name, type_words[table[i].type]);
    g_autoptr (GList) keys = g_list_sort (g_hash_table_get_keys (metrics->series[i]), by_labels);
    for (GList *key = keys; key; key = key->next)
      put_metric (out, g_hash_table_lookup (metrics->series[i], key->data));
  }
  return g_string_free (out, FALSE);
}
