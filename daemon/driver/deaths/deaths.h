/* Why a process died: what the kernel told of it, and the certificate that is made of that. Read
 * certificate.c first. */
#ifndef SV_DRIVER_DEATHS_H
#define SV_DRIVER_DEATHS_H

#include "driver/internal.h"

/* facts.c */
void sv_facts_record(void *user, const struct sv_bpf_record *record);
/* Records were lost (struct sv_driver). */
void sv_facts_lost(void *driver);
/* The OOM killer took a process of the run (struct sv_run). */
void sv_run_oom_kill(void *run);

/* certificate.c: everything that can be told about a run that is over. */
void sv_certificate_of_run(const struct sv_run *run, struct sv_death *ret_death);

/* A start that failed. */
struct sv_stillbirth {
    struct sv_unit *unit;
    uint32_t run;
    enum sv_death_stage stage;
    int error;        /* errno; 0: the text says all */
    const char *text; /* Supervisor's words */
    const char *path; /* the file that was to be executed; NULL: it was not found */
};
void sv_certificate_of_stillbirth(const struct sv_stillbirth *birth, struct sv_death *ret_death);

/* deaths.c */
int sv_deaths_new(struct sv_driver *driver);
void sv_deaths_free(struct sv_deaths *deaths);
/* Writes the certificates that are due. Anybody who is about to show or to free a run asks first.
 */
void sv_deaths_settle(void *driver);
void sv_deaths_stillborn(const struct sv_stillbirth *birth);
/* The strays of a run that is over are gone. */
void sv_deaths_strays_gone(struct sv_run *run);
/* The newest certificates first; `run` 0: the last one, SV_DEATHS_ALL: all. A new reference to an
 * array. */
#define SV_DEATHS_ALL (-1)
json_t *sv_deaths_json(struct sv_driver *driver, const struct sv_unit *unit, int64_t run);

/* why.c */
json_t *sv_why(struct sv_driver *driver, sv_process_id id);
/* Its text alone, without a look into the logs. */
void sv_why_text(struct sv_unit *unit, const struct sv_process_view *view, struct sv_str *text);

#endif
