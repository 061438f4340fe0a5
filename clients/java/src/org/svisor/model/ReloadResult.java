package org.svisor.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

import org.svisor.ProtocolException;

/** How the configuration that was read differs from the one in use, by names of groups. */
public final class ReloadResult {
    private final List<List<String>> changes = new ArrayList<>();

    /** @param values what came: [[added, changed, removed]] */
    public ReloadResult(List<Object> values) {
        List<?> three = values.size() == 1 && values.get(0) instanceof List ? (List<?>) values.get(0) : List.of();
        for (Object names : three)
            changes.add(texts(names));
        if (changes.size() != 3)
            throw new ProtocolException("changes of a configuration are [[added, changed, removed]], not " + values);
    }

    private static List<String> texts(Object names) {
        List<String> found = new ArrayList<>();
        for (Object name : names instanceof List ? (List<?>) names : List.of())
            found.add(name.toString());
        return Collections.unmodifiableList(found);
    }

    /** @return groups that are new: {@code supervisor.addProcessGroup} takes them into use */
    public List<String> added() {
        return changes.get(0);
    }

    /** @return groups that are different: remove them, then add them */
    public List<String> changed() {
        return changes.get(1);
    }

    /** @return groups that are gone: {@code supervisor.removeProcessGroup} takes them out of use */
    public List<String> removed() {
        return changes.get(2);
    }

    @Override
    public String toString() {
        return "ReloadResult(added " + added() + ", changed " + changed() + ", removed " + removed() + ")";
    }
}
