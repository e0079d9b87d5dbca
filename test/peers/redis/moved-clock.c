/* A preload under which a program's wall clock is ahead by CLOCK_AHEAD_S seconds. libfaketime does the same, but not for programs with jemalloc. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *at) {
  const char *ahead = getenv("CLOCK_AHEAD_S");
  int result = syscall(SYS_clock_gettime, id, at);
  if (result == 0 && id == CLOCK_REALTIME && ahead != NULL) at->tv_sec += atol(ahead);
  return result;
}

int gettimeofday(struct timeval *at, void *zone) {
  struct timespec now;
  int result = clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return result;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at != NULL) *at = now.tv_sec;
  return now.tv_sec;
}
