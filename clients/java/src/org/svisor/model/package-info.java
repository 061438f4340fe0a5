/**
 * What the methods answer and the events tell, as values that cannot change.
 *
 * <p>Each class of it is a {@link org.svisor.model.Struct}: the fields as they came, and a method for each of those that are
 * promised. A server that is newer than this client may send more of them: {@link org.svisor.model.Struct#fields} has all. The enums are written from the
 * tables that svisord is built from.
 */
package org.svisor.model;
