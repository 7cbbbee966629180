#include "model/currency.h"

#include <glib.h>
#include <string.h>

/* ISO 4217, list one: those that have not two. */
static const struct {
  char letters[4];
  int places;
} others[] = {
  { "BHD", 3 }, { "BIF", 0 }, { "CLF", 4 }, { "CLP", 0 }, { "DJF", 0 }, { "GNF", 0 }, { "IQD", 3 },
  { "ISK", 0 }, { "JOD", 3 }, { "JPY", 0 }, { "KMF", 0 }, { "KRW", 0 }, { "KWD", 3 }, { "LYD", 3 },
  { "OMR", 3 }, { "PYG", 0 }, { "RWF", 0 }, { "TND", 3 }, { "UGX", 0 }, { "UYI", 0 }, { "UYW", 4 },
  { "VND", 0 }, { "VUV", 0 }, { "XAF", 0 }, { "XOF", 0 }, { "XPF", 0 },
};

int
currency_places (const char *letters)
{
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    if (strncmp (others[i].letters, letters, 3) == 0)
      return others[i].places;
  return 2;
}
