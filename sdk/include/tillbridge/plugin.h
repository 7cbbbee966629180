/* A Tillbridge plugin: includes all of the SDK and defines TB_PLUGIN.
 *
 *   #include <tillbridge/plugin.h>
 *   ...
 *   TB_PLUGIN (.name = "millrace", .version = "1.0.0", .settings = TB_LIST (settings), .endpoints = TB_LIST
 * (endpoints), .streams = TB_LIST (streams));
 *
 * A plugin is one shared object that exports one symbol and needs libc alone:
 *   cc -std=c11 -shared -fPIC -fvisibility=hidden -Wl,-z,defs $(pkg-config --cflags tillbridge) -o
 * millrace.so millrace.c
 *
 * Everything that describes is const data, only what computes is a function. No constructors, no mutable
 * globals, no threads, no locks: calls run as fibers of one thread and give way only inside the host's
 * services. */
#ifndef TILLBRIDGE_PLUGIN_H
#define TILLBRIDGE_PLUGIN_H

#include <tillbridge/analytics.h>
#include <tillbridge/base.h>
#include <tillbridge/call.h>
#include <tillbridge/crypto.h>
#include <tillbridge/customers.h>
#include <tillbridge/host.h>
#include <tillbridge/http.h>
#include <tillbridge/json.h>
#include <tillbridge/messages.h>
#include <tillbridge/orders.h>
#include <tillbridge/records.h>
#include <tillbridge/settings.h>
#include <tillbridge/streams.h>
#include <tillbridge/webhooks.h>

/* The sizes of all structs as the plugin was compiled. The host reads no further than these, walks the
 * plugin's arrays by them, and lays out by them what it hands over; so no struct needs a size of its own, and
 * all may grow at their ends. Entries are only added at the end. */
typedef struct tb_sizes {
  uint32_t size; /* of this table */
  uint32_t plugin, setting, credential, rule, limit, endpoint, stream, request, word;
  uint32_t proof, topic, webhooks, orders, customers, messages, analytics, errors;
  uint32_t token, response, outgoing, points, value, pull, event, want;
  uint32_t product, price, potency, image, offer, inventory, promotion, customer, order, order_item, fee,
    message;
  uint32_t insight, occurrence, notice;
} tb_sizes;

#define TB_SIZES                                                                                             \
  {                                                                                                          \
    sizeof (tb_sizes), sizeof (tb_plugin_info), sizeof (tb_setting), sizeof (tb_credential),                 \
      sizeof (tb_rule), sizeof (tb_limit), sizeof (tb_endpoint), sizeof (tb_stream), sizeof (tb_request),    \
      sizeof (tb_word), sizeof (tb_proof), sizeof (tb_topic), sizeof (tb_webhook_functions),                 \
      sizeof (tb_order_functions), sizeof (tb_customer_functions), sizeof (tb_message_functions),            \
      sizeof (tb_analytics_functions), sizeof (tb_error_functions), sizeof (tb_token), sizeof (tb_response), \
      sizeof (tb_outgoing), sizeof (tb_points), sizeof (tb_value), sizeof (tb_pull), sizeof (tb_event),      \
      sizeof (tb_want), sizeof (tb_product), sizeof (tb_price), sizeof (tb_potency), sizeof (tb_image),      \
      sizeof (tb_offer), sizeof (tb_inventory), sizeof (tb_promotion), sizeof (tb_customer),                 \
      sizeof (tb_order), sizeof (tb_order_item), sizeof (tb_fee), sizeof (tb_message), sizeof (tb_insight),  \
      sizeof (tb_occurrence), sizeof (tb_notice)                                                             \
  }

#define TB_MAGIC "TILLBRG" /* eight bytes with its zero */

/* What the symbol tb_plugin is. magic, major, minor and sizes never move: they are read before anything else
 * is believed. */
typedef struct tb_plugin_info {
  char magic[8];
  uint16_t major, minor;
  uint32_t reserved;
  const tb_sizes *sizes;
  const char *name;        /* *; [a-z][a-z0-9_-]*, the file's name without .so */
  const char *version;     /* *; "1.0.0" */
  const char *title;       /* the vendor's name */
  const char *help, *docs; /* a line, and a link */
  TB_LIST_OF (const tb_setting) settings;
  TB_LIST_OF (const tb_endpoint) endpoints;
  TB_LIST_OF (const tb_stream) streams;
  const tb_order_functions *orders;
  const tb_customer_functions *customers;
  const tb_message_functions *messages;
  const tb_analytics_functions *analytics;
  const tb_error_functions *errors;
  const tb_webhook_functions *webhooks;
  tb_status (*check) (tb_call *); /* do the settings work? Asks the vendor one thing that changes nothing */
  int mapping; /* raise it when the same item gives another record: everything is read anew */
  uint32_t reserved2;
} tb_plugin_info;

TB_STATIC_ASSERT (offsetof (tb_plugin_info, major) == 8 && offsetof (tb_plugin_info, minor) == 10 &&
                    offsetof (tb_plugin_info, sizes) == 16,
                  "the head of tb_plugin_info is frozen");

#define TB_STRING_(what) #what
#define TB_STRING(what) TB_STRING_ (what)

/* The version once more, as an ELF note that survives strip: packaging reads it without loading the plugin
 * (readelf -n). */
#define TB_NOTE_                                                                                             \
  __asm__(".pushsection .note.tillbridge,\"a\",%note\n"                                                      \
          ".balign 4\n"                                                                                      \
          ".long 11, 8, 1\n"                                                                                 \
          ".asciz \"Tillbridge\"\n"                                                                          \
          ".balign 4\n"                                                                                      \
          ".long " TB_STRING (TB_SDK_MAJOR) ", " TB_STRING (TB_WANT_MINOR) "\n"                              \
                                                                           ".popsection")

/* Once in a plugin, at file level of a C source: its description. (Other sources may be C++17, which has no
 * such initialisers.) */
#define TB_PLUGIN(...)                                                                                       \
  TB_NOTE_;                                                                                                  \
  static const tb_sizes tb_sizes_ = TB_SIZES;                                                                \
  TB_EXPORT const tb_plugin_info tb_plugin = {                                                               \
    .magic = TB_MAGIC, .major = TB_SDK_MAJOR, .minor = TB_WANT_MINOR, .sizes = &tb_sizes_, __VA_ARGS__       \
  }

#ifdef __cplusplus
extern "C" TB_EXPORT const tb_plugin_info tb_plugin;
#else
extern TB_EXPORT const tb_plugin_info tb_plugin;
#endif

/* Each source file says in .comment which SDK it saw, so that two in one plugin are noticed. */
__asm__(".ident \"tillbridge-sdk " TB_STRING (TB_SDK_MAJOR) "." TB_STRING (TB_SDK_MINOR) "\"");

#endif
