/* Customers as Treez writes them: ids as texts of digits, phones of ten digits, "N/A" for nothing, opt_out in
 * three spellings. */
#include "treez.h"

#include "text.h"

static const char *const first_names[] = { "ADA", "BEN", "CARLA", "DEV", "ELENA", "FRANK", "GRACE", "HUGO" };
static const char *const last_names[] = { "ALVAREZ", "BROOKS", "CHEN",   "DIAZ",
                                          "EVANS",   "FOSTER", "GARCIA", "REYES" };
static const char *const opt_outs[] = { "null",     "false", "\"false\"", "true",
                                        "\"true\"", "false", "null",      "false" };

static guint64
key (guint64 seed, guint32 index)
{
  return 0; /* in the order of their numbers */
}

static void
fill (guint64 seed, guint32 index, DataRecord *record)
{
  static const gint64 from_ms = 1735718400000; /* 2025-01-01, midnight in Los Angeles */
  guint64 bits = data_bits (seed, index, 11);
  record->price = 0;
  record->quantity = (gint32)(bits & 511) * 1000; /* the points */
  record->status = bits >> 9 & 63 ? DATA_ACTIVE : DATA_INACTIVE;
  record->changed_ms = from_ms + (gint64)(bits >> 16) % (300 * (gint64)86400000);
}

static void
id (guint32 index, char text[DATA_ID_SIZE])
{
  g_snprintf (text, DATA_ID_SIZE, "%u", index + 1);
}

static void
put_person (Pen *out, guint64 bits, guint32 index, const DataRecord *record)
{
  PEN_LITERAL (out, ",\"first_name\":\"");
  pen_text (out, first_names[bits & 7]);
  PEN_LITERAL (out, "\",\"middle_name\":null,\"last_name\":\"");
  pen_text (out, last_names[bits >> 3 & 7]);
  if (record->renamed)
    pen_unsigned (out, record->revision);
  PEN_LITERAL (out, "\",\"nickname\":\"\",\"birthday\":\"19");
  pen_unsigned (out, 50 + (bits >> 6) % 50);
  PEN_LITERAL (out, "-03-07\",\"gender\":\"U\",\"email\":\"customer");
  pen_unsigned (out, index + 1);
  PEN_LITERAL (out, "@example.com\",\"phone\":\"");
  pen_unsigned (out, 5105000000 + index % 4000000);
  pen_char (out, '"');
}

static void
put_medical (Pen *out, guint64 bits, guint32 index)
{
  gboolean medical = (bits >> 12 & 7) == 0;
  PEN_LITERAL (out, ",\"patient_type\":\"");
  pen_text (out, medical ? "MEDICAL" : "ADULT");
  PEN_LITERAL (out,
               "\",\"drivers_license\":\"N/A\",\"drivers_license_expiration\":null,\"state_medical_id\":");
  if (medical) {
    PEN_LITERAL (out, "\"M");
    pen_unsigned (out, index + 1);
    PEN_LITERAL (out, "\",\"permit_expiration\":\"2027-01-31 00:00:00.000\"");
  } else {
    PEN_LITERAL (out, "null,\"permit_expiration\":null");
  }
}

static void
render (guint64 seed, guint32 index, const DataRecord *record, guint variant, GString *string)
{
  Pen pen = pen_open (string), *out = &pen;
  char time[TREEZ_TIME_SIZE];
  guint64 bits = data_bits (seed, index, 12);
  treez_time (record->changed_ms, time);
  PEN_LITERAL (out, "{\"customer_id\":\"");
  pen_unsigned (out, index + 1);
  PEN_LITERAL (out, "\",\"status\":\"");
  pen_text (out, record->status == DATA_ACTIVE ? "ACTIVE" : "MERGED");
  PEN_LITERAL (out, "\",\"verification_status\":\"VERIFIED\",\"verification_reasons\":[]");
  put_person (out, bits, index, record);
  put_medical (out, bits, index);
  PEN_LITERAL (
    out,
    ",\"is_caregiver\":false,\"caregiver_name_1\":\"N/A\",\"caregiver_name_2\":\"\",\"caregiver_details\":[],"
    "\"addresses\":[{\"type\":\"address_of_record\",\"street1\":\"");
  pen_unsigned (out, 1 + index % 900);
  PEN_LITERAL (
    out,
    " Main "
    "St\",\"street2\":\"\",\"city\":\"Oakland\",\"state\":\"CA\",\"zipcode\":\"94607\",\"primary\":true}],"
    "\"rewards_balance\":");
  pen_unsigned (out, (guint64)MAX (record->quantity, 0) / 1000);
  PEN_LITERAL (out, ",\"rewards_type\":\"POINTS\",\"opt_out\":");
  pen_text (out, opt_outs[bits >> 20 & 7]);
  PEN_LITERAL (
    out,
    ",\"banned\":false,\"warning_1\":false,\"warning_2\":false,\"notes\":\"\",\"signup_date\":"
    "\"2024-05-31T09:54:13.000-07:00\",\"last_visit_date\":\"2025-05-31 09:54:13.000\",\"last_update\":\"");
  pen_text (out, time);
  PEN_LITERAL (out, "\",\"merged_customer_ids\":[],\"merged_into_customer_id\":");
  if (record->status == DATA_ACTIVE) {
    PEN_LITERAL (out, "null");
  } else { /* into the first of all, who is always there */
    PEN_LITERAL (out, "1");
  }
  PEN_LITERAL (out, ",\"customer_groups\":[],\"imageList\":[],\"external_ids\":{}}");
  pen_close (out);
}

const DataKind treez_customers = {
  .kind = "customers",
  .name = "last_name",
  .key = key,
  .fill = fill,
  .id = id,
  .render = render,
};
