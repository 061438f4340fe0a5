#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/mesh_keys.h"

/* The pairs of RFC 32 (Z85) and of libzmq's documentation. */
#define PUBLIC "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define SECRET "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
#define OTHER  "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

static void a_key_is_forty_characters_of_z85(void **state)
{
    (void)state;
    struct sv_mesh_key key;
    assert_true(sv_mesh_key_parse(PUBLIC, 40, &key));
    assert_string_equal(key.text, PUBLIC);
    assert_false(sv_mesh_key_parse(PUBLIC, 39, &key));
    assert_false(sv_mesh_key_parse("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{h~D", 40, &key));
    assert_false(sv_mesh_key_parse("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV\0hID", 40, &key));
    /* Five of the last digit are more than four bytes. */
    assert_false(sv_mesh_key_parse("#####w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", 40, &key));
}

static void a_key_file_comes_back_as_it_went(void **state)
{
    (void)state;
    struct sv_mesh_key_pair pair = {{PUBLIC}, {SECRET}}, again = {0};
    struct sv_mesh_key_fault fault = {0};
    struct sv_str text = {0};
    sv_mesh_key_pair_format(&pair, true, &text);
    assert_int_equal(sv_mesh_key_pair_parse(text.data, text.length, &again, &fault), 0);
    assert_string_equal(again.public_key.text, PUBLIC);
    assert_string_equal(again.secret_key.text, SECRET);
    sv_str_clear(&text);
    sv_mesh_key_pair_format(&pair, false, &text);
    assert_null(strstr(text.data, SECRET));
    assert_int_equal(sv_mesh_key_pair_parse(text.data, text.length, &again, &fault), 0);
    assert_string_equal(again.secret_key.text, "");
    sv_str_done(&text);
}

static void a_certificate_of_pyzmq_is_read(void **state)
{
    (void)state;
    static const char text[] = "#   ****  Generated on 2026-11-22 by pyzmq  ****\n\nmetadata\n"
                               "    name = \"node\"\ncurve\n    public-key = \"" PUBLIC
                               "\"\n    secret-key = \"" SECRET "\"\n";
    struct sv_mesh_key_pair pair;
    struct sv_mesh_key_fault fault;
    assert_int_equal(sv_mesh_key_pair_parse(text, sizeof(text) - 1, &pair, &fault), 0);
    assert_string_equal(pair.secret_key.text, SECRET);
}

static void a_fault_of_a_key_file_has_its_line(void **state)
{
    (void)state;
    static const char broken[] = "curve\n  public-key = \"abc\"\n";
    struct sv_mesh_key_pair pair;
    struct sv_mesh_key_fault fault;
    assert_int_equal(sv_mesh_key_pair_parse(broken, sizeof(broken) - 1, &pair, &fault),
                     SV_MESH_KEYS_E_MALFORMED);
    assert_int_equal(fault.line, 2);
    assert_int_equal(sv_mesh_key_pair_parse("", 0, &pair, &fault), SV_MESH_KEYS_E_MALFORMED);
    assert_string_equal(fault.why, "it has no line public-key = \"...\"");
}

static void the_trusted_keys_have_names_or_none(void **state)
{
    (void)state;
    static const char text[] = "# who may speak\n\n" PUBLIC "  supv-01\t10.0.0.1 \r\n" OTHER;
    struct sv_arena arena = {0};
    struct sv_mesh_trust trust;
    struct sv_mesh_key_fault fault;
    assert_int_equal(sv_mesh_trust_parse(text, sizeof(text) - 1, &arena, &trust, &fault), 0);
    assert_int_equal(trust.count, 2);
    assert_string_equal(trust.rows[0].key.text, PUBLIC);
    assert_int_equal(trust.rows[0].name_count, 2);
    assert_string_equal(trust.rows[0].names[0], "supv-01");
    assert_string_equal(trust.rows[0].names[1], "10.0.0.1");
    assert_string_equal(trust.rows[1].key.text, OTHER);
    assert_int_equal(trust.rows[1].name_count, 0);
    assert_int_equal(sv_mesh_trust_parse("", 0, &arena, &trust, &fault), 0);
    assert_int_equal(trust.count, 0);
    sv_arena_done(&arena);
}

static void a_line_without_a_key_is_refused_with_its_number(void **state)
{
    (void)state;
    static const char text[] = PUBLIC "\nx" PUBLIC "\n";
    struct sv_arena arena = {0};
    struct sv_mesh_trust trust;
    struct sv_mesh_key_fault fault;
    assert_int_equal(sv_mesh_trust_parse(text, sizeof(text) - 1, &arena, &trust, &fault),
                     SV_MESH_KEYS_E_MALFORMED);
    assert_int_equal(fault.line, 2);
    assert_int_equal(sv_mesh_trust_parse("# \xff\n", 4, &arena, &trust, &fault),
                     SV_MESH_KEYS_E_MALFORMED);
    sv_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_forty_characters_of_z85),
        cmocka_unit_test(a_key_file_comes_back_as_it_went),
        cmocka_unit_test(a_certificate_of_pyzmq_is_read),
        cmocka_unit_test(a_fault_of_a_key_file_has_its_line),
        cmocka_unit_test(the_trusted_keys_have_names_or_none),
        cmocka_unit_test(a_line_without_a_key_is_refused_with_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
