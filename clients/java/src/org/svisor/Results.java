package org.svisor;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** From the values that came over the wire to those that the methods promise. What does not fit is a {@link ProtocolException}. */
final class Results {
    private Results() {
    }

    private static <T> T as(Class<T> type, Object value) {
        if (!type.isInstance(value))
            throw new ProtocolException("a " + type.getSimpleName() + " was expected, and this came: " + value);
        return type.cast(value);
    }

    static String text(Object value) {
        return as(String.class, value);
    }

    static int integer(Object value) {
        return as(Integer.class, value);
    }

    static double real(Object value) {
        return as(Number.class, value).doubleValue();
    }

    static boolean flag(Object value) {
        return as(Boolean.class, value);
    }

    @SuppressWarnings("unchecked") // the readers make no other maps
    static Map<String, Object> map(Object value) {
        return as(Map.class, value);
    }

    @SuppressWarnings("unchecked")
    static List<Object> list(Object value) {
        return as(List.class, value);
    }

    static <T> T struct(Object value, Function<Map<String, Object>, T> make) {
        return make.apply(map(value));
    }

    /** A struct without members stands for nothing. */
    static <T> Optional<T> optional(Object value, Function<Map<String, Object>, T> make) {
        Map<String, Object> fields = map(value);
        return fields.isEmpty() ? Optional.empty() : Optional.of(make.apply(fields));
    }

    static <T> List<T> each(Object value, Function<Object, T> make) {
        List<T> made = new ArrayList<>();
        for (Object item : list(value))
            made.add(make.apply(item));
        return Collections.unmodifiableList(made);
    }

    static <T> List<T> structs(Object value, Function<Map<String, Object>, T> make) {
        return each(value, item -> make.apply(map(item)));
    }

    static List<String> texts(Object value) {
        return each(value, Results::text);
    }

    /** Methods that take group:* answer with a list for that, and with true for one process. */
    static <T> List<T> structsOrTrue(Object value, Function<Map<String, Object>, T> make) {
        return value instanceof Boolean ? List.of() : structs(value, make);
    }
}
