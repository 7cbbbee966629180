/* products: a store's catalogue, narrowed by the filters of the API, and one product for people to read. */
#include <string.h>

#include "cli/answers.h"
#include "cli/words.h"

enum { NAME_COLUMNS = 16 };

/* ---- the list ---- */

static Grid *
products_grid (Cli *cli)
{
  return grid_new (cli, "ID", GRID_LEFT, "NAME", GRID_CUT, "BRAND", GRID_CUT, "CATEGORY", GRID_CUT, "PRICE",
                   GRID_RIGHT, "AVAILABLE", GRID_RIGHT, "UNIT", GRID_LEFT, "VISIBLE", GRID_LEFT, NULL);
}

static json_object *
element (json_object *list, gsize index)
{
  return json_object_array_get_idx (list, index);
}

static gsize
length_of (json_object *list)
{
  return json_object_is_type (list, json_type_array) ? json_object_array_length (list) : 0;
}

/* The first price; more than one is said. */
static char *
price_of (json_object *product)
{
  json_object *prices = member_at (product, "prices");
  gsize count = length_of (prices);
  if (!count)
    return g_strdup ("");
  g_autofree char *money = words_money (member_number (element (prices, 0), "amount"),
                                        member_text (element (prices, 0), "currency"));
  return count > 1 ? g_strdup_printf ("%s +%zu", money, count - 1) : g_steal_pointer (&money);
}

static const char *
yes_or_no (json_object *value)
{
  return !value ? "" : json_object_get_boolean (value) ? "yes" : "no";
}

static void
products_row (Cli *cli, Grid *grid, json_object *product)
{
  g_autofree char *price = price_of (product);
  json_object *available = member_at (product, "available");
  grid_add (grid, member_text (product, "id"), member_text (product, "name"), member_text (product, "brand"),
            member_text (product, "category"), price, available ? json_object_get_string (available) : "",
            member_text (product, "unit"), yes_or_no (member_at (product, "visible")));
}

/* ---- one product ---- */

static void
put_line (Cli *cli, const char *name, const char *text)
{
  g_autofree char *safe = words_safe (text);
  if (*safe)
    fprintf (cli->out, "%-*s %s\n", NAME_COLUMNS, name, safe);
}

/* "100 MG  30.00 USD for 1 each, medical" */
static char *
price_in_words (json_object *price)
{
  g_autoptr (GString) out = g_string_new (member_text (price, "label"));
  const char *customer = member_text (price, "customer_type");
  g_autofree char *money = words_money (member_number (price, "amount"), member_text (price, "currency"));
  json_object *quantity = member_at (price, "quantity");
  g_string_append_printf (out, "%s%s", out->len ? ": " : "", money);
  if (quantity)
    g_string_append_printf (out, " for %s %s", json_object_get_string (quantity),
                            member_text (price, "unit"));
  if (*customer && strcmp (customer, "any") != 0)
    g_string_append_printf (out, ", %s", customer);
  if (member_is (price, "tax_included"))
    g_string_append (out, ", tax included");
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* "THC 98.5 to 101 mg" */
static char *
potency_in_words (json_object *potency)
{
  json_object *min = member_at (potency, "min"), *max = member_at (potency, "max");
  const char *from = min ? json_object_get_string (min) : "", *to = max ? json_object_get_string (max) : "";
  gboolean range = *from && *to && strcmp (from, to) != 0;
  return g_strdup_printf ("%s %s%s%s %s", member_text (potency, "analyte"), *from ? from : to,
                          range ? " to " : "", range ? to : "", member_text (potency, "unit"));
}

static char *
promotion_in_words (json_object *promotion)
{
  g_autoptr (GString) out = g_string_new (member_text (promotion, "name"));
  if (member_at (promotion, "price")) {
    g_autofree char *money =
      words_money (member_number (promotion, "price"), member_text (promotion, "currency"));
    g_string_append_printf (out, "%s%s", out->len ? ": " : "", money);
  }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static char *
image_in_words (json_object *image)
{
  const char *role = member_text (image, "role");
  return g_strdup_printf ("%s%s%s%s", member_text (image, "url"), *role ? " (" : "", role, *role ? ")" : "");
}

static char *
weight_in_words (json_object *weight)
{
  return g_strdup_printf ("%s %s", json_object_get_string (member_at (weight, "value")),
                          member_text (weight, "unit"));
}

/* How members that are no plain value are said, an element a line. */
static const struct {
  const char *name;
  char *(*in_words) (json_object *value);
} structured[] = {
  { "prices", price_in_words }, { "potency", potency_in_words },   { "promotions", promotion_in_words },
  { "images", image_in_words }, { "net_weight", weight_in_words },
};

static char *
value_in_words (const char *name, json_object *value)
{
  if (json_object_is_type (value, json_type_string))
    return g_strdup (json_object_get_string (value));
  if (json_object_is_type (value, json_type_boolean))
    return g_strdup (yes_or_no (value));
  if (json_object_is_type (value, json_type_object))
    for (gsize i = 0; i < G_N_ELEMENTS (structured); i++)
      if (strcmp (structured[i].name, name) == 0)
        return structured[i].in_words (value);
  return json_object_is_type (value, json_type_array) ? words_list (value) : words_value (value);
}

static void
put_elements (Cli *cli, const char *name, json_object *list)
{
  for (gsize i = 0; i < length_of (list); i++) {
    g_autofree char *text = value_in_words (name, element (list, i));
    put_line (cli, i ? "" : name, text);
  }
}

static void
put_attributes (Cli *cli, json_object *attributes)
{
  const char *head = "attributes";
  json_object_object_foreach (attributes, name, value)
  {
    g_autofree char *text = value_in_words ("", value);
    g_autofree char *line = g_strdup_printf ("%s = %s", name, text);
    put_line (cli, head, line);
    head = "";
  }
}

static void
put_time (Cli *cli, const char *name, json_object *product)
{
  gint64 at = member_time (product, name);
  g_autofree char *time = words_time (at);
  g_autofree char *age = words_age (cli->now_ms - at);
  g_autofree char *text = g_strdup_printf ("%s (%s ago)", time, age);
  if (at)
    put_line (cli, name, text);
}

static gboolean
is_list_of_objects (json_object *value)
{
  return length_of (value) > 0 && json_object_is_type (element (value, 0), json_type_object);
}

/* A member that was overridden is followed by what the vendor says. */
static void
put_member (Cli *cli, json_object *product, const char *name, json_object *value)
{
  json_object *vendors = member_at (member_at (product, "overridden"), name);
  if (is_list_of_objects (value))
    put_elements (cli, name, value);
  else if (strcmp (name, "attributes") == 0 && json_object_is_type (value, json_type_object))
    put_attributes (cli, value);
  else {
    g_autofree char *text = value_in_words (name, value);
    put_line (cli, name, text);
  }
  if (!vendors)
    return;
  g_autofree char *theirs =
    is_list_of_objects (vendors) ? words_value (vendors) : value_in_words (name, vendors);
  g_autofree char *line = g_strdup_printf ("overridden; the vendor says: %s", theirs);
  put_line (cli, "", line);
}

static void
print_product (Cli *cli, json_object *product)
{
  json_object *overridden = member_at (product, "overridden");
  json_object_object_foreach (product, name, value)
  {
    if (g_str_has_suffix (name, "_at") || strcmp (name, "as_of") == 0)
      put_time (cli, name, product);
    else if (strcmp (name, "overridden") != 0)
      put_member (cli, product, name, value);
  }
  if (!overridden)
    return;
  /* Taken away: the vendor says it, and it is not served. */
  json_object_object_foreach (overridden, gone, vendors)
  {
    g_autofree char *theirs = value_in_words (gone, vendors);
    g_autofree char *line = g_strdup_printf ("(taken away) the vendor says: %s", theirs);
    if (!member_at (product, gone))
      put_line (cli, gone, line);
  }
}

static int
show_product (Cli *cli, const char *target)
{
  int status = CLI_DONE;
  json_object *product = answers_one (cli, "GET", target, NULL, &status);
  if (product)
    print_product (cli, product);
  json_object_put (product);
  return status;
}

/* ---- the verb ---- */

/* Options that are parameters of the list. */
static const struct {
  const char *option, *parameter;
} filters[] = { { "q", "q" },
                { "brand", "brand" },
                { "category", "category" },
                { "sku", "sku" },
                { "barcode", "barcode" },
                { "visible", "visible" },
                { "in-stock", "in_stock" },
                { "updated-since", "updated_since" } };

static const char *
as_the_api_says (const char *value)
{
  if (g_strcmp0 (value, "yes") == 0)
    return "true";
  return g_strcmp0 (value, "no") == 0 ? "false" : value;
}

/* FALSE: told. Filters are for the list, --max-age for one product. */
static gboolean
add_parameters (Cli *cli, GString *target, gboolean one, int *status)
{
  for (gsize i = 0; i < G_N_ELEMENTS (filters); i++) {
    const char *value = cli_text (cli, filters[i].option);
    gboolean is_switch =
      strcmp (filters[i].option, "visible") == 0 || strcmp (filters[i].option, "in-stock") == 0;
    if (value && one) {
      *status =
        cli_wrong_usage (cli, "--%s narrows the list; with an ID there is one product", filters[i].option);
      return FALSE;
    }
    target_parameter (target, filters[i].parameter, is_switch ? as_the_api_says (value) : value);
  }
  const char *age = cli_text (cli, "max-age");
  if (age && !one) {
    *status =
      cli_wrong_usage (cli, "--max-age is for one product: tillbridge products S ID --max-age %s", age);
    return FALSE;
  }
  target_parameter (target, "max_age", age);
  target_parameter (target, "connector", cli_text (cli, "connector"));
  return TRUE;
}

int
verb_products (Cli *cli)
{
  static const ListShape shape = { products_grid, products_row, "There are no such products." };
  const char *id = cli_argument (cli, 1);
  g_autoptr (GString) target = target_new ("/v1/stores");
  guint64 most;
  int status;
  target_segment (target, cli_argument (cli, 0));
  target_segment (target, "products");
  if (id)
    target_segment (target, id);
  if (!answers_limit (cli, 0, &most, &status) || !add_parameters (cli, target, id != NULL, &status))
    return status;
  if (id)
    return cli->json ? answers_print (cli, "GET", target->str, NULL) : show_product (cli, target->str);
  return answers_list (cli, target->str, most, &shape);
}
