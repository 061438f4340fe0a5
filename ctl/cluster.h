/* What the commands about the cluster share: Supvisors' way to read words and to tell of faults. */
#ifndef SV_CTL_CLUSTER_H
#define SV_CTL_CLUSTER_H

#include "base/choice.h"
#include "ctl.h"

/* "SUBJECT: ERROR (FAULT)", or "ERROR (FAULT)" for NULL: the fault of the last call. */
void sv_complain_fault(struct sv_ctl *ctl, const char *subject);

/* No words, or "all" among them. */
bool sv_means_all(const char *const *words, size_t word_count);

/* "ERROR: …" as given, and how the command is used. */
void sv_complain_usage(struct sv_ctl *ctl, const struct sv_arguments *arguments, const char *format,
                       ...) SV_PRINTF(3, 4);
/* Exact names only. Complains and returns false otherwise. */
bool sv_read_choice(struct sv_ctl *ctl, const struct sv_arguments *arguments,
                    enum sv_choice_kind kind, const char *word, int *ret_number);

/* Words as an array of strings, from the first on. New references; NULL without memory. */
json_t *sv_word_list(const struct sv_arguments *arguments, size_t first);
/* The words with one blank between them, as a JSON string. */
json_t *sv_joined_words(const struct sv_arguments *arguments, size_t first);
/* By their bytes. */
void sv_sort_texts(json_t *texts);

/* Calls a method without parameters. A fault is told, and gives NULL. */
enum sv_verdict sv_ask_cluster(struct sv_ctl *ctl, const char *method, json_t **ret_result);

/* The names of all processes that the cluster knows; with `only_running` of those that run. A fault
 * is told, and gives an empty list. */
enum sv_verdict sv_all_namespecs(struct sv_ctl *ctl, bool only_running, json_t **ret_names);

/* A list of names for a command with strategy and namespecs: the words from `first` on, sorted; all
 * of the cluster when they mean all. */
enum sv_verdict sv_named_processes(struct sv_ctl *ctl, const struct sv_arguments *arguments,
                                   size_t first, bool only_running, json_t **ret_names);

#endif
