/* CUnit suites that speak TAP: one line a test, for automake's tap-driver.
 *
 *   int main (void) { return TAP_RUN ("breaker", { "lets one probe through",
 * test_breaker_lets_one_probe_through }, ...); } */
#pragma once
#include <CUnit/Automated.h>
#include <CUnit/Basic.h>
#include <glib.h>

typedef struct {
  const char *name;
  CU_TestFunc run;
} TapTest;

int tap_run (const char *suite, const TapTest *tests, size_t count);

#define TAP_RUN(suite, ...)                                                                                  \
  tap_run (suite, (const TapTest[]){ __VA_ARGS__ },                                                          \
           sizeof ((const TapTest[]){ __VA_ARGS__ }) / sizeof (TapTest))
