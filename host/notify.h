/* What the service manager and we tell each other: sd_notify(3), the watchdog and the descriptor store,
 * without their library. Nothing happens when nobody asked (NOTIFY_SOCKET is not set).
 *
 * The store: the manager keeps copies of our listening descriptors and hands them to the next run, whether
 * this one ended or was killed. Who connects meanwhile waits in the kernel's queue, and nobody is refused. */
#pragma once
#include <glib.h>

typedef struct Notify Notify;

/* Reads what the manager put into the environment and takes it out, so that no worker finds it. Before the
 * first thread. */
Notify *notify_new (void);
void notify_free (Notify *notify); /* closes the descriptors that nobody took */

/* Is there a manager? */
gboolean notify_is_asked (const Notify *notify);

/* "READY=1", "STOPPING=1", "STATUS=...", several with newlines between them. */
void notify_send (const Notify *notify, const char *state);
/* "RELOADING=1" with the time it asks for. */
void notify_reloading (const Notify *notify);
/* How often the manager wants to hear "WATCHDOG=1", halved, so that one that is late is none that is missing;
 * 0: never. */
gint64 notify_watchdog_ms (const Notify *notify);

/* A descriptor that a former run left under this name, the caller's from now on; -1: none, or no other one.
 */
int notify_take (Notify *notify, const char *name);
/* The manager keeps a copy of fd for the next run; of one that it has already, no second. */
void notify_keep (const Notify *notify, const char *name, int fd);
/* It keeps none of this name any more: when this returns they are closed there, and their addresses free. */
void notify_forget (const Notify *notify, const char *name);
/* All that nobody took is closed, here and there. Before notify_keep(): it goes by names. */
void notify_forget_rest (Notify *notify);
