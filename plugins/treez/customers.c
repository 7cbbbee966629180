/* Customers of a Treez store. */
#include "treez.h"

/* The API refuses larger pages. A shorter one than asked is the last. */
enum { PAGE_MOST = 50 };

static const tb_word types[] = {
  { "ADULT", TB_RECREATIONAL },
  { "MEDICAL", TB_MEDICAL },
  { "MEDICAL_MMID", TB_MEDICAL },
  { "MEDICAL-MMID", TB_MEDICAL },
};

/* The primary address, else the first. */
static void
read_address (const tb_json *c, tb_customer *customer)
{
  const tb_json *address = tb_at (c, "addresses[0]");
  TB_FOR (row, c, "addresses")
    if (tb_yes (tb_bool (row, "primary"))) {
      address = row;
      break;
    }
  customer->street = tb_text (address, "street1");
  customer->street2 = tb_text (address, "street2");
  customer->city = tb_text (address, "city");
  customer->state = tb_text (address, "state");
  customer->postal_code = tb_text (address, "zipcode");
  if (customer->street != NULL || customer->city != NULL || customer->postal_code != NULL)
    customer->country = "US";
}

static tb_status
emit_customer (tb_call *call, const tb_json *c)
{
  tb_customer customer = { 0 };
  customer.id = tb_string (c, "customer_id");
  customer.status = tb_lower (c, "status");
  /* The one that it was merged into stands in a row of its own. */
  if (tb_is (customer.status, "merged") && customer.id != NULL)
    return tb_emit_deleted (call, TB_CUSTOMERS, customer.id);
  customer.type = tb_word_of (c, "patient_type", types);
  customer.first_name = tb_text (c, "first_name");
  customer.last_name = tb_text (c, "last_name");
  customer.email = tb_text (c, "email");
  customer.phone = tb_phone (call, tb_text (c, "phone"));
  customer.birthday = tb_date (c, "birthday");
  customer.medical_id = tb_text (c, "state_medical_id");
  customer.medical_id_expires = tb_date (c, "permit_expiration");
  read_address (c, &customer);
  customer.loyalty_points = tb_number (c, "rewards_balance");
  customer.consent_sms = customer.consent_email = tb_not (tb_bool (c, "opt_out"));
  customer.updated_at_ms = tb_time_local (c, "last_update");
  tb_add_pair (call, &customer.attributes, "treez.verification_status", tb_text (c, "verification_status"));
  tb_add_pair (call, &customer.attributes, "treez.rewards_type", tb_text (c, "rewards_type"));
  if (tb_yes (tb_bool (c, "banned")))
    tb_add_pair (call, &customer.attributes, "treez.banned", "true");
  return tb_emit (call, &customer);
}

tb_status
treez_pull_customers (tb_call *call, const tb_pull *pull)
{
  long long page = tb_cursor_int (pull, "page", 1), size = tb_setting_int (call, "page_size");
  /* A full pass is the changes since before the first shop. */
  const char *since = pull->full ? "2000-01-01T00:00:00.000-08:00" : treez_time (call, pull->since_ms);
  tb_items *items;
  if (size <= 0 || size > PAGE_MOST)
    size = PAGE_MOST;
  TB_TRY (tb_get_items (call, &items, "data[]", "/customer/lastUpdated/after/%s/page/%lld/pagesize/%lld",
                        since, page, size));
  TB_EACH (c, items)
    TB_TRY (emit_customer (call, c));
  return tb_pages (call, tb_seen (items) >= size, "page", page + 1);
}

tb_status
treez_fetch_customer (tb_call *call, const char *id)
{
  const tb_json *answer, *customer;
  TB_TRY (tb_get (call, &answer, "/customer/%s", id));
  customer = tb_at (answer, "data[0]|data");
  if (tb_string (customer, "customer_id") == NULL)
    return tb_fail (call, TB_BAD_RESPONSE, "the answer for customer %s holds no customer_id", id);
  return emit_customer (call, customer);
}
