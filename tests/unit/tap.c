#include "tap.h"

#include <stdio.h>

static void
test_complete (const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failure)
{
  printf ("%s %u - %s: %s\n", failure ? "not ok" : "ok", CU_get_number_of_tests_run (), suite->pName,
          test->pName);
  for (CU_pFailureRecord one = failure; one && one->pTest == test; one = one->pNext)
    printf ("# %s:%u: %s\n", one->strFileName, one->uiLineNumber, one->strCondition);
  fflush (stdout);
}

int
tap_run (const char *suite_name, const TapTest *tests, size_t count)
{
  if (CU_initialize_registry () != CUE_SUCCESS)
    return 99;
  CU_pSuite suite = CU_add_suite (suite_name, NULL, NULL);
  for (size_t i = 0; i < count; i++)
    CU_add_test (suite, tests[i].name, tests[i].run);
  CU_set_test_complete_handler (test_complete);
  printf ("1..%zu\n", count);
  CU_run_all_tests ();
  unsigned failed = CU_get_number_of_tests_failed ();
  CU_cleanup_registry ();
  return failed ? 1 : 0;
}
