#include "worker/form.h"

#include <string.h>

typedef struct {
  tb_form shown; /* first */
  Arena *arena;
  char *text;
  gsize length, room;
} Form;

tb_form *
form_new (Call *call)
{
  Form *form = arena_alloc (call->arena, sizeof *form);
  form->shown.host = call->shown.host;
  form->arena = call->arena;
  form->text = arena_strndup (call->arena, "", 0);
  return &form->shown;
}

static void
put (Form *form, const char *bytes, gsize length)
{
  if (form->length + length + 1 > form->room) {
    gsize room = MAX (2 * form->room, form->length + length + 256);
    char *text = arena_alloc (form->arena, room);
    memcpy (text, form->text, form->length);
    form->text = text;
    form->room = room;
  }
  memcpy (form->text + form->length, bytes, length);
  form->length += length;
  form->text[form->length] = '\0';
}

static void
put_encoded (Form *form, const char *text)
{
  static const char hex[] = "0123456789ABCDEF";
  for (const guchar *at = (const guchar *)text; *at; at++) {
    char escaped[3] = { '%', hex[*at >> 4], hex[*at & 15] };
    if (g_ascii_isalnum (*at) || strchr ("*-._", *at))
      put (form, (const char *)at, 1);
    else if (*at == ' ')
      put (form, "+", 1);
    else
      put (form, escaped, 3);
  }
}

void
form_add (tb_form *shown, const char *name, const char *value)
{
  Form *form = (Form *)shown;
  if (!value)
    return;
  if (form->length)
    put (form, "&", 1);
  put_encoded (form, name);
  put (form, "=", 1);
  put_encoded (form, value);
}

const char *
form_text (const tb_form *shown, gsize *length)
{
  const Form *form = (const Form *)shown;
  *length = form->length;
  return form->text;
}
