/* What a description may not say. Each message names the row and what to write instead. */
#include "worker/loader.h"

#include <gio/gio.h>
#include <string.h>

/* ---- names, conditions, templates ---- */

/* [a-z][a-z0-9_-]*, and `also` in between. */
static gboolean
is_name (const char *text, const char *also)
{
  if (!text || !g_ascii_islower (*text) || strlen (text) > 100)
    return FALSE;
  for (; *text; text++)
    if (!g_ascii_islower (*text) && !g_ascii_isdigit (*text) && *text != '_' && !strchr (also, *text))
      return FALSE;
  return TRUE;
}

static gboolean
is_setting (const tb_plugin_info *info, const char *key, gsize length)
{
  for (guint i = 0; i < info->settings.count; i++)
    if (strlen (info->settings.first[i].key) == length &&
        memcmp (info->settings.first[i].key, key, length) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
check_when (const tb_plugin_info *info, const char *when, const char *where, const char *name, GError **error)
{
  if (!when || !*when || is_setting (info, when, strcspn (when, "=")))
    return TRUE;
  return loader_refuse (error, "%s \"%s\": when = \"%s\" asks a setting that is not described", where, name,
                        when);
}

/* Can both hold? Only two values of one setting exclude each other. */
static gboolean
hold_together (const char *a, const char *b)
{
  const char *value_a = a ? strchr (a, '=') : NULL, *value_b = b ? strchr (b, '=') : NULL;
  if (!value_a || !value_b || value_a - a != value_b - b || strncmp (a, b, (gsize)(value_a - a)) != 0)
    return TRUE;
  return strcmp (value_a, value_b) == 0;
}

/* Every {name}, or {name|otherwise}, must be a setting, one of `words` (parted by blanks), or, where places
 * are allowed, a place. */
static gboolean
check_template (const tb_plugin_info *info, const char *template, const char *words, gboolean places,
                const char *where, const char *name, GError **error)
{
  static const char *const starts[] = { "header:", "query:", "body:", "form:" };
  for (const char *at = template ? strchr (template, '{') : NULL; at; at = strchr (at, '{')) {
    const char *end = strchr (++at, '}');
    if (!end)
      return loader_refuse (error, "%s \"%s\": \"%s\" has a { without its }", where, name, template);
    g_autofree char *inside = g_strndup (at, MIN ((gsize)(end - at), strcspn (at, "|")));
    g_auto (GStrv) others = g_strsplit (words, " ", -1);
    gboolean known = is_setting (info, inside, strlen (inside)) ||
                     (*inside && g_strv_contains ((const char *const *)others, inside));
    for (guint i = 0; places && i < G_N_ELEMENTS (starts); i++)
      known = known || g_str_has_prefix (inside, starts[i]);
    if (!known)
      return loader_refuse (error, "%s \"%s\": \"%s\" names {%s}, which is no setting that is described",
                            where, name, template, inside);
  }
  return TRUE;
}

/* ---- settings ---- */

/* A default that no drop-in could say would be taken for something else. */
static gboolean
check_standard (const tb_setting *setting, GError **error)
{
  gint64 least = setting->least, most = setting->most != 0 || least == 0 ? setting->most : G_MAXINT64;
  if (!setting->standard)
    return TRUE;
  if (setting->type == TB_CHOICE) {
    g_auto (GStrv) choices = g_strsplit (setting->choices, "|", -1);
    return g_strv_contains ((const char *const *)choices, setting->standard) ||
           loader_refuse (error, "setting \"%s\": its default \"%s\" is none of its choices \"%s\"",
                          setting->key, setting->standard, setting->choices);
  }
  if (setting->type != TB_INTEGER)
    return TRUE;
  if (least == 0 && most == 0) {
    least = G_MININT64;
    most = G_MAXINT64;
  }
  return g_ascii_string_to_signed (setting->standard, 10, least, most, NULL, NULL) ||
         loader_refuse (error, "setting \"%s\": its default \"%s\" is no whole number within its range",
                        setting->key, setting->standard);
}

static gboolean
check_setting (const tb_plugin_info *info, guint index, GError **error)
{
  const tb_setting *setting = &info->settings.first[index];
  if (!is_name (setting->key, "."))
    return loader_refuse (error, "setting %u: its key \"%s\" is not of the form [a-z][a-z0-9_.]*", index + 1,
                          setting->key ? setting->key : "(null)");
  if ((guint)setting->type > TB_SECRET_LIST)
    return loader_refuse (error, "setting \"%s\": its type %d is not known", setting->key,
                          (int)setting->type);
  if (setting->type == TB_CHOICE && (!setting->choices || !*setting->choices))
    return loader_refuse (error, "setting \"%s\": a TB_CHOICE needs .choices = \"one|other\"", setting->key);
  if (setting->least > setting->most && setting->most != 0)
    return loader_refuse (error, "setting \"%s\": least %lld is above most %lld", setting->key,
                          setting->least, setting->most);
  for (guint i = 0; i < index; i++)
    if (strcmp (info->settings.first[i].key, setting->key) == 0)
      return loader_refuse (error, "setting \"%s\" is described twice", setting->key);
  return check_standard (setting, error);
}

static gboolean
check_settings (const tb_plugin_info *info, GError **error)
{
  for (guint i = 0; i < info->settings.count; i++)
    if (!check_setting (info, i, error))
      return FALSE;
  for (guint i = 0; i < info->settings.count; i++)
    if (!check_when (info, info->settings.first[i].when, "setting", info->settings.first[i].key, error))
      return FALSE;
  return TRUE;
}

/* ---- endpoints ---- */

static gboolean
check_rows (const tb_plugin_info *info, const tb_endpoint *endpoint, GError **error)
{
  const char *words = endpoint->authorize ? "token" : "";
  for (guint i = 0; i < endpoint->credentials.count; i++) {
    const tb_credential *row = &endpoint->credentials.first[i];
    if (row->place < TB_HEADER || row->place > TB_BASIC || !row->name || !row->value)
      return loader_refuse (error, "endpoint \"%s\": credential %u needs a place, a name and a value",
                            endpoint->name, i + 1);
    if (!check_template (info, row->name, words, FALSE, "endpoint", endpoint->name, error) ||
        !check_template (info, row->value, words, FALSE, "endpoint", endpoint->name, error) ||
        !check_when (info, row->when, "endpoint", endpoint->name, error))
      return FALSE;
  }
  for (guint i = 0; i < endpoint->rules.count; i++)
    if ((guint)endpoint->rules.first[i].status > TB_INTERNAL ||
        (guint)endpoint->rules.first[i].why > TB_WHY_STOCK)
      return loader_refuse (error, "endpoint \"%s\": rule %u gives a status that is not known",
                            endpoint->name, i + 1);
  for (guint i = 0; i < endpoint->limits.count; i++)
    if (!endpoint->limits.first[i].header || endpoint->limits.first[i].type < TB_WAIT_S ||
        endpoint->limits.first[i].type > TB_RESET_S)
      return loader_refuse (error, "endpoint \"%s\": limit %u needs a header and a type", endpoint->name,
                            i + 1);
  return TRUE;
}

static gboolean
check_endpoint (const tb_plugin_info *info, guint index, GError **error)
{
  const tb_endpoint *endpoint = &info->endpoints.first[index];
  if (!is_name (endpoint->name, "-"))
    return loader_refuse (error, "endpoint %u: its name \"%s\" is not of the form [a-z][a-z0-9_-]*",
                          index + 1, endpoint->name ? endpoint->name : "(null)");
  if (!endpoint->url || !*endpoint->url)
    return loader_refuse (error, "endpoint \"%s\" has no url", endpoint->name);
  if (endpoint->pace.per_second < 0 || endpoint->pace.burst < 0 || endpoint->pace.at_once < 0 ||
      endpoint->pace.per_month < 0 || endpoint->timeout_s < 0)
    return loader_refuse (error, "endpoint \"%s\": its pace and timeout cannot be negative", endpoint->name);
  for (guint i = 0; i < index; i++)
    if (strcmp (info->endpoints.first[i].name, endpoint->name) == 0 &&
        hold_together (info->endpoints.first[i].when, endpoint->when))
      return loader_refuse (
        error,
        "endpoint \"%s\" is described twice, and both can hold: give them a `when` that excludes the other",
        endpoint->name);
  return check_template (info, endpoint->url, "", FALSE, "endpoint", endpoint->name, error) &&
         check_when (info, endpoint->when, "endpoint", endpoint->name, error) &&
         check_rows (info, endpoint, error);
}

/* ---- streams ---- */

static gboolean
check_kinds (const tb_plugin_info *info, guint index, GError **error)
{
  enum {
    KNOWN = TB_PRODUCTS | TB_INVENTORY | TB_PROMOTIONS | TB_CUSTOMERS | TB_ORDERS | TB_MESSAGES | TB_INSIGHTS
  };
  const tb_stream *stream = &info->streams.first[index];
  if (stream->kinds == 0)
    return loader_refuse (error,
                          "stream \"%s\" announces no kind of records: write .kinds = TB_PRODUCTS or another",
                          stream->name);
  if (stream->kinds & ~KNOWN)
    return loader_refuse (error,
                          "stream \"%s\" announces a kind of records that this host does not know (0x%x)",
                          stream->name, (guint)(stream->kinds & ~KNOWN));
  for (guint i = 0; i < index; i++) {
    const tb_stream *other = &info->streams.first[i];
    if (!hold_together (other->when, stream->when))
      continue;
    if (strcmp (other->name, stream->name) == 0)
      return loader_refuse (
        error,
        "stream \"%s\" is described twice, and both can hold: give them a `when` that excludes the other",
        stream->name);
    if (other->kinds & stream->kinds)
      return loader_refuse (
        error,
        "streams \"%s\" and \"%s\" announce the same kind of records: one stream must give all of a kind",
        other->name, stream->name);
  }
  return TRUE;
}

static gboolean
check_stream (const tb_plugin_info *info, guint index, GError **error)
{
  const tb_stream *stream = &info->streams.first[index];
  if (!is_name (stream->name, "-"))
    return loader_refuse (error, "stream %u: its name \"%s\" is not of the form [a-z][a-z0-9_-]*", index + 1,
                          stream->name ? stream->name : "(null)");
  if (!stream->pull)
    return loader_refuse (error, "stream \"%s\" has no pull", stream->name);
  if ((guint)stream->missing > TB_IS_ZERO)
    return loader_refuse (error, "stream \"%s\": missing is none of TB_STAYS, TB_IS_DELETED, TB_IS_ZERO",
                          stream->name);
  if (stream->every_s < 0 || stream->least_s < 0 || stream->full_every_s < 0 || stream->overlap_s < 0 ||
      stream->deadline_s < 0)
    return loader_refuse (error, "stream \"%s\": its intervals cannot be negative", stream->name);
  return check_kinds (info, index, error) && check_when (info, stream->when, "stream", stream->name, error);
}

/* ---- what is in doubt ---- */

static gboolean
check_doubt (const char *what, tb_doubt doubt, gboolean asked, gboolean needed, GError **error)
{
  if (!needed)
    return TRUE;
  if (doubt == TB_DOUBT_NOT_SAID)
    return loader_refuse (
      error,
      "%s: .doubt is not said: after a lost answer, does the vendor take the same key again (TB_TAKES_KEYS), "
      "can it be asked (TB_CAN_BE_ASKED), or TB_NEITHER?",
      what);
  if ((guint)doubt > TB_NEITHER)
    return loader_refuse (error, "%s: .doubt is %d, which is not known", what, (int)doubt);
  if (doubt == TB_CAN_BE_ASKED && !asked)
    return loader_refuse (error, "%s: TB_CAN_BE_ASKED needs a find", what);
  return TRUE;
}

static gboolean
check_doubts (const tb_plugin_info *info, GError **error)
{
  const tb_order_functions *orders = info->orders;
  const tb_customer_functions *customers = info->customers;
  const tb_message_functions *messages = info->messages;
  return (!orders || check_doubt ("orders", orders->doubt, orders->find != NULL, TRUE, error)) &&
         (!customers || check_doubt ("customers", customers->doubt, customers->find != NULL,
                                     customers->create != NULL, error)) &&
         (!messages || check_doubt ("messages", messages->doubt, messages->find != NULL, TRUE, error));
}

/* ---- webhooks ---- */

static gboolean
check_proof (const tb_plugin_info *info, const tb_proof *proof, GError **error)
{
  static const char words[] = "raw url sorted_form topic url_key";
  const char *name = proof->proof ? proof->proof : "";
  if (!*name)
    return loader_refuse (error, "webhooks: a proof does not say where it stands (.proof = \"header:NAME\")");
  if (!proof->equals && proof->hmac == TB_NO_HASH)
    return loader_refuse (error, "webhooks: the proof \"%s\" needs .equals or .hmac", name);
  if (proof->hmac != TB_NO_HASH && (!proof->over || !proof->secret))
    return loader_refuse (error, "webhooks: the proof \"%s\" needs .over and .secret", name);
  if (proof->secret && !is_setting (info, proof->secret, strlen (proof->secret)))
    return loader_refuse (
      error, "webhooks: the proof \"%s\" names the secret \"%s\", which is no setting that is described",
      name, proof->secret);
  return check_template (info, proof->equals, words, TRUE, "proof", name, error) &&
         check_template (info, proof->over, words, TRUE, "proof", name, error) &&
         check_when (info, proof->when, "proof", name, error);
}

static gboolean
check_webhooks (const tb_plugin_info *info, const tb_webhook_functions *webhooks, GError **error)
{
  static const char words[] = "raw url sorted_form topic url_key";
  if (!webhooks)
    return TRUE;
  if (webhooks->proofs.count == 0 && !webhooks->verify)
    return loader_refuse (
      error, "webhooks without proof: anybody could send them; describe .proofs, or give verify");
  if (!webhooks->handle)
    return loader_refuse (error, "webhooks without handle");
  for (guint i = 0; i < webhooks->proofs.count; i++)
    if (!check_proof (info, &webhooks->proofs.first[i], error))
      return FALSE;
  for (guint i = 0; i < webhooks->topics.count; i++)
    if (!webhooks->topics.first[i].name || !*webhooks->topics.first[i].name)
      return loader_refuse (error, "webhooks: topic %u has no name", i + 1);
  return check_template (info, webhooks->id, words, TRUE, "webhooks", "id", error) &&
         check_template (info, webhooks->about, words, TRUE, "webhooks", "about", error) &&
         check_template (info, webhooks->must, words, TRUE, "webhooks", "must", error);
}

gboolean
plugin_check (const tb_plugin_info *info, GError **error)
{
  if (!is_name (info->name, "-"))
    return loader_refuse (error, "its name \"%s\" is not of the form [a-z][a-z0-9_-]*",
                          info->name ? info->name : "(null)");
  if (!info->version || !*info->version)
    return loader_refuse (error, "it has no version: write .version = \"1.0.0\"");
  if (!check_settings (info, error))
    return FALSE;
  for (guint i = 0; i < info->endpoints.count; i++)
    if (!check_endpoint (info, i, error))
      return FALSE;
  for (guint i = 0; i < info->streams.count; i++)
    if (!check_stream (info, i, error))
      return FALSE;
  return check_doubts (info, error) && check_webhooks (info, info->webhooks, error);
}
