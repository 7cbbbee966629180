/* An application/x-www-form-urlencoded body (WHATWG URL, 5.2: blanks are "+"), in the call's memory. */
#pragma once
#include "worker/worker.h"

tb_form *form_new (Call *call);
void form_add (tb_form *form, const char *name, const char *value);
const char *form_text (const tb_form *form, gsize *length);
