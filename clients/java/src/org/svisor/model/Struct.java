package org.svisor.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

import org.svisor.ProtocolException;

/**
 * Fields with names, as they came from the server. Subclasses have a method for each field that is promised; those that may be missing give an
 * Optional. A field that is missing all the same, or is of another type, is a {@link ProtocolException} of the method that reads it.
 */
public abstract class Struct {
    private final Map<String, Object> fields;

    /** @param fields what came; it must not change any more */
    protected Struct(Map<String, Object> fields) {
        this.fields = Collections.unmodifiableMap(fields);
    }

    /** @return all fields as they came, those too that this version of the client has no method for */
    public final Map<String, Object> fields() {
        return fields;
    }

    @Override
    public final boolean equals(Object other) {
        return other != null && other.getClass() == getClass() && ((Struct) other).fields.equals(fields);
    }

    @Override
    public final int hashCode() {
        return fields.hashCode();
    }

    @Override
    public final String toString() {
        return getClass().getSimpleName() + fields;
    }

    final boolean has(String key) {
        return fields.get(key) != null;
    }

    private ProtocolException wrong(String key, String expected) {
        return new ProtocolException(getClass().getSimpleName() + ": " + key + " is not " + expected + ": " + fields.get(key));
    }

    private <T> T as(Class<T> type, String key, String expected) {
        Object value = fields.get(key);
        if (!type.isInstance(value))
            throw wrong(key, expected);
        return type.cast(value);
    }

    final String text(String key) {
        return as(String.class, key, "a text");
    }

    final int integer(String key) {
        return as(Integer.class, key, "a whole number of 32 bits");
    }

    final long number(String key) {
        Number value = as(Number.class, key, "a whole number");
        if (value instanceof Double)
            throw wrong(key, "a whole number");
        return value.longValue();
    }

    final double real(String key) {
        return as(Number.class, key, "a number").doubleValue();
    }

    final boolean flag(String key) {
        return as(Boolean.class, key, "a boolean");
    }

    final Optional<String> optionalText(String key) {
        return has(key) ? Optional.of(text(key)) : Optional.empty();
    }

    final OptionalLong optionalNumber(String key) {
        return has(key) ? OptionalLong.of(number(key)) : OptionalLong.empty();
    }

    final Optional<Boolean> optionalFlag(String key) {
        return has(key) ? Optional.of(flag(key)) : Optional.empty();
    }

    final <E extends Enum<E>> E choice(String key, Class<E> type) {
        try {
            return Enum.valueOf(type, text(key));
        } catch (IllegalArgumentException unknown) {
            throw wrong(key, "one of " + type.getSimpleName());
        }
    }

    final <T> T coded(String key, Function<Integer, Optional<T>> ofCode) {
        return ofCode.apply(integer(key)).orElseThrow(() -> wrong(key, "a number that this client knows"));
    }

    final <T> List<T> each(String key, Function<Object, T> make) {
        List<T> made = new ArrayList<>();
        for (Object item : as(List.class, key, "a list").toArray())
            made.add(make.apply(item));
        return Collections.unmodifiableList(made);
    }

    private <T> T item(Object value, Class<T> type, String key) {
        if (!type.isInstance(value))
            throw wrong(key, "a list of " + type.getSimpleName());
        return type.cast(value);
    }

    final List<String> texts(String key) {
        return each(key, value -> item(value, String.class, key));
    }

    final List<Integer> integers(String key) {
        return each(key, value -> item(value, Integer.class, key));
    }

    final List<Double> reals(String key) {
        return each(key, value -> item(value, Number.class, key).doubleValue());
    }

    @SuppressWarnings("unchecked") // the readers make no other maps
    private static Map<String, Object> mapOf(Map<?, ?> value) {
        return (Map<String, Object>) value;
    }

    final Map<String, Object> map(String key) {
        return mapOf(as(Map.class, key, "a struct"));
    }

    final <T> T struct(String key, Function<Map<String, Object>, T> make) {
        return make.apply(map(key));
    }

    final <T> List<T> structs(String key, Function<Map<String, Object>, T> make) {
        return each(key, value -> make.apply(mapOf(item(value, Map.class, key))));
    }

    static List<Double> pair(Object value) {
        if (!(value instanceof List) || ((List<?>) value).size() != 2)
            throw new ProtocolException("two numbers were expected, and this came: " + value);
        List<Double> both = new ArrayList<>();
        for (Object number : (List<?>) value)
            both.add(((Number) number).doubleValue());
        return Collections.unmodifiableList(both);
    }

    /** A struct that is used as a map: its names are not promised. */
    final <T> Map<String, T> mapped(String key, Function<Object, T> make) {
        Map<String, T> made = new LinkedHashMap<>();
        for (Map.Entry<String, Object> entry : map(key).entrySet())
            made.put(entry.getKey(), make.apply(entry.getValue()));
        return Collections.unmodifiableMap(made);
    }
}
