/* Counters, gauges and histograms, and their text in Prometheus' exposition format 0.0.4.
 *
 * A metric is found once by name and labels and then costs an addition. Names and label names are a frozen
 * table (metrics.c): asking for one that is not in it is a bug and aborts. */
#pragma once
#include <glib.h>

typedef struct Metrics Metrics;
typedef struct Metric Metric;

Metrics *metrics_new (void);
void metrics_free (Metrics *metrics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Metrics, metrics_free)

/* name without the prefix "tillbridge_"; then one value for each label of the table's row. Lives as long as
 * metrics. */
Metric *metrics_get (Metrics *metrics, const char *name, ...);

void metric_add (Metric *metric, double amount);      /* counters */
void metric_set (Metric *metric, double value);       /* gauges */
void metric_observe (Metric *metric, double seconds); /* histograms */
double metric_value (const Metric *metric);           /* of a histogram: how many were observed */

/* Drops all series of a gauge, so that what is gone is no longer told. */
void metrics_forget (Metrics *metrics, const char *name);

/* All of them, with HELP and TYPE. */
char *metrics_to_text (const Metrics *metrics);
