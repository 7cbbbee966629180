/* A preloaded library that counts the writes of a process and ends or fails the nth.
 *
 *   TB_SHIM_PATH=text   only files whose path has this in it
 *   TB_SHIM_AT=n        the nth call of pwrite, write, ftruncate, fsync, fdatasync on them, from 1
 *   TB_SHIM_MODE=exit   ends the process there, before the call (as kill -9 would)
 *               =torn   ends it after half of what the call should have written
 *               =eio | enospc     fails that call and all after it
 *               =eio-once | short-once   fails that call alone; writes half of it
 *               =slow     that call and all after it take their time
 *
 * The count is per process and static: a library that is preloaded has nowhere else to keep it. */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { SLOW_US = 5000 };

typedef enum { CALL_WRITES, CALL_OTHER } CallKind;
typedef enum { GO_ON, FAIL, HALF } Verdict;

static atomic_long calls;

static int
is_ours (int fd, const char *part)
{
  char link[64], path[4096];
  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink (link, path, sizeof path - 1);
  if (length < 0)
    return 0;
  path[length] = 0;
  return strstr (path, part) != NULL;
}

static Verdict
judge_here (const char *mode, CallKind kind, long call, long at)
{
  if (strcmp (mode, "exit") == 0)
    _exit (88);
  if (strcmp (mode, "torn") == 0) {
    if (kind == CALL_WRITES)
      return HALF;
    _exit (88);
  }
  if (strcmp (mode, "short-once") == 0)
    return call == at && kind == CALL_WRITES ? HALF : GO_ON;
  if (strcmp (mode, "eio-once") == 0 && call > at)
    return GO_ON;
  if (strcmp (mode, "slow") == 0) {
    usleep (SLOW_US);
    return GO_ON;
  }
  errno = strcmp (mode, "enospc") == 0 ? ENOSPC : EIO;
  return FAIL;
}

static Verdict
judge (int fd, CallKind kind)
{
  const char *at = getenv ("TB_SHIM_AT"), *mode = getenv ("TB_SHIM_MODE"), *path = getenv ("TB_SHIM_PATH");
  if (!at || !mode || !path || !is_ours (fd, path))
    return GO_ON;
  long call = atomic_fetch_add (&calls, 1) + 1, first = atol (at);
  return call < first ? GO_ON : judge_here (mode, kind, call, first);
}

/* Half was written: a process that should be torn there ends. */
static ssize_t
after_half (ssize_t written)
{
  const char *mode = getenv ("TB_SHIM_MODE");
  if (strcmp (mode, "torn") == 0)
    _exit (88);
  return written;
}

#define REAL(type, name, ...) ((type (*) (__VA_ARGS__))dlsym (RTLD_NEXT, name))

static ssize_t
write_at (const char *name, int fd, const void *bytes, size_t count, off_t offset)
{
  Verdict verdict = judge (fd, CALL_WRITES);
  if (verdict == FAIL)
    return -1;
  ssize_t written = REAL (ssize_t, name, int, const void *, size_t,
                          off_t) (fd, bytes, verdict == HALF ? count / 2 : count, offset);
  return verdict == HALF ? after_half (written) : written;
}

ssize_t
pwrite (int fd, const void *bytes, size_t count, off_t offset)
{
  return write_at ("pwrite", fd, bytes, count, offset);
}

ssize_t
pwrite64 (int fd, const void *bytes, size_t count, off64_t offset)
{
  return write_at ("pwrite64", fd, bytes, count, offset);
}

ssize_t
write (int fd, const void *bytes, size_t count)
{
  Verdict verdict = judge (fd, CALL_WRITES);
  if (verdict == FAIL)
    return -1;
  ssize_t written =
    REAL (ssize_t, "write", int, const void *, size_t) (fd, bytes, verdict == HALF ? count / 2 : count);
  return verdict == HALF ? after_half (written) : written;
}

int
fsync (int fd)
{
  return judge (fd, CALL_OTHER) == FAIL ? -1 : REAL (int, "fsync", int) (fd);
}

int
fdatasync (int fd)
{
  return judge (fd, CALL_OTHER) == FAIL ? -1 : REAL (int, "fdatasync", int) (fd);
}

int
ftruncate (int fd, off_t length)
{
  return judge (fd, CALL_OTHER) == FAIL ? -1 : REAL (int, "ftruncate", int, off_t) (fd, length);
}

int
ftruncate64 (int fd, off64_t length)
{
  return judge (fd, CALL_OTHER) == FAIL ? -1 : REAL (int, "ftruncate64", int, off64_t) (fd, length);
}
