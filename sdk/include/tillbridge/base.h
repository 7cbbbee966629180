/* What everything else of the SDK stands on: version, status, and the small values that know whether they
 * were said.
 *
 * Rules that hold in every header:
 *  - All-zero means "not said". `tb_product product = { 0 };` is an empty record; a stock of 0 differs from
 * no stock told.
 *  - Texts are UTF-8, zero-terminated, and borrowed: nobody frees anything. What a function of the host gives
 * lives until the call ends, unless its description says less. NULL is "not said" and may be passed to every
 * function that takes a text.
 *  - Times are milliseconds since 1970 (UTC) in `long long ..._ms`, durations `..._ms` or `..._s`; 0 is
 * "none".
 *  - All whole numbers that travel through printf-like formats are `long long`, so "%lld" is always right.
 *  - Everything here is since SDK 0.1 unless it says otherwise. Until 1.0 a minor version may still change
 * what is there.
 *
 * Plain C11 (and C++17), libc alone: no type of another library is part of this interface. */
#ifndef TILLBRIDGE_BASE_H
#define TILLBRIDGE_BASE_H

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The version of these headers. A host refuses a plugin of another major, or of a newer minor than its own,
 * and serves an older minor. */
#define TB_SDK_MAJOR 0
#define TB_SDK_MINOR 1

/* Define it before the first include to an older minor, and the plugin runs on hosts from that minor on: what
 * is newer is not declared then. */
#ifndef TB_WANT_MINOR
#define TB_WANT_MINOR TB_SDK_MINOR
#elif TB_WANT_MINOR > TB_SDK_MINOR
#error "TB_WANT_MINOR is newer than these headers: install a newer Tillbridge SDK"
#endif

/* A table row may end early, what it does not say is zero. Without this each added field would make older
 * sources warn. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#ifdef __cplusplus
#define TB_STATIC_ASSERT(what, why) static_assert (what, why)
#else
#define TB_STATIC_ASSERT(what, why) _Static_assert(what, why)
#endif

#define TB_CHECKED __attribute__ ((warn_unused_result))
#define TB_FORMAT(format_at, arguments_at) __attribute__ ((format (printf, format_at, arguments_at)))
#define TB_EXPORT __attribute__ ((visibility ("default")))
#define TB_COUNT(array) (sizeof (array) / sizeof ((array)[0]))

/* How a call, or a part of it, ended. The host has turned HTTP answers into these before a plugin sees them
 * (http.h). */
typedef enum tb_status {
  TB_OK,
  TB_SERVICE_UNAVAILABLE,  /* no connection, too late, 408, 5xx: repeated with backoff, counts against the
                              breaker */
  TB_RATE_LIMIT_EXCEEDED,  /* 429: waits as told, slows down */
  TB_AUTHENTICATION_ERROR, /* 401: a new token once, then the connector stops and somebody is told */
  TB_PERMISSION_ERROR,     /* 403: this stream or operation stops, the others go on */
  TB_VALIDATION_ERROR,     /* 400, 422: never repeated; see tb_why */
  TB_NOT_FOUND,            /* 404; from `fetch`: deleted at the vendor; from `find`: it never arrived */
  TB_CONFLICT,             /* 409: not in this state */
  TB_IN_DOUBT,             /* sent, and no answer came: `find` is asked before anything is sent again */
  TB_NOT_SURE,             /* from `find`: the vendor may still show it later (tb_not_sure()) */
  TB_BAD_RESPONSE,         /* not JSON, cut off, of another shape */
  TB_CANCELLED,            /* the call is over (cancelled or too late): return at once */
  TB_UNSUPPORTED,          /* this cannot be done here */
  TB_INTERNAL              /* a mistake of plugin or host */
} tb_status;

/* Why a vendor refused, beside TB_VALIDATION_ERROR: whether another connector may be tried depends on it. */
typedef enum tb_why {
  TB_WHY_UNKNOWN,
  TB_WHY_OPTED_OUT, /* the recipient wants nothing: no other connector is tried */
  TB_WHY_RECIPIENT, /* no such number, cannot receive */
  TB_WHY_SENDER,    /* our number or account may not send: another connector may, and somebody is told */
  TB_WHY_CONTENT,   /* the text or the order itself */
  TB_WHY_ROUTE,     /* country or carrier not reachable from there */
  TB_WHY_STOCK      /* not enough of an item */
} tb_why;

/* Levels of tb_log(). */
typedef enum tb_level { TB_ERROR, TB_WARNING, TB_INFO, TB_DEBUG } tb_level;

/* Yes, no or not said. A struct, so that `if (flag)` does not compile: use tb_yes() or tb_no(). */
typedef struct tb_flag {
  int32_t state; /* 0 not said, 1 no, 2 yes */
} tb_flag;

/* A number with nine decimal places, exact, between about -9.2e9 and 9.2e9. */
typedef struct tb_decimal {
  int64_t nano;  /* value times 1,000,000,000 */
  int64_t known; /* 0: not said */
} tb_decimal;

/* An amount in minor units (cents) of an ISO 4217 currency. */
typedef struct tb_money {
  int64_t minor;
  char currency[8]; /* "": not said */
} tb_money;

/* Bytes that need no zero at the end. Borrowed. */
typedef struct tb_bytes {
  const void *data;
  size_t size;
} tb_bytes;

typedef struct tb_pair {
  const char *name, *value;
} tb_pair;

/* A list of a record or of a description: `room` is the host's and tb_add()'s business. */
#define TB_LIST_OF(type)                                                                                     \
  struct {                                                                                                   \
    type *first;                                                                                             \
    uint32_t count, room;                                                                                    \
  }

typedef TB_LIST_OF (const char *) tb_texts;
typedef TB_LIST_OF (tb_pair) tb_pairs;

/* Initialiser of a list from a static array: `.settings = TB_LIST (settings)`. A pointer instead of an array
 * warns. */
#define TB_LIST(array)                                                                                       \
  {                                                                                                          \
    array, TB_COUNT (array), 0                                                                               \
  }

/* Returns from the function with any status but TB_OK. */
#define TB_TRY(what)                                                                                         \
  do {                                                                                                       \
    tb_status tb_try_ = (what);                                                                              \
    if (tb_try_ != TB_OK)                                                                                    \
      return tb_try_;                                                                                        \
  } while (0)

/* These travel by value inside other structs and so can never grow. */
TB_STATIC_ASSERT (sizeof (tb_flag) == 4, "tb_flag is frozen");
TB_STATIC_ASSERT (sizeof (tb_decimal) == 16 && offsetof (tb_decimal, known) == 8, "tb_decimal is frozen");
TB_STATIC_ASSERT (sizeof (tb_money) == 16 && offsetof (tb_money, currency) == 8, "tb_money is frozen");
TB_STATIC_ASSERT (sizeof (tb_bytes) == 2 * sizeof (void *), "tb_bytes is frozen");
TB_STATIC_ASSERT (sizeof (tb_pair) == 2 * sizeof (void *), "tb_pair is frozen");
TB_STATIC_ASSERT (sizeof (tb_texts) == sizeof (void *) + 8, "lists are frozen");

#define TB_NANO 1000000000LL

static inline tb_flag
tb_flag_of (bool value)
{
  tb_flag flag = { value ? 2 : 1 };
  return flag;
}

static inline bool
tb_yes (tb_flag flag)
{
  return flag.state == 2;
}

static inline bool
tb_no (tb_flag flag)
{
  return flag.state == 1;
}

/* Not said stays not said. */
static inline tb_flag
tb_not (tb_flag flag)
{
  tb_flag other = { flag.state == 0 ? 0 : 3 - flag.state };
  return other;
}

/* Was this amount said? */
static inline bool
tb_known (tb_money money)
{
  return money.currency[0] != '\0';
}

/* Do both say the same? Two NULLs do not. */
static inline bool
tb_is (const char *text, const char *other)
{
  return text != NULL && other != NULL && strcmp (text, other) == 0;
}

static inline bool
tb_starts (const char *text, const char *with)
{
  return text != NULL && with != NULL && strncmp (text, with, strlen (with)) == 0;
}

static inline tb_decimal
tb_decimal_nano_ (bool negative, uint64_t size)
{
  tb_decimal number = { 0, 0 };
  if (size <= (uint64_t)INT64_MAX) {
    number.nano = negative ? -(int64_t)size : (int64_t)size;
    number.known = 1;
  }
  return number;
}

/* Rounded to nine places; not said when it is no number or does not fit. For constants: numbers of a vendor
 * are read with tb_number(), from their digits. */
static inline tb_decimal
tb_decimal_of (double value)
{
  tb_decimal none = { 0, 0 };
  double size = value < 0 ? -value : value;
  if (!(size < 9.2e9)) /* also when it is not a number */
    return none;
  return tb_decimal_nano_ (value < 0, (uint64_t)(size * 1e9 + 0.5));
}

static inline uint64_t
tb_decimal_size_ (tb_decimal number)
{
  return number.nano < 0 ? 0 - (uint64_t)number.nano : (uint64_t)number.nano;
}

/* Arithmetic is exact; not said when either side is not said or the result does not fit. */
static inline tb_decimal
tb_plus (tb_decimal a, tb_decimal b)
{
  tb_decimal sum = { 0, 0 };
  int64_t nano;
  if (a.known && b.known && !__builtin_add_overflow (a.nano, b.nano, &nano)) {
    sum.nano = nano;
    sum.known = 1;
  }
  return sum;
}

static inline tb_decimal
tb_minus (tb_decimal a, tb_decimal b)
{
  tb_decimal difference = { 0, 0 };
  int64_t nano;
  if (a.known && b.known && !__builtin_sub_overflow (a.nano, b.nano, &nano)) {
    difference.nano = nano;
    difference.known = 1;
  }
  return difference;
}

/* Rounded half away from zero at the ninth place. In parts, because not every machine has 128-bit integers:
 * (A + a)(B + b) = AB + Ab + aB + ab, where only the last needs rounding. */
static inline tb_decimal
tb_times (tb_decimal a, tb_decimal b)
{
  const uint64_t one = (uint64_t)TB_NANO;
  tb_decimal none = { 0, 0 };
  uint64_t left = tb_decimal_size_ (a), right = tb_decimal_size_ (b), whole, size;
  if (!a.known || !b.known)
    return none;
  if (__builtin_mul_overflow (left / one, right / one, &whole) ||
      __builtin_mul_overflow (whole, one, &size) ||
      __builtin_add_overflow (size, left / one * (right % one), &size) ||
      __builtin_add_overflow (size, left % one * (right / one), &size) ||
      __builtin_add_overflow (size, (left % one * (right % one) + one / 2) / one, &size))
    return none;
  return tb_decimal_nano_ ((a.nano < 0) != (b.nano < 0), size);
}

/* Comparisons are false where a side is not said. */
static inline bool
tb_positive (tb_decimal number)
{
  return number.known && number.nano > 0;
}

static inline bool
tb_less (tb_decimal a, tb_decimal b)
{
  return a.known && b.known && a.nano < b.nano;
}

static inline bool
tb_same (tb_decimal a, tb_decimal b)
{
  return a.known && b.known && a.nano == b.nano;
}

static inline bool
tb_is_whole (tb_decimal number)
{
  return number.known && number.nano % TB_NANO == 0;
}

#endif
