/* How many decimal places a currency has (ISO 4217): 2 of USD, whose minor unit is the cent; 0 of JPY, 3 of
 * KWD. Two where the letters are not known. The first three letters count. */
#pragma once

int currency_places (const char *letters);
