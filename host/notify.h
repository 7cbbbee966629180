/* Tells the service manager how we are: sd_notify without its library. Nothing happens when nobody asked
 * (NOTIFY_SOCKET is not set). */
#pragma once

/* "READY=1", "STOPPING=1", "STATUS=...", several with newlines between them. */
void notify_manager (const char *state);
/* "RELOADING=1" with the time it asks for. */
void notify_reloading (void);
