/* What the files of this directory share. */
#ifndef SV_DRIVER_CLASSIC_INTERNAL_H
#define SV_DRIVER_CLASSIC_INTERNAL_H

#include "driver/classic/classic.h"

/* What the form of the request says, or its query. False: neither does. */
bool sv_classic_field(const struct sv_http_exchange *exchange, const char *name,
                      struct sv_str *ret_value);
bool sv_classic_is_post(const struct sv_http_exchange *exchange);

/* actions.c: a request for index.html with an action. */
void sv_classic_act(struct sv_driver *driver, struct sv_http_exchange *exchange,
                    const char *action);

/* Says that nothing was done, and why. */
void sv_classic_refuse(struct sv_http_exchange *exchange, unsigned status, const char *why);
#define SV_CLASSIC_NO_ACTION                                                                       \
    "There is no such action here. What Supvisors' pages do is done by methods: /api/ has them "   \
    "all."

/*
 * page.c: pages are plain text in the few elements that it takes. Nothing in them may be loaded,
 * run or framed, and whatever comes from outside goes through sv_page_add_text().
 */
void sv_page_begin(struct sv_str *page, const char *title);
void sv_page_add_text(struct sv_str *page, const char *text, size_t length);
/* A button that asks for index.html with an action. `name` NULL: of no process. */
void sv_page_add_button(struct sv_str *page, const char *action, const char *name);
/* Ends the page, and answers with it. */
void sv_page_reply(struct sv_http_exchange *exchange, unsigned status, struct sv_str *page);
void sv_page_redirect(struct sv_http_exchange *exchange, unsigned status,
                      const struct sv_str *location, const char *text);

#endif
