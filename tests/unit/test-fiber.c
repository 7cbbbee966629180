#include "worker/fiber.h"
#include "tap.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK = 256 << 10, MANY = 5000 };

typedef struct {
  Loop *loop;
  Fibers *fibers;
  Fiber *fiber;
  GString *story;
  char letter;
  int rounds, done;
} Scene;

static void
scene_set (Scene *scene, guint most)
{
  *scene = (Scene){ .loop = loop_new (), .story = g_string_new (NULL) };
  scene->fibers = fibers_new (scene->loop, STACK, most);
}

static void
scene_clear (Scene *scene)
{
  fibers_free (scene->fibers);
  loop_free (scene->loop);
  g_string_free (scene->story, TRUE);
}

static void
tell_and_park (gpointer data)
{
  Scene *scene = data;
  g_string_append_c (scene->story, 'a');
  fiber_park (scene->fibers);
  g_string_append_c (scene->story, 'b');
}

static void
test_a_fiber_runs_at_the_end_of_the_turn_and_goes_on_where_it_parked (void)
{
  Scene scene;
  scene_set (&scene, 10);
  Fiber *fiber = fiber_start (scene.fibers, tell_and_park, &scene);
  CU_ASSERT_STRING_EQUAL (scene.story->str, "");
  loop_turn (scene.loop, 0);
  CU_ASSERT_STRING_EQUAL (scene.story->str, "a");
  CU_ASSERT_PTR_NULL (fiber_current (scene.fibers));
  loop_turn (scene.loop, 0);
  CU_ASSERT_STRING_EQUAL (scene.story->str, "a");
  fiber_wake (fiber);
  fiber_wake (fiber);
  CU_ASSERT_EQUAL (fibers_running (scene.fibers), 1);
  loop_turn (scene.loop, 0);
  CU_ASSERT_STRING_EQUAL (scene.story->str, "ab");
  CU_ASSERT_EQUAL (fibers_running (scene.fibers), 0);
  scene_clear (&scene);
}

static void
count_turns (gpointer data)
{
  Scene *scene = data;
  for (int i = 0; i < 3; i++) {
    scene->rounds++;
    fiber_yield (scene->fibers);
  }
  scene->done++;
}

static void
test_thousands_of_fibers_take_turns (void)
{
  Scene scene;
  scene_set (&scene, MANY);
  for (int i = 0; i < MANY; i++)
    CU_ASSERT_PTR_NOT_NULL_FATAL (fiber_start (scene.fibers, count_turns, &scene));
  CU_ASSERT_PTR_NULL (fiber_start (scene.fibers, count_turns, &scene));
  loop_turn (scene.loop, 0);
  CU_ASSERT_EQUAL (scene.rounds, MANY);
  while (scene.done < MANY)
    loop_turn (scene.loop, 0);
  CU_ASSERT_EQUAL (scene.rounds, 3 * MANY);
  CU_ASSERT_EQUAL (fibers_running (scene.fibers), 0);
  CU_ASSERT_PTR_NOT_NULL (fiber_start (scene.fibers, count_turns, &scene));
  while (scene.done < MANY + 1)
    loop_turn (scene.loop, 0);
  scene_clear (&scene);
}

static int
dig (int depth)
{
  volatile char hole[1000];
  memset ((void *)hole, depth, sizeof hole);
  return depth ? dig (depth - 1) + hole[depth % 1000] : 0;
}

static void
dig_far (gpointer data)
{
  Scene *scene = data;
  dig (scene->rounds);
  scene->done = (int)fiber_stack_used (fiber_current (scene->fibers));
}

static void
test_the_deepest_use_of_a_stack_is_told (void)
{
  Scene scene;
  scene_set (&scene, 10);
  scene.rounds = 100;
  fiber_start (scene.fibers, dig_far, &scene);
  loop_turn (scene.loop, 0);
  int deep = scene.done;
  CU_ASSERT_TRUE (deep > 100 * 1000 && deep < 200 * 1000);
  CU_ASSERT_TRUE (fibers_deepest (scene.fibers) >= (gsize)deep);
  scene.rounds = 1;
  fiber_start (scene.fibers, dig_far, &scene); /* on the same stack, which is clean again */
  loop_turn (scene.loop, 0);
  CU_ASSERT_TRUE (scene.done < deep / 4);
  CU_ASSERT_TRUE (fibers_deepest (scene.fibers) >= (gsize)deep);
  scene_clear (&scene);
}

static void
test_running_off_the_stack_hits_the_guard (void)
{
  pid_t child = fork ();
  if (child == 0) {
    setrlimit (RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    signal (SIGSEGV, SIG_DFL); /* without the sanitizer's report */
    Scene scene;
    scene_set (&scene, 10);
    scene.rounds = 100000;
    fiber_start (scene.fibers, dig_far, &scene);
    loop_turn (scene.loop, 0);
    _exit (0);
  }
  int how = 0;
  CU_ASSERT_EQUAL (waitpid (child, &how, 0), child);
  CU_ASSERT_TRUE (WIFSIGNALED (how) && WTERMSIG (how) == SIGSEGV);
}

static long
resident_pages (void)
{
  long whole = 0, resident = 0;
  g_autofree char *text = NULL;
  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL) ||
      sscanf (text, "%ld %ld", &whole, &resident) != 2)
    return 0;
  return resident;
}

static void
test_a_stack_that_is_not_used_is_not_resident (void)
{
  Scene scene;
  scene_set (&scene, 1000);
  long before = resident_pages ();
  CU_ASSERT_TRUE (before > 0);
  for (int i = 0; i < 1000; i++)
    fiber_start (scene.fibers, count_turns, &scene);
  while (scene.done < 1000)
    loop_turn (scene.loop, 0);
  long pages = resident_pages () - before;
  CU_ASSERT_TRUE (pages < 1000 * STACK / 4096 / 4);
  scene_clear (&scene);
}

int
main (void)
{
  return TAP_RUN (
    "fiber",
    { "a fiber runs at the end of the turn and goes on where it parked",
      test_a_fiber_runs_at_the_end_of_the_turn_and_goes_on_where_it_parked },
    { "thousands of fibers take turns", test_thousands_of_fibers_take_turns },
    { "the deepest use of a stack is told", test_the_deepest_use_of_a_stack_is_told },
    { "running off the stack hits the guard", test_running_off_the_stack_hits_the_guard },
    { "a stack that is not used is not resident", test_a_stack_that_is_not_used_is_not_resident });
}
