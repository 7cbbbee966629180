/* A preloaded library for which it is later than it is: so many seconds as stand as text in the file
 * TB_LATER_FILE, read anew whenever a clock is. Deadlines, schedules and ages then come without being waited
 * for. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long
later_s (void)
{
  char text[32] = "";
  const char *path = getenv ("TB_LATER_FILE");
  int fd = path ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0)
    return 0;
  ssize_t length = read (fd, text, sizeof text - 1);
  close (fd);
  return length > 0 ? strtol (text, NULL, 10) : 0;
}

int
clock_gettime (clockid_t which, struct timespec *time)
{
  int (*next) (clockid_t, struct timespec *) =
    (int (*) (clockid_t, struct timespec *))dlsym (RTLD_NEXT, "clock_gettime");
  int result = next (which, time);
  if (result == 0 && (which == CLOCK_REALTIME || which == CLOCK_MONOTONIC))
    time->tv_sec += later_s ();
  return result;
}

int
gettimeofday (struct timeval *time, void *zone)
{
  int (*next) (struct timeval *, void *) =
    (int (*) (struct timeval *, void *))dlsym (RTLD_NEXT, "gettimeofday");
  int result = next (time, zone);
  if (result == 0)
    time->tv_sec += later_s ();
  return result;
}
