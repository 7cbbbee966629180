/* The loop's side of the SQLite store: what is submitted in a turn goes to the writer at its end, all at
 * once, and what comes back is told. Opening and closing are in sqlite-open.c. */
#include "store/sqlite-store.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void tell (SqliteStore *store, Job *job);

static void
hand_over (SqliteStore *store)
{
  g_async_queue_lock (store->to_writer); /* all at once, so that it commits them together */
  for (guint i = 0; i < store->turn->len; i++)
    g_async_queue_push_unlocked (store->to_writer, g_ptr_array_index (store->turn, i));
  g_async_queue_unlock (store->to_writer);
  g_ptr_array_set_size (store->turn, 0);
}

void
sqlite_end_of_turn (gpointer data)
{
  hand_over (data);
}

static void
put_to_turn (SqliteStore *store, Job *job)
{
  g_ptr_array_add (store->turn, job);
  store->outstanding++;
  if (store->turn->len == 1)
    loop_timer_set (store->turn_timer, loop_now_ms (store->loop));
}

static void
submit (Store *base, StoreBatch *batch, StoreDone done, gpointer data)
{
  SqliteStore *store = (SqliteStore *)base;
  Job *job = g_new0 (Job, 1);
  job->type = JOB_BATCH;
  job->batch = batch;
  job->done = done;
  job->data = data;
  store->submitted[batch->durable]++;
  if (batch->durable)
    store->durable_waiting++;
  put_to_turn (store, job);
}

static void
prune (Store *base, const StorePrune *before, StoreDone done, gpointer data)
{
  Job *job = g_new0 (Job, 1);
  job->type = JOB_PRUNE;
  job->prune = *before;
  job->compacted = COMPACT_START;
  job->done = done;
  job->data = data;
  put_to_turn ((SqliteStore *)base, job);
}

/* It shows what is committed by the time it is read. */
static void
query (Store *base, const StoreQuery *asked, StoreQueryDone done, gpointer data)
{
  SqliteStore *store = (SqliteStore *)base;
  Job *job = g_new0 (Job, 1);
  job->type = JOB_QUERY;
  job->query = g_new0 (Query, 1);
  *job->query = (Query){ .asked = store_query_copy (asked), .done = done, .next = asked->from, .more = TRUE };
  if (job->query->asked->words || job->query->asked->term_count)
    job->query->found = g_new0 (Found, 1);
  job->data = data;
  store->outstanding++;
  g_async_queue_push (store->to_reader, job);
}

/* A map shows all that was submitted before it was asked for. */
static void
start_maps (SqliteStore *store)
{
  Job *job;
  while ((job = g_queue_peek_head (&store->maps)) && store->told[0] >= job->after[0] &&
         store->told[1] >= job->after[1])
    g_async_queue_push (store->to_reader, g_queue_pop_head (&store->maps));
}

static void
load_map (Store *base, guint32 collection, StoreMapRows rows, StoreDone done, gpointer data)
{
  SqliteStore *store = (SqliteStore *)base;
  Job *job = g_new0 (Job, 1);
  job->type = JOB_MAP;
  job->collection = collection;
  job->last = store_rid (collection, 0) - 1;
  job->map_rows = rows;
  job->done = done;
  job->data = data;
  job->after[0] = store->submitted[0];
  job->after[1] = store->submitted[1];
  store->outstanding++;
  g_queue_push_tail (&store->maps, job);
  start_maps (store);
}

void
sqlite_tell_ends (int fd, guint32 events, gpointer data)
{
  SqliteStore *store = data;
  guint64 count;
  if (read (fd, &count, sizeof count) < 0 && errno != EAGAIN)
    g_error ("eventfd: %s", g_strerror (errno));
  store->woken = FALSE;
  for (Job *job; (job = g_async_queue_try_pop (store->ends));)
    tell (store, job);
}

void
job_end (SqliteStore *store, Job *job)
{
  guint64 one = 1;
  g_async_queue_push (store->ends, job);
  if (!atomic_exchange (&store->woken, TRUE) && write (store->wake, &one, sizeof one) < 0 && errno != EAGAIN)
    g_error ("cannot wake the loop: %s", g_strerror (errno));
}

static void
tell (SqliteStore *store, Job *job)
{
  if (job->type == JOB_COMMITTED) {
    if (store->commit_seconds[job->durable])
      metric_observe (store->commit_seconds[job->durable], job->seconds);
    if (job->moved)
      store_tell_moved (&store->base, job->committed_us);
    job_free (job);
    return;
  }
  if (job->type == JOB_MAP_ROWS) {
    job->map_rows ((const StoreMapRow *)(gpointer)job->rows->data, job->rows->len, job->data);
    job_free (job);
    return;
  }
  store->outstanding--;
  if (job->type == JOB_BATCH)
    store->told[job->batch->durable]++;
  if (job->done)
    job->done (job->error, job->data);
  else if (job->query)
    job->query->done (job->query->more, job->query->next, job->error, job->data);
  job_free (job);
  start_maps (store);
}

static guint64
file_size (const char *path)
{
  struct stat about;
  return stat (path, &about) == 0 ? (guint64)about.st_size : 0;
}

static void
status (Store *base, StoreStatus *status)
{
  SqliteStore *store = (SqliteStore *)base;
  struct statvfs system = { 0 };
  if (statvfs (store->path, &system) < 0)
    system.f_bavail = 0;
  *status = (StoreStatus){ .file_bytes = file_size (store->path),
                           .wal_bytes = file_size (store->wal_path),
                           .free_bytes = (guint64)system.f_bavail * system.f_frsize,
                           .records = store->rows - read_dead (store),
                           .seq = read_latest (store),
                           .full = store->full };
}

static void
stop_thread (GThread *thread, GAsyncQueue *queue)
{
  if (!thread)
    return;
  Job *job = g_new0 (Job, 1);
  job->type = JOB_STOP;
  g_async_queue_push (queue, job);
  g_thread_join (thread);
}

static void
close_store (Store *base)
{
  SqliteStore *store = (SqliteStore *)base;
  store->stopping = TRUE;
  while (store->outstanding) {
    hand_over (store);
    tell (store, g_async_queue_pop (store->ends));
  }
  stop_thread (store->reader_thread, store->to_reader);
  stop_thread (store->writer_thread, store->to_writer);
  sqlite_mark_clean (store);
  stop_thread (store->checkpointer_thread, store->to_checkpointer);
  for (Job *job; (job = g_async_queue_try_pop (store->ends));)
    tell (store, job);
  sqlite_release (store);
}

const StoreClass sqlite_class = { .submit = submit,
                                  .list = read_list,
                                  .get = read_get,
                                  .changes = read_changes,
                                  .seq_known = read_seq_known,
                                  .rows = read_rows,
                                  .states = read_states,
                                  .load_map = load_map,
                                  .query = query,
                                  .stock = read_stock,
                                  .prune = prune,
                                  .status = status,
                                  .free = close_store };
