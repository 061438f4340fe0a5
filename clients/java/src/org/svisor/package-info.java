/**
 * The remote methods of svisord.
 *
 * <p>{@link org.svisor.SvisorClient} is the way in. It has one face for each family of methods; the interfaces are
 * written by {@code clients/java/generate.py} from the table that svisord itself is built from, so names, parameters,
 * defaults and faults are those of the server.
 *
 * <p>What goes wrong is a {@link org.svisor.SvisorException}, which is not checked: most callers can do nothing at the place of the call, and
 * those who can know which kind they want to catch.
 */
package org.svisor;
