/* Who comes, who goes, and when those who have gone are freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/clients.h"

enum { CLIENTS_MAX = 3 };

struct guest {
    struct sv_client base;
    char name;
};

struct party {
    struct sv_loop *loop;
    struct sv_clients clients;
};

/* The names of those who were released, in that order. */
static char released[8];

static void note(struct sv_client *client)
{
    released[strlen(released)] = ((struct guest *)client)->name;
}

static void set_up(struct party *party)
{
    memset(released, 0, sizeof(released));
    assert_int_equal(sv_loop_new(&party->loop), 0);
    assert_int_equal(sv_clients_init(&party->clients, party->loop, CLIENTS_MAX, note), 0);
}

static void tear_down(struct party *party)
{
    sv_clients_done(&party->clients);
    sv_loop_free(party->loop);
}

static struct guest *come(struct party *party, char name)
{
    struct guest *guest = sv_clients_add(&party->clients, sizeof(*guest));
    if (guest)
        guest->name = name;
    return guest;
}

static void turn(struct party *party)
{
    assert_true(sv_loop_turn(party->loop, 0) >= 0);
}

static void assert_there(const struct party *party, const char *names)
{
    char found[8] = "";
    for (const struct guest *guest = sv_clients_first(&party->clients); guest;
         guest = sv_clients_after(guest))
        found[strlen(found)] = guest->name;
    assert_string_equal(found, names);
}

static void who_comes_first_stands_first_whoever_goes(void **state)
{
    (void)state;
    struct party party;
    set_up(&party);
    assert_there(&party, "");
    come(&party, 'a');
    struct guest *b = come(&party, 'b');
    struct guest *c = come(&party, 'c');
    assert_there(&party, "abc");
    sv_client_leave(&c->base);
    turn(&party);
    c = come(&party, 'd');
    assert_there(&party, "abd");
    sv_client_leave(&b->base);
    turn(&party);
    come(&party, 'e');
    assert_there(&party, "ade");
    assert_string_equal(released, "cb");
    tear_down(&party);
    assert_string_equal(released, "cbade");
}

static void no_more_come_than_may_and_one_that_is_gone_counts_until_it_is_freed(void **state)
{
    (void)state;
    struct party party;
    set_up(&party);
    struct guest *a = come(&party, 'a');
    come(&party, 'b');
    come(&party, 'c');
    assert_null(come(&party, 'd'));
    sv_client_leave(&a->base);
    sv_client_leave(&a->base); /* twice is as good as once */
    assert_null(come(&party, 'd'));
    turn(&party);
    assert_non_null(come(&party, 'd'));
    assert_there(&party, "bcd");
    assert_string_equal(released, "a");
    tear_down(&party);
}

static void one_that_goes_while_all_are_looked_at_breaks_nothing(void **state)
{
    (void)state;
    struct party party;
    set_up(&party);
    come(&party, 'a');
    come(&party, 'b');
    struct guest *c = come(&party, 'c');
    unsigned seen = 0;
    for (struct guest *guest = sv_clients_first(&party.clients); guest;
         guest = sv_clients_after(guest)) {
        seen++;
        sv_client_leave(&guest->base);
        sv_client_leave(&c->base);
    }
    assert_int_equal(seen, 2);
    assert_there(&party, "");
    assert_string_equal(released, "");
    turn(&party);
    assert_string_equal(released, "abc");
    assert_int_equal(party.clients.count, 0);
    come(&party, 'd');
    assert_there(&party, "d");
    tear_down(&party);
}

static void what_was_never_begun_can_be_ended(void **state)
{
    (void)state;
    struct sv_clients clients = {0};
    assert_null(sv_clients_first(&clients));
    sv_clients_done(&clients);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_first_stands_first_whoever_goes),
        cmocka_unit_test(no_more_come_than_may_and_one_that_is_gone_counts_until_it_is_freed),
        cmocka_unit_test(one_that_goes_while_all_are_looked_at_breaks_nothing),
        cmocka_unit_test(what_was_never_begun_can_be_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
