/* One follower's line: what it was given and did not take yet. The HTTP server sends the head and sleeps;
 * from then on blocks are written to the socket here, one write for each, and the server is woken for the end
 * alone. (Woken for each block, it would cost five calls of the system instead of one.) */
#pragma once
#include "api/follow.h"
#include "api/stream.h"

enum { FOLLOWER_QUEUE_MOST = 256 * 1024 }; /* bytes given and not taken, beyond which nothing more is given */

typedef enum {
  FOLLOWER_BEGINS, /* the head is on its way */
  FOLLOWER_TIP,    /* in its group's list */
  FOLLOWER_BEHIND, /* in the list of those whose turn to read comes */
  FOLLOWER_FULL,   /* behind, and has to take what it was given first */
  FOLLOWER_ENDS    /* nothing more is given */
} FollowerState;

typedef struct Group Group;

typedef struct {
  GList link; /* of the list that its state says; else of none */
  FollowerState state;
  Followers *all;
  Group *group;
  FeedPlace place; /* was given everything up to it; at the tip: Followers' own */
  Stream *stream;
  LoopWatch *watch; /* NULL: the socket is the server's */
  const char *head; /* what the server has still to send */
  char *begins;     /* the head of one who begins now: it tells the place; else NULL */
  int fd;           /* while there is a watch: near at hand, since each round asks for a thousand of them */
  gboolean chunked;
  gboolean blocked; /* the socket takes no more */
  GQueue blocks;    /* GBytes */
  gsize sent;       /* of the first of them */
  gsize waiting;    /* bytes of all of them */
} Follower;

extern const StreamSource follower_source;

/* Writes the block, or keeps it until the socket takes it. */
void follower_give (Follower *follower, GBytes *block);
/* Is there room for so much more? */
gboolean follower_has_room (const Follower *follower, gsize size);
/* Ends when all that it was given is taken. */
void follower_finish (Follower *follower);
/* Ends at once, in the middle: the client sees that, and comes back. */
void follower_cut (Follower *follower);

/* ---- follow.c: told by the line ---- */
void follower_began (Follower *follower);   /* may be given blocks now */
void follower_drained (Follower *follower); /* has taken all */
void follower_left (Follower *follower);    /* its stream is gone */
/* Takes it off its list, and says what it is now. */
void follower_becomes (Follower *follower, FollowerState state);
