/* The description of the API, OpenAPI 3.1: made from the routes (routes.c), the tables beside what makes the
 * answers (json/shape.h) and the model's schemas. */
#pragma once
#include <json-c/json.h>

json_object *openapi_document (void);

/* ---- openapi-schemas.c ---- */

json_object *openapi_read (const char *text); /* of our own texts, which are right */
/* Of a shape member's type; see json/shape.h. */
json_object *openapi_schema (const char *type);
/* components.schemas: all shapes, the records, the pages of lists, and the bodies of requests. */
json_object *openapi_schemas (void);
/* "SyncConnectorBody": the schema of a route's body. Free with g_free(). */
char *openapi_body_name (const char *id);
/* "ProductPage", of "[Product]". */
char *openapi_page_name (const char *shape);
