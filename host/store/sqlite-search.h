/* The search index: which records have words and texts like these. An SQLite file beside the data, with an
 * FTS5 table whose rowid is the record's rid; all of it can be made again from the records, so it is thrown
 * away whenever there is doubt.
 *
 * Nothing is paid for it by who does not search. A collection comes into it when it is first searched: its
 * records are read through in their order, and from then on, at the beginning of each search, the changes
 * since the last one. Numbers of changes grow in the order of commits, so "up to seq" says it all.
 *
 * Words are what FTS5's unicode61 makes of a text. A term is one more such word: a character for private use
 * that tells the member, and a hash of its text. Each has its collection in front, so that a search costs
 * what its own collection holds, however many others there are.
 *
 * Belongs to the reader's thread alone. Kept without fsync: after an unclean end on another boot it is made
 * anew. */
#pragma once
#include <sqlite3.h>

#include "model/served.h"
#include "store/store.h"

typedef struct SqliteStore SqliteStore;

enum {
  SEARCH_COLLECTION_LENGTH = 8,         /* of what stands in front of words */
  SEARCH_WORDS_MOST = 32,               /* of one query; further ones are not looked at */
  SEARCH_FREE_LEAST = 64 * 1024 * 1024, /* on the file system: the index takes no more of it */
  SEARCH_HITS = 500                     /* that are asked for at once */
};

typedef enum {
  SEARCH_BEGIN,
  SEARCH_COMMIT,
  SEARCH_INSERT,
  SEARCH_REPLACE,
  SEARCH_DELETE,
  SEARCH_TEXT,
  SEARCH_MATCH,
  SEARCH_ABOUT,
  SEARCH_COLLECTION,
  SEARCH_STATEMENTS
} SearchStatement;

typedef struct {
  char *path, *boot;
  sqlite3 *db; /* NULL: not open */
  sqlite3_stmt *statements[SEARCH_STATEMENTS];
  fts5_api *fts;
  GHashTable *collections; /* number -> guint64: ordinal up to which it was read through */
  guint64 seq;             /* up to which changes were followed, for all of them */
  ModelServed served;
  GString *text;
  gboolean broken; /* the last failure was the index's own, not the store's */
} Search;

/* sqlite-search.c */
void search_init (Search *search, const char *store_path, const char *boot);
void search_clear (Search *search);
/* Before anything is written to the store in this run: throws the index away when it knows of changes that
 * the store does not know any more. */
void search_check (SqliteStore *store);
/* newest: the highest seq that it may know of. */
gboolean search_open (SqliteStore *store, guint64 newest, GError **error);
void search_close (Search *search);
void search_finish (Search *search);                  /* the same, and it will be good on any boot */
void search_remove (Search *search, const char *why); /* closes, deletes, says so in the log */
gboolean search_fail (Search *search, const char *doing, GError **error);
gboolean search_run (Search *search, SearchStatement which, const char *doing, GError **error);
gboolean search_about (Search *search, const char *name, gint64 value, GError **error);

/* sqlite-search-fill.c: one turn towards an index that has all of this collection up to that seq. After
 * FALSE it is closed. */
gboolean search_turn (SqliteStore *store, guint32 collection, guint64 target, gint64 until_us,
                      gboolean *ready, GError **error);
/* Puts one record into it as it is now; body NULL: takes it out. */
gboolean search_put (SqliteStore *store, gint64 rid, const char *body, gsize length, GError **error);
/* Does this record have what is asked for, as it is now? After FALSE the index is closed. */
gboolean search_holds (SqliteStore *store, const StoreFound *found, const char *expression, gboolean *holds,
                       GError **error);
/* At most SEARCH_HITS rids of the collection that have it, from that ordinal on. After FALSE it is closed. */
gboolean search_hits (SqliteStore *store, guint32 collection, guint64 from, const char *expression,
                      gint64 *rids, guint *count, GError **error);

/* sqlite-search-words.c */
gboolean search_register (Search *search);
/* What FTS5 is asked for, NULL: there is no word in its words, so that nothing has them. */
char *search_expression (Search *search, const StoreQuery *query, guint64 seed);
void search_add_words (GString *text, const char *words, gsize length);
void search_add_term (GString *text, int term, const char *value, gsize length, guint64 seed);
void search_add_collection (GString *text, guint32 collection);
