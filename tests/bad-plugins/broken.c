/* Descriptions that a host must refuse when it loads them. Each library is this file with one of these
 * defined: NO_KINDS, UNKNOWN_KIND, NO_DOUBT, NO_PROOF, UNKNOWN_SETTING, UNKNOWN_WHEN, STREAM_TWICE,
 * SETTING_TWICE, KIND_TWICE, DEFAULT_OUTSIDE, DEFAULT_NO_CHOICE, NO_SIZES, NO_NAME,
 * NO_MAGIC, NEWER_MINOR, OTHER_MAJOR. */
#include <tillbridge/plugin.h>

static const tb_setting settings[] = {
  { "url", TB_URL, TB_REQUIRED },
#ifdef SETTING_TWICE
  { "url", TB_TEXT, TB_REQUIRED },
#endif
#ifdef DEFAULT_OUTSIDE
  { "page_size", TB_INTEGER, TB_OPTIONAL, "0", .least = 1, .most = 100 },
#endif
#ifdef DEFAULT_NO_CHOICE
  { "generation", TB_CHOICE, TB_OPTIONAL, "v1", .choices = "v2|v3" },
#endif
};

#ifdef UNKNOWN_WHEN
#define WHEN "generation=v3"
#else
#define WHEN NULL
#endif

static const tb_endpoint endpoints[] = {
#ifdef UNKNOWN_SETTING
  { "api", "{url}/{shop}", .when = WHEN },
#else
  { "api", "{url}", .when = WHEN },
#endif
};

static tb_status
pull (tb_call *call, const tb_pull *pull)
{
  return pull->full ? tb_done (call) : TB_UNSUPPORTED;
}

static const tb_stream streams[] = {
#if defined NO_KINDS
  { "products", pull, NULL, .every_s = 60 },
#elif defined UNKNOWN_KIND
  { "products", pull, NULL, TB_PRODUCTS | 1 << 20, .every_s = 60 },
#else
  { "products", pull, NULL, TB_PRODUCTS, .every_s = 60 },
#endif
#ifdef STREAM_TWICE
  { "products", pull, NULL, TB_CUSTOMERS, .every_s = 60 },
#endif
#ifdef KIND_TWICE
  { "menu", pull, NULL, TB_PRODUCTS, .every_s = 60 },
#endif
};

#ifdef NO_DOUBT
static tb_status
submit (tb_call *call, const tb_order *order, tb_order *answer)
{
  answer->vendor_id = order->reference;
  return TB_OK;
}
static const tb_order_functions orders = { .submit = submit };
#define ORDERS .orders = &orders,
#else
#define ORDERS
#endif

#ifdef NO_PROOF
static tb_status
handle (tb_call *call, const tb_event *event)
{
  return tb_fetch_again (call, "products", event->id, event->at_ms);
}
static const tb_webhook_functions webhooks = { .handle = handle };
#define WEBHOOKS .webhooks = &webhooks,
#else
#define WEBHOOKS
#endif

#ifdef NO_NAME
#define NAME NULL
#else
#define NAME "broken"
#endif

#if defined NO_SIZES || defined NO_MAGIC || defined NEWER_MINOR || defined OTHER_MAJOR
#ifdef NO_MAGIC
#define MAGIC "SOMEELS"
#else
#define MAGIC TB_MAGIC
#endif
#ifdef OTHER_MAJOR
#define MAJOR (TB_SDK_MAJOR + 1)
#else
#define MAJOR TB_SDK_MAJOR
#endif
#ifdef NEWER_MINOR
#define MINOR (TB_SDK_MINOR + 1)
#else
#define MINOR TB_SDK_MINOR
#endif
/* Nothing but the head of another version may be read: there is nothing where its sizes should be. */
#if defined NO_SIZES
static const tb_sizes sizes = { sizeof (tb_sizes), 0 };
#define SIZES (&sizes)
#elif defined NO_MAGIC
static const tb_sizes sizes = TB_SIZES;
#define SIZES (&sizes)
#else
#define SIZES ((const tb_sizes *)16)
#endif
TB_EXPORT const tb_plugin_info tb_plugin = { .magic = MAGIC,
                                             .major = MAJOR,
                                             .minor = MINOR,
                                             .sizes = SIZES,
                                             .name = NAME,
                                             .version = "1.0.0",
                                             .settings = TB_LIST (settings),
                                             .endpoints = TB_LIST (endpoints),
                                             .streams = TB_LIST (streams) };
#else
TB_PLUGIN (.name = NAME, .version = "1.0.0", ORDERS WEBHOOKS.settings = TB_LIST (settings),
           .endpoints = TB_LIST (endpoints), .streams = TB_LIST (streams));
#endif
