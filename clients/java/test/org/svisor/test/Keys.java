package org.svisor.test;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.AbstractMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

import org.svisor.model.Struct;

/**
 * Whether a class of org.svisor.model and a real answer know the same keys. The struct is built once more over a map that notes what is asked
 * of it, and every method of it is called: a key that nobody asked for has no method; a method whose key is missing, or of another type,
 * throws.
 */
final class Keys {
    private static final Set<String> SEEN = new TreeSet<>();

    private Keys() {
    }

    private static final class NotingMap extends AbstractMap<String, Object> {
        private final Map<String, Object> fields;
        private final Set<String> asked = new TreeSet<>();

        NotingMap(Map<String, Object> fields) {
            this.fields = fields;
        }

        @Override
        public Object get(Object key) {
            asked.add((String) key);
            return fields.get(key);
        }

        @Override
        public Set<Map.Entry<String, Object>> entrySet() {
            return fields.entrySet();
        }
    }

    /** Names of the classes that were checked. */
    static Set<String> seen() {
        return SEEN;
    }

    /** Checks every struct in it: lists, maps and optional values are looked into. Gives it back. */
    static <T> T check(T value) {
        if (value instanceof Struct)
            struct((Struct) value);
        else if (value instanceof Iterable)
            ((Iterable<?>) value).forEach(Keys::check);
        else if (value instanceof Map)
            ((Map<?, ?>) value).values().forEach(Keys::check);
        else if (value instanceof Optional)
            ((Optional<?>) value).ifPresent(Keys::check);
        return value;
    }

    private static void struct(Struct struct) {
        NotingMap noting = new NotingMap(struct.fields());
        Class<?> type = struct.getClass();
        try {
            Object copy = type.getConstructor(Map.class).newInstance(noting);
            for (Method method : type.getMethods()) {
                boolean isOfModel = Struct.class.isAssignableFrom(method.getDeclaringClass())
                        && method.getDeclaringClass() != Struct.class;
                if (!isOfModel || method.getParameterCount() > 0 || Modifier.isStatic(method.getModifiers()))
                    continue;
                check(method.invoke(copy));
            }
        } catch (InvocationTargetException failure) {
            throw new AssertionError(type.getSimpleName() + ": " + failure.getCause(), failure.getCause());
        } catch (ReflectiveOperationException impossible) {
            throw new AssertionError(impossible);
        }
        Set<String> unknown = new TreeSet<>(struct.fields().keySet());
        unknown.removeAll(noting.asked);
        Checks.isTrue(unknown.isEmpty(), type.getSimpleName() + " has no method for " + unknown);
        SEEN.add(type.getSimpleName());
    }
}
